"""Passwords and keys of endpoints: no command, log or page tells them, and none hands them on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from guarded import KEY, WORD, by_name, guarded, with_secrets
from typer.testing import CliRunner
from worlds import World

from hansa.cli import dashboard
from hansa.cli.main import app
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.errors import FatalError
from hansa.protocol.types import JobId
from hansa.runtime.chain.deployment import Deployment

ROOT = Path(__file__).resolve().parents[2]
Once = tuple[World, JobId]


@pytest.fixture(scope="module")
def url(world_once: Once) -> Iterator[str]:
    with guarded(world_once[0].anvil.url) as url:
        yield url


@pytest.fixture
def here(world_once: Once, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    for name in ("WORD", "KEY"):
        monkeypatch.delenv(name, raising=False)
    make_keystores(tmp_path / "keys", ["sponsor"])
    return tmp_path


def leaves(text: str) -> bool:
    return WORD in text or KEY in text


COMMANDS = ["audit 1", "doctor", "job list", "job show 1", "top 1", "wallet show sponsor", "wallet list"]


@pytest.mark.parametrize("form", ["", "--json", "--debug"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("answers", [True, False])
def test_command__tells_no_secret(
    here: Path, world_once: Once, url: str, command: str, form: str, answers: bool
) -> None:
    """Of an endpoint that answers, and of one that doesn't; told by hand, as an earlier version would have it."""
    node = url if answers else "http://127.0.0.1:9"
    made = world_once[0].deployment.updated(rpc=[with_secrets(node)], ws=with_secrets(node.replace("http", "ws")))
    made.save(here / "deployment.json")
    done = CliRunner().invoke(app, f"{command} {form}".split())
    assert not leaves(done.stdout + done.stderr), done.stdout + done.stderr
    assert ("does not answer" in done.output) != answers or form == "--debug", done.output


def test_traceback__tells_no_secret(here: Path, world_once: Once) -> None:
    made = world_once[0].deployment.updated(rpc=[with_secrets("http://127.0.0.1:9")])
    made.save(here / "deployment.json")
    done = subprocess.run(
        [sys.executable, "-m", "hansa.cli.main", "job", "list", "--debug"],
        cwd=ROOT, env={**os.environ, "HANSA_DIR": str(here)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" in done.stderr and "ConnectionRefusedError" in done.stderr
    assert not leaves(done.stderr + done.stdout), done.stderr


def test_console_script__is_what_keeps_secrets_out_of_tracebacks() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"hansa": "hansa.cli.main:main"}


def test_archive__holds_no_secret(here: Path, world_once: Once, url: str) -> None:
    world_once[0].deployment.updated(rpc=[with_secrets(url)]).save(here / "deployment.json")
    done = CliRunner().invoke(app, ["audit", "1", "--export", str(here / "job.hansa"), "--json"])
    assert json.loads(done.stdout)["source"] == f"{url}/…, store local"
    assert not leaves((here / "job.hansa").read_bytes().decode(errors="replace"))


def test_doctor__finds_a_secret_that_stands_in_the_deployment(here: Path, world_once: Once, url: str) -> None:
    def secrets(made: Deployment) -> tuple[str, str]:
        made.save(here / "deployment.json")
        found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
        [item] = [item for item in found["findings"] if item["what"] == "secrets"]
        return item["state"], item["text"]

    known = world_once[0].deployment
    assert secrets(known) == ("ok", "none in deployment.json")
    state, text = secrets(known.updated(rpc=[with_secrets(url)]))
    assert state == "wrong" and "rpc 1: " in text and "write ${NAME} in its place" in text
    state, text = secrets(known.updated(rpc=[by_name(url)]))
    assert state == "wrong" and "asks for ${WORD}, which nobody gave" in text
    (here / "secrets.env").write_text(f"WORD={WORD}\nKEY={KEY}\n")
    (here / "secrets.env").chmod(0o644)
    state, text = secrets(known.updated(rpc=[by_name(url)]))
    assert state == "wrong" and "secrets.env can be read by others" in text
    (here / "secrets.env").chmod(0o600)
    assert secrets(known.updated(rpc=[by_name(url)])) == (
        "ok",
        "none in deployment.json; 1 of its addresses ask for one, which is given",
    )
    assert CliRunner().invoke(app, ["audit", "1"]).exit_code in (0, 3), "and a connection is opened with them"


def test_dashboard__hands_on_no_secret(here: Path, world_once: Once) -> None:
    url, known = world_once[0].anvil.url, world_once[0].deployment
    for changes in ({"rpc": [with_secrets(url)]}, {"ws": with_secrets("ws://127.0.0.1:1")}):
        with pytest.raises(FatalError, match="holds a password or a key"):
            dashboard.serve(known.updated(**changes), 0)
    mixed = known.updated(rpc=[by_name(url), url], ws=by_name("ws://127.0.0.1:1"))
    assert dashboard.public(mixed)["rpc"] == [url] and "ws" not in dashboard.public(mixed)
    assert "WORD" not in dashboard.policy(mixed)
    with pytest.raises(FatalError, match="the page has no RPC endpoint to ask: each .* asks for a secret"):
        dashboard.public(known.updated(rpc=[by_name(url)]))
