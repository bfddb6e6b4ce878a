"""The pages in docs/, followed to the letter: every shell block of a page, one after another, in one empty folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from commands import warm_command

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(?P<kind>\w+)(?: title=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.M | re.S)
STOP = "hansa up --stop\n"
DEMO = ".hansa/demo"
GIVEN = 10_000 * 10**18  # by `hansa up`, to each account
TIMEOUT = 400.0


class Reader:
    """Somebody who copies a page into a terminal, block by block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tools = folder / ".tools"
        tools.mkdir()
        (tools / "hansa").write_text(f'#!/bin/sh\nexec {shlex.join(warm_command())} "$@"\n')
        (tools / "hansa").chmod(0o755)
        path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
        self.environment.pop("HANSA_DIR", None)

    def follow(self, page: str, until: str | None = None) -> str:
        """Runs the page's blocks, up to the line `until`; what they print. A command that fails ends it."""
        script = ["set -eu"]
        for block in FENCE.finditer((ROOT / "docs" / page).read_text()):
            if block["file"]:
                (self.folder / block["file"]).write_text(block["text"])
            elif block["kind"] == "sh":
                script.append(block["text"])
        text = "\n".join(script)
        if until is not None:
            assert until in text, f"{page} does not say {until!r}"
            text = text[: text.index(until)]
        return self.run("bash", "-c", text)

    def ask(self, *words: str) -> Any:
        return json.loads(self.run(*warm_command(), *words, "--json"))

    def refused(self, *words: str) -> str:
        done = subprocess.run(
            [*warm_command(), *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0, done.stdout
        return done.stderr

    def run(self, *words: str) -> str:
        process = subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
            pytest.fail(f"still running after {TIMEOUT:.0f} s:\n{printed}\n{self.logs()}")
        assert process.returncode == 0, f"{printed}\n{self.logs()}"
        return printed

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-2000:]}" for path in sorted(self.folder.glob("*.log")))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    somebody = Reader(tmp_path)
    try:
        yield somebody
    finally:
        with suppress(AssertionError):
            somebody.run(*warm_command(), "up", "--stop")


def test_tutorial__ends_with_a_paid_and_audited_job_of_ones_own(reader: Reader) -> None:
    printed = reader.follow("tutorial.md", until=STOP)
    assert "everything that was checked holds" in printed
    job = reader.ask("job", "show", "1")
    assert job["state"]["phase"] == "COMPLETED"
    assert (job["spec"]["task"], job["spec"]["title"]) == ("energy.py:Energy", "Houses")
    assert job["cycles"][-1]["metric"] > -0.2, "the validators' mean squared error, negated"
    assert [row for row in job["trainers"] if int(row["earned"])], "somebody was paid"


@pytest.mark.slow
def test_torch_loop__becomes_a_job_whose_model_plain_torch_reads(reader: Reader) -> None:
    printed = reader.follow("from-pytorch.md")
    alone, together = (float(re.findall(rf"{name}: (0\.\d+) right", printed)[-1]) for name in ("alone", "together"))
    best = reader.ask("model", "list", "1")["models"]
    assert max(row["metric"] for row in best[1:]) == pytest.approx(together, abs=0.03), "on a third of the rows each"
    assert together > 0.75 and alone > 0.5


@pytest.mark.slow
def test_sponsor__gets_the_rest_of_a_job_that_it_stopped(reader: Reader) -> None:
    reader.follow("sponsor.md", until=STOP)
    assert reader.ask("job", "show", "1")["state"]["phase"] == "COMPLETED"
    stopped = reader.ask("job", "show", "2")
    assert stopped["state"]["phase"] == "CANCELLED"
    assert stopped["books"]["refunded"] == stopped["books"]["escrowed"]


@pytest.mark.slow
def test_trainer__has_its_pay_and_its_bond(reader: Reader) -> None:
    reader.follow("trainer.md", until=STOP)
    wallet = reader.ask("wallet", "show", "trainer-1")
    why = reader.ask("wallet", "why", "trainer-1")
    assert int(wallet["balance"]) == GIVEN + int(why["pay"]) > GIVEN


def test_validator__has_its_fees(reader: Reader) -> None:
    reader.follow("validator.md", until=STOP)
    wallet = reader.ask("wallet", "show", "validator-1")
    mine = next(row for row in reader.ask("job", "show", "1")["validators"] if row["address"] == wallet["address"])
    assert mine["matched"] == 3
    assert int(wallet["balance"]) == GIVEN + 3 * 5 * 10**18


def test_identity__of_those_vouched_for_and_of_those_known_from_before(reader: Reader) -> None:
    printed = reader.follow("identity.md", until=STOP)
    assert printed.count("counts yes") >= 6 and "no: it is revoked" in printed
    for number in ("1", "2"):
        job = reader.ask("job", "show", number)
        assert (job["state"]["phase"], len(job["trainers"])) == ("COMPLETED", 4), number
    assert reader.ask("id", "show", "trainer-1")["keys_agree"]


@pytest.mark.slow
def test_reward__as_the_page_explains_it_is_what_the_vault_paid(reader: Reader) -> None:
    reader.environment["HANSA_DIR"] = DEMO
    printed = reader.follow("reward.md", until=STOP)
    assert "everything that was checked holds" in printed
    why = reader.ask("wallet", "why", "trainer-1")
    movements = reader.ask("wallet", "history", "trainer-1")["movements"]
    paid = [int(row["amount"]) for row in movements if row["what"].startswith("pay of round")]
    assert sum(paid) == int(why["pay"]) > 0


@pytest.mark.slow
def test_auditor__needs_neither_chain_nor_store_for_an_archive(reader: Reader) -> None:
    reader.environment["HANSA_DIR"] = DEMO
    printed = reader.follow("audit.md")
    assert printed.count("everything that was checked holds") == 5
    assert printed.count("who was paid for heart") == 5 and "report: job-1.html" in printed
    assert "Compare this first" in (reader.folder / "job-1.html").read_text()
    assert "models made again" in printed
    assert "does not answer" in reader.refused("audit", "1")


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_links__lead_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)", text):
        assert not target or (ROOT / "docs" / target).exists(), f"{page} links to {target}"
