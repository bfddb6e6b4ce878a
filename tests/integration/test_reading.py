"""Commands that read: each answers, in text and as JSON, and loads neither torch nor brownie."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from local_chain import furnished, started
from worlds import NAMES, World

from hansa.cli.command import Command
from hansa.cli.job.watch import Teller
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import JobId
from hansa.runtime.follower import JobFollower
from hansa.runtime.session import connect
from hansa.runtime.store import open_store
from hansa.runtime.store.local import LocalStore
from hansa.runtime.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "brownie")
SCRIPT = f"""
import json, sys
from typer.testing import CliRunner
from hansa.cli.main import app
answers = {{}}
for words in sys.argv[1:]:
    done = CliRunner().invoke(app, words.split())
    loaded = [name for name in {HEAVY} if name in sys.modules]
    answers[words] = {{"code": done.exit_code, "out": done.stdout, "err": done.stderr, "loaded": loaded}}
print(json.dumps(answers))
"""
SPEC = JobSpec(
    task="heart", steps=1, model_bytes=10_000, update_bytes=10_000, rule="mean", baselines=["majority=0.000000005"]
)
READING = [
    "job list",
    "job show 1",
    "job watch 2",
    "top 1",
    "trainer status --job 1 --account alice",
    "aggregator status --job 1 --account dave",
    "wallet list",
    "wallet show alice",
    "wallet why alice --job 1",
    "wallet history alice",
    "doctor",
]


@dataclass
class Place:
    """A directory whose chain holds job 1, two rounds in and in its third SUBMIT, and job 2, which has ended."""

    directory: Path
    world: World
    job: JobId

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("HANSA_", "COLUMNS", "LINES"))
        }
        return kept | {"HANSA_DIR": str(self.directory), "PYTHONPATH": str(ROOT), "TERM": "xterm"}

    def answers(self, *commands: str) -> dict[str, Any]:
        """Exit code, outputs and heavy modules after each command, all in one fresh process."""
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *commands],
            env=self.environment(),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    path = tmp_path_factory.mktemp("reading")
    with started(path) as running, furnished(running, path) as world:
        spec = open_store(world.deployment.store).put(SPEC.encode())
        job = world.post(spec=spec)
        ended = world.post(spec=spec)
        world.do("sponsor", world.federation.stop_call(ended))
        world.enrol(job)
        world.round(job)
        world.do("sponsor", world.federation.open_call(job))
        world.submit(job, "alice", "bob")
        world.pass_time(601)  # carol is due, and absent
        world.score(job)
        world.decide(job)
        world.do("sponsor", world.federation.open_call(job))
        world.submit(job, "alice")
        world.deployment.save(path / "deployment.json")
        make_keystores(path / "keys", NAMES)
        yield Place(path, world, job)


@pytest.fixture(scope="module")
def answers(place: Place) -> dict[str, Any]:
    return place.answers(*READING, *(f"{words} --json" for words in READING), "top 9")


@pytest.mark.parametrize("words", READING)
def test_reading__loads_neither_torch_nor_brownie(answers: dict[str, Any], words: str) -> None:
    for given in (words, f"{words} --json"):
        assert answers[given]["code"] == 0, answers[given]
        assert answers[given]["loaded"] == []
    assert answers[words]["out"].strip()
    assert json.loads(answers[f"{words} --json"]["out"])


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("job show 1", ("sponsor", "alice", "carol", "dave", "frank")),
        ("trainer status --job 1 --account alice", ("alice",)),
        ("aggregator status --job 1 --account dave", ("dave",)),
        ("wallet show alice", ("alice",)),
        ("wallet why alice --job 1", ("alice",)),
        ("wallet history alice", ("alice",)),
    ],
)
def test_accounts__have_the_names_that_the_directory_gives_them(
    answers: dict[str, Any], place: Place, words: str, who: tuple[str, ...]
) -> None:
    for name in who:
        assert f"{name} {place.world.address(name)}" in answers[words]["out"]


def test_refusal__names_the_account_too(place: Place) -> None:
    words = "trainer status --job 1 --account dave"
    assert f"dave {place.world.address('dave')} is not enrolled in job 1" in place.answers(words)[words]["err"]


def test_watch__at_the_end__says_what_to_do_next(answers: dict[str, Any]) -> None:
    out = answers["job watch 2"]["out"]
    privacy, line = out.splitlines()[:2]
    assert privacy.startswith("privacy: Each validator of an attempt can read every update")
    assert line.endswith("cancelled after 0 rounds")
    assert (
        "next:\n  claim what no daemon has  hansa wallet claim --job 2 --account sponsor" in out and "audit" not in out
    )
    assert list(json.loads(answers["job watch 2 --json"]["out"]))[0] == "phase", "one object, the job's state"


def test_watch__tells_each_round__once(place: Place) -> None:
    federation, store = place.world.federation, open_store(place.world.deployment.store)
    teller = Teller(Command(Workspace(place.directory)), JobFollower(federation, store, place.job))
    teller.look()
    rounds = list(teller.rounds())
    assert rounds == [
        "[bold]round 1 is final[/]: metric 0.0000, 3 updates",
        "[bold]round 2 is final[/]: metric 0.0000 (+0.0000), 2 updates",
    ]
    teller.look()
    assert list(teller.rounds()) == [] and teller.has_told_all
    steps = "\n".join(teller.what_next(connect(Workspace(place.directory))))
    for step in ("claim --job 1 --account alice", "why alice --job 1", "audit 1", "model.safetensors"):
        assert step in steps


def test_watch__without_the_jobs_spec__tells_the_metric_all_the_same(place: Place, tmp_path: Path) -> None:
    follower = JobFollower(place.world.federation, LocalStore(tmp_path), place.job)
    teller = Teller(Command(Workspace(place.directory)), follower)
    teller.look()
    assert [line.rpartition(": ")[2] for line in teller.rounds()] == [
        "metric 0.0000, 3 updates",
        "metric 0.0000 (+0.0000), 2 updates",
    ]


def test_top__says_who_is_due_and_what_the_last_round_said(answers: dict[str, Any]) -> None:
    data = json.loads(answers["top 1 --json"]["out"])
    assert (data["phase"], data["round"], data["rounds"]) == ("SUBMIT", 3, {"finalised": 2, "at_most": 3})
    assert [person["name"] for person in data["acted"]] == ["alice"]
    assert [person["name"] for person in data["awaited"]] == ["bob"], "carol was absent, so nobody waits for her"
    assert data["metrics"] == [1.1e-8, 1.1e-8]
    assert data["baselines"] == {"majority": 5e-9}
    assert {item["name"]: item["verdict"] for item in data["trainers"]} == {
        "alice": "ok",
        "bob": "ok",
        "carol": "absent",
    }
    assert data["misvoted"] == [1, 2], "these rounds were finalised with a root of nothing"
    assert {item["matched"] for item in data["validators"]} == {2}
    assert 0 < data["seconds_left"] <= data["phase_seconds"] == 600


def test_top__of_no_such_job__is_one_sentence(answers: dict[str, Any]) -> None:
    assert answers["top 9"]["code"] == 1
    assert "there is no job 9" in answers["top 9"]["err"]


def test_aggregator_run__of_a_job_that_is_over__by_an_outsider__sends_nothing(place: Place) -> None:
    alice = place.world.address("alice")
    before = place.world.rpc("eth_getTransactionCount", alice, "latest")
    words = "aggregator run --job 2 --account alice"
    done = place.answers(words)[words]
    assert done["code"] == 0
    assert done["err"] == f"hansa: job 2 is over (CANCELLED) and owes alice {alice} no fees: there is nothing to do\n"
    assert place.world.rpc("eth_getTransactionCount", alice, "latest") == before


@pytest.mark.parametrize(("columns", "rows", "key"), [(80, 24, b"q"), (44, 16, b"\x03")])
def test_top__in_a_terminal__stays_until_q_or_ctrl_c(place: Place, columns: int, rows: int, key: bytes) -> None:
    own, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (rows, columns))
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [sys.executable, "-m", "hansa.cli.main", "top", "1", "--interval", "0.2"],
        env=place.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: _control(theirs),
    )
    try:
        shown = _read_until(own, b"q ends")
        assert "waiting for: " in shown
        assert "bob" in shown
        os.write(own, key)
        _read_until(own, b"\x1b[?1049l")
        assert process.wait(20) == 0
        assert termios.tcgetattr(theirs) == before, "the terminal is as it was"
    finally:
        process.kill()
        process.wait()
        os.close(own)
        os.close(theirs)


def test_watch__in_a_terminal__shows_a_bar(place: Place) -> None:
    own, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen(
        [sys.executable, "-m", "hansa.cli.main", "job", "watch", "1"],
        env=place.environment(),
        stdout=theirs,
        stderr=theirs,
    )
    try:
        shown = _read_until(own, b"left")
        shown += _read_until(own, b"2/3")
        assert "1 update in, 1 awaited" in shown
    finally:
        process.kill()
        process.wait()
        os.close(own)
        os.close(theirs)


def _control(terminal: int) -> None:
    """Makes it the terminal whose Ctrl-C the process gets."""
    import fcntl

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def _read_until(terminal: int, wanted: bytes, seconds: float = 60.0) -> str:
    """What comes until `wanted` has."""
    data, end = b"", time.monotonic() + seconds
    while wanted not in data:
        assert select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0], f"no {wanted!r} in {data!r}"
        data += os.read(terminal, 65536)
    return data.decode(errors="replace")
