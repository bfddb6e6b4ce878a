"""The daemon's loop: what is due, what goes wrong, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account
from worlds import NAMES, World

from hansa.devnet.anvil import published_key
from hansa.protocol.errors import FatalError, Locked, StoreUnavailable, WrongChain
from hansa.protocol.types import JobId, Phase
from hansa.runtime import daemon as module
from hansa.runtime import pace
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.desk import DaemonConfig

ROOT = Path(__file__).resolve().parents[2]


class Opener(Daemon):
    """Opens the first cycle, and has done its part once it is open."""

    acts = 0

    def act(self, state: JobState) -> bool:
        self.acts += 1
        if state.phase == Phase.OPEN:
            federation, job = self.desk.follower.federation, self.desk.follower.job
            self.desk.send(federation.open_call(job), "open", state.cycle)
        return state.phase == Phase.SUBMIT


def config_of(world: World, job: JobId, name: str = "alice", **changes: object) -> DaemonConfig:
    account = Account.from_key(published_key(NAMES.index(name)))
    deployment = world.deployment.updated(**changes)
    journal, log_file = world.directory / "daemon.sqlite", world.directory / "log"
    return DaemonConfig(deployment, account, journal, job, log_file=log_file)


def logged(world: World) -> list[str]:
    return [json.loads(line)["event"] for line in (world.directory / "log").read_text().splitlines()]


@pytest.fixture
def ready(world: World) -> Iterator[tuple[World, JobId]]:
    job = world.post()
    world.enrol(job)
    yield world, job


def test_run__does_what_is_due_and_ends(ready: tuple[World, JobId]) -> None:
    world, job = ready
    world.pass_time(2)  # a cycle does not open in the second in which ENROL ended
    world.rpc("evm_setAutomine", True)  # from here on only transactions make blocks
    daemon = Opener(config_of(world, job))
    daemon.run()
    assert world.federation.state(job).phase == Phase.SUBMIT
    assert daemon.acts == 2, "after its own transaction it looks again, though no other block comes"
    assert logged(world) == ["one endpoint is trusted", "signed", "sent"]


def test_once__all_is_done__is_so_only_when_it_is_deep(ready: tuple[World, JobId]) -> None:
    world, job = ready
    world.pass_time(2)
    daemon = Opener(config_of(world, job, confirmations=2))
    try:
        assert not daemon.once(), "it opens the cycle"
        before = world.chain.head().number
        assert not daemon.once(), "open, but a reorganisation may take that back"
        world.rpc("anvil_reorg", world.chain.head().number - before + 1, [])
        assert not daemon.once(), "as it did: it opens the cycle again"
        while not daemon.once():
            assert world.chain.head().number <= before + 20
            world.rpc("evm_mine")
        assert world.federation.state(job).phase == Phase.SUBMIT
        assert world.federation.state(job, world.chain.block(world.chain.head().number - 2)).phase == Phase.SUBMIT
    finally:
        daemon.close()


def test_run__transient_errors__are_one_line_each(ready: tuple[World, JobId], monkeypatch: pytest.MonkeyPatch) -> None:
    world, job = ready
    monkeypatch.setattr(module, "FIRST_BACKOFF", 0.01)

    class Unlucky(Opener):
        def act(self, state: JobState) -> bool:
            if self.acts < 3:
                self.acts += 1
                raise StoreUnavailable("the store sleeps")
            return super().act(state)

    Unlucky(config_of(world, job)).run()
    assert logged(world)[1:4] == ["will try again"] * 3


def test_run__fatal_error__ends_it_and_frees_the_journal(ready: tuple[World, JobId]) -> None:
    world, job = ready

    class Doomed(Opener):
        def act(self, state: JobState) -> bool:
            raise FatalError("no way")

    with pytest.raises(FatalError, match="no way"):
        Doomed(config_of(world, job)).run()
    Opener(config_of(world, job)).close()


def test_two_daemons__one_key__is_refused(ready: tuple[World, JobId]) -> None:
    world, job = ready
    first = Opener(config_of(world, job))
    with pytest.raises(Locked):
        Opener(config_of(world, job))
    first.close()


def test_wrong_chain_under_a_known_address(ready: tuple[World, JobId]) -> None:
    world, job = ready
    with pytest.raises(WrongChain, match="is chain 31337, not 5"):
        Opener(config_of(world, job, chain_id=5))
    with pytest.raises(WrongChain, match="there is no federation at 0x1111"):
        Opener(config_of(world, job, federation="0x" + "11" * 20))
    with pytest.raises(FatalError, match="has another vault"):
        Opener(config_of(world, job, vault=world.deployment.token))


def test_idle_chain__past_a_deadline__gets_a_block(ready: tuple[World, JobId], monkeypatch: pytest.MonkeyPatch) -> None:
    world, job = ready
    monkeypatch.setattr(pace, "IDLE_SECONDS", 0.5)
    world.do("sponsor", world.federation.open_call(job))
    world.rpc("evm_setAutomine", True)  # from here on only transactions make blocks

    class Waiter(Opener):
        def act(self, state: JobState) -> bool:
            self.acts += 1
            assert self.acts < 30, "nobody makes a block"
            self.desk.alarm.awaited = state.opened_at
            return state.phase == Phase.LAPSED

    short = world.post(enrol_time=2)
    head = world.chain.head().number
    Waiter(config_of(world, short)).run()
    assert world.chain.head().number > head
    assert "no block came: making one" in logged(world)


def test_node_is_paused__the_daemon_waits_and_goes_on(
    ready: tuple[World, JobId], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, job = ready
    monkeypatch.setattr(module, "FIRST_BACKOFF", 0.05)
    monkeypatch.setattr("hansa.runtime.chain.endpoint.ANSWER_SECONDS", 0.3)
    daemon = Opener(config_of(world, job))
    os.kill(world.anvil.process.pid, signal.SIGSTOP)
    threading.Timer(1.0, os.kill, (world.anvil.process.pid, signal.SIGCONT)).start()
    daemon.run()
    assert world.federation.state(job).phase == Phase.SUBMIT
    assert "will try again" in logged(world)


def test_settled__as_deep_as_the_deployment_says(ready: tuple[World, JobId]) -> None:
    world, job = ready
    world.rpc("evm_setAutomine", True)
    daemon = Opener(config_of(world, job, confirmations=3))
    try:
        world.do("sponsor", world.federation.open_call(job))
        seen = []
        for _ in range(5):
            daemon.desk.follower.look()
            seen.append(daemon.desk.follower.is_settled())
            world.rpc("evm_mine")
        assert seen == [False, False, False, True, True]
    finally:
        daemon.close()


def test_settled__by_a_tag_of_the_chain__that_is_older_than_the_contract(ready: tuple[World, JobId]) -> None:
    world, job = ready
    daemon = Opener(config_of(world, job, confirmations="finalized"))
    try:
        daemon.desk.follower.look()
        assert daemon.desk.follower.deep().phase == Phase.NONE and not daemon.desk.follower.is_settled()
        world.rpc("anvil_mine", hex(100))
        daemon.desk.follower.look()
        assert daemon.desk.follower.is_settled(), "64 blocks of anvil"
    finally:
        daemon.close()


CHILD = """
import sys
sys.path.insert(0, "tests/integration")
from pathlib import Path
from eth_account import Account
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime import pace
from hansa.runtime.daemon import Daemon
from hansa.runtime.desk import DaemonConfig
pace.LONGEST_WAIT = 3600.0
class Forever(Daemon):
    def act(self, state):
        print("acting", flush=True)
        return False
file, key, journal = sys.argv[1:]
Forever(DaemonConfig(Deployment.load(file), Account.from_key(key), Path(journal), 1)).run()
print("clean", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal__ends_its_wait_for_a_block(ready: tuple[World, JobId], number: signal.Signals) -> None:
    world, _ = ready
    world.rpc("evm_setIntervalMining", 0)
    file = world.directory / "deployment.json"
    world.deployment.save(file)
    key = published_key(1).hex()
    command = [sys.executable, "-c", CHILD, str(file), key, str(world.directory / "child.sqlite")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "acting\n"
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)  # of an hour that it would wait
    assert (process.returncode, output) == (0, "clean\n")


def test_metrics__of_a_running_daemon__say_what_it_saw_and_sent(ready: tuple[World, JobId]) -> None:
    world, job = ready
    daemon = Opener(config_of(world, job))
    daemon.serve_metrics("127.0.0.1:0")
    address = json.loads((world.directory / "log").read_text().splitlines()[-1])["url"]
    seen: list[str] = []
    act = daemon.act

    def watched(state: JobState) -> bool:
        done = act(state)
        with urllib.request.urlopen(address, timeout=5) as answer:
            seen.extend(answer.read().decode().splitlines())
        return done

    daemon.act = watched  # type: ignore[method-assign]
    daemon.run()
    assert {f"hansa_job {float(job)}", f"hansa_phase {float(Phase.SUBMIT)}"} <= set(seen)
    assert "hansa_transactions_mined_total 1.0" in seen
    with pytest.raises(OSError):
        urllib.request.urlopen(address, timeout=5)
