"""`hansa audit` as users run it, on what a demo leaves behind and on a chain that is still there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import warm_command
from federations import federation, finish

from hansa.audit.archive import Archive
from hansa.audit.replay import EventReplay
from hansa.protocol.cid import to_cid

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240


def hansa(*words: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_command(), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def audited(*words: str) -> tuple[int, dict[str, Any]]:
    done = hansa("audit", "--json", *words)
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def directory(kept_demo: tuple[Path, str]) -> Path:
    return kept_demo[0]


def test_demo__says_how_to_audit_it(kept_demo: tuple[Path, str]) -> None:
    directory, said = kept_demo
    assert f"hansa audit --archive {directory / 'job-1.hansa'}" in said.replace("\n", "")


def test_audit__of_the_chain__holds_and_makes_every_model_again(directory: Path) -> None:
    code, data = audited("1", "--dir", str(directory), "--account", "validator-2")
    assert (code, data["verdict"], data["wrong"], data["not_checked"]) == (0, "holds", [], [])
    assert data["checked"]["models made again, bit for bit"] == 3
    assert data["checked"]["contracts' code"] == 3 and data["checked"]["words of the contracts' storage"] > 40
    assert data["checked"]["signed acts"] == 44


def test_audit__of_the_archive__says_the_same(directory: Path) -> None:
    code, data = audited("1", "--archive", str(directory / "job-1.hansa"), "--dir", str(directory),
                         "--account", "validator-1")  # fmt: skip
    _, chain = audited("1", "--dir", str(directory), "--account", "validator-1")
    extra = {name: times for name, times in data["checked"].items() if name not in chain["checked"]}
    assert code == 0 and extra == {"archive digest": 1}


def test_audit__of_the_archive__asks_the_nodes_that_are_named(directory: Path) -> None:
    archive, node = directory / "job-1.hansa", json.loads((directory / "deployment.json").read_text())["rpc"][0]
    code, data = audited("--archive", str(archive), "--rpc", node, "--rpc", node)
    assert code == 0 and data["checked"]["endpoints that have this very block"] == 2
    code, data = audited("--archive", str(archive), "--rpc", node, "--rpc", "http://me:secret@127.0.0.1:9/KEY")
    assert code == 3 and "secret" not in json.dumps(data) and "KEY" not in json.dumps(data)
    done = hansa("audit", "--archive", str(archive))
    with Archive.open(archive) as opened:
        whole = f"block hash 0x{opened.facts.at.hash.hex()}"
    assert done.returncode == 0 and whole in done.stdout and "this is what to compare" in done.stdout


def test_audit__with_an_account_that_opens_nothing__is_an_error(directory: Path) -> None:
    for source in (["1"], ["--archive", str(directory / "job-1.hansa")]):
        done = hansa("audit", *source, "--dir", str(directory), "--account", "trainer-1")
        assert done.returncode == 1 and "was never in the committee of job 1" in done.stderr


def test_audit__exported_later__has_the_same_job(directory: Path, tmp_path: Path) -> None:
    target = tmp_path / "again.hansa"
    code, data = audited("1", "--dir", str(directory), "--export", str(target))
    assert code == 0 and data["archive"] == str(target)
    assert audited("--archive", str(target))[0] == 0


def test_audit__of_another_job__is_a_sentence(directory: Path) -> None:
    done = hansa("audit", "2", "--dir", str(directory))
    assert done.returncode == 1 and "there is no job 2" in done.stderr and "Traceback" not in done.stderr
    done = hansa("audit", "2", "--archive", str(directory / "job-1.hansa"))
    assert done.returncode == 1 and "is of job 1, not of job 2" in done.stderr


def test_audit__store_that_lost_a_file__names_it(directory: Path) -> None:
    code, data = audited("1", "--dir", str(directory))
    assert code == 0
    with Archive.open(directory / "job-1.hansa") as archive:
        walk = EventReplay(archive.facts)
        walk.events()
    cid = to_cid(walk.history.cycles[0].outcome.model)
    lost = directory / "store" / cid[-2:] / cid
    kept = lost.read_bytes()
    try:
        lost.unlink()
        code, data = audited("1", "--dir", str(directory))
        assert (code, data["verdict"]) == (3, "incomplete")
        assert any(cid in gap["what"] for gap in data["not_checked"])
        lost.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        code, data = audited("1", "--dir", str(directory))
        assert (code, data["verdict"]) == (1, "wrong")
        assert cid in data["wrong"][0]["what"] and data["wrong"][0]["round"] == 1
    finally:
        lost.write_bytes(kept)


def test_audit__of_a_job_that_publishes_its_keys__a_stranger_makes_every_model_again(tmp_path: Path) -> None:
    archive = tmp_path / "job.hansa"
    with federation(tmp_path / "lab", rounds=2, trainers=3, publish_keys=True) as lab:
        lab.start_all()
        finish(lab)
        code, data = audited("1", "--dir", str(lab.workspace.dir), "--export", str(archive))
    assert (code, data["verdict"], data["not_checked"]) == (0, "holds", [])
    assert data["checked"]["files of content keys"] == 3
    assert data["checked"]["models made again, bit for bit"] == 2
    assert data["checked"]["verdicts against the bytes"] == 6
    code, data = audited("--archive", str(archive))
    assert (code, data["checked"]["models made again, bit for bit"], data["not_checked"]) == (0, 2, [])
