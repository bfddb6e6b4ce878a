"""`python -m benchmarks chaos`, small: a job of which daemons, nodes, store and chain fail comes to what it should."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos import daemon
from benchmarks.chaos.daemon import Reaper, follow_clock, set_clock
from benchmarks.chaos.plan import DAEMON_KILLED, REORGANISATION, Fault, Plan, load, save
from benchmarks.chaos.store import StoreNode, Stores, serve_store, stores_before
from hansa.devnet.anvil import free_port
from hansa.protocol.errors import NotFound, StoreUnavailable, WrongBytes
from hansa.runtime.store.kubo import KuboStore

ROOT = Path(__file__).resolve().parents[2]


def chaos(file: Path, *options: str) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "benchmarks", "chaos", "--no-plot", "--json", str(file), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert file.is_file(), done.stdout + done.stderr
    return done.returncode, json.loads(file.read_text())


def test_chaos__one_seed__nothing_is_lost_doubled_or_stuck(tmp_path: Path) -> None:
    code, found = chaos(tmp_path / "report.json", "--quick", "--minutes", "0", "--seed", "1")
    assert (code, found["jobs"], found["lost"], found["doubled"], found["stuck"]) == (0, 1, 0, 0, 0), found["failures"]
    injected = found["injected"]
    assert isinstance(injected, dict) and injected[DAEMON_KILLED] > 0 and injected[REORGANISATION] > 0


@pytest.mark.slow
def test_chaos__minutes_of_it__nothing_is_lost_doubled_or_stuck(tmp_path: Path) -> None:
    code, found = chaos(tmp_path / "report.json", "--minutes", "10", "--seed", "2")
    assert (code, found["lost"], found["doubled"], found["stuck"]) == (0, 0, 0, 0), found["failures"]


@pytest.mark.slow
def test_chaos__everybody_but_two_members_dead__is_stuck__and_its_schedule_is_shrunk_and_replayed(
    tmp_path: Path,
) -> None:
    dead = [Fault("dead", 5, target=f"validator-{number}") for number in (1, 2, 3)]
    plan = Plan("committee", "appointed", 1, faults=(Fault("kill", 1, target="trainer-1"), *dead))
    save(plan, tmp_path / "schedule.json")
    code, found = chaos(tmp_path / "report.json", "--replay", str(tmp_path / "schedule.json"))
    assert code == 1 and found["stuck"]
    assert load(tmp_path / "schedule.json") == plan


# --- the store that fails


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    node = StoreNode(tmp_path, free_port())
    threading.Thread(target=serve_store, args=(tmp_path, node.port), daemon=True).start()
    with stores_before(node) as running:
        yield running


def test_store__of_our_own__answers_as_kubo_does__and_fails_as_it_is_told(stores: Stores) -> None:
    store = KuboStore(stores.api)
    end = time.monotonic() + 30
    while True:
        try:
            digest = store.put(b"a model")
            break
        except StoreUnavailable:  # it is not up yet
            assert time.monotonic() < end
    assert store.get(digest, limit=100, timeout=5) == b"a model" and store.has(digest)
    store.pin(digest)
    store.unpin(digest)
    absent = type(digest)(bytes(32))
    assert not store.has(absent)
    with pytest.raises(NotFound):
        store.get(absent, limit=100, timeout=5)
    for fault, error in {"loses": NotFound, "corrupts": WrongBytes}.items():
        stores.fault = fault
        with pytest.raises(error):
            store.get(digest, limit=100, timeout=5)
    stores.fault = ""
    assert store.get(digest, limit=100, timeout=5) == b"a model"
    stores.node.port = free_port()
    with pytest.raises(StoreUnavailable):
        store.get(digest, limit=100, timeout=5)


# --- a daemon that dies where it is told to, with a clock that is wrong


def test_reaper__kills_at_the_place_that_is_named__once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths: list[int] = []
    monkeypatch.setattr(daemon.os, "kill", lambda pid, number: deaths.append(number))
    reaper = Reaper(tmp_path / "name.die")

    class Owner:
        def work(self) -> int:
            return 5

    reaper.watch(Owner, "work", "work")
    assert Owner().work() == 5 and not deaths
    (tmp_path / "name.die").write_text("work after")
    assert Owner().work() == 5 and deaths == [9]
    assert Owner().work() == 5 and deaths == [9]


def test_clock__is_wrong_as_long_as_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    follow_clock(tmp_path / "name.clock")
    assert time.time() == 1000.0
    set_clock(tmp_path / "name.clock", -3600)
    assert time.time() == -2600.0
    set_clock(tmp_path / "name.clock", 0)
    assert time.time() == 1000.0
