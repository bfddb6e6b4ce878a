"""The last vote and `finalize` in one transaction: mined whole, or replaced by the vote alone, whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_audit_chain import OK
from test_audit_chain import Job as AuditedJob
from worlds import NAMES, World

from hansa.devnet.anvil import published_key
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.types import JobId, Phase, Seat
from hansa.runtime.chain.calls import Call
from hansa.runtime.transactions.outcome import Sent
from hansa.runtime.transactions.sender import Mined, Pending, Sender

ROOT = Path(__file__).resolve().parents[2]
MODEL, REWARDS = b"\x07" * 32, bytes(32)
KEY = ("vote",)
CHILD = """
import os, signal, sys
from eth_account import Account
from hansa.protocol.types import Address
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.journal import Journal
from hansa.runtime.transactions.sender import Sender
url, path, key, to, data, first, moment = sys.argv[1:]
call = Call(Address(to), bytes.fromhex(data), "both", Call(Address(to), bytes.fromhex(first), "first"))
with Journal(path) as journal:
    sender = Sender(Chain([url]), Account.from_key(key), journal)
    def die(*told):
        os.kill(os.getpid(), signal.SIGKILL)
    if moment == "signed":
        sender.on_sign = die
    else:
        sender._await = die
    sender.send(call, key=("vote",))
"""


@dataclass
class Last:
    """All have revealed, and all but one have voted the same: its bundle, and who sends it. voted: the others' votes,
    by name, sent or yet to be sent."""

    world: World
    job: JobId
    name: str
    bundle: Call
    voted: dict[str, Call]

    @property
    def sender(self) -> Sender:
        return self.world.senders[self.name]

    def sent(self) -> list[Sent]:
        return [Sent.of(*row) for row in self.world.journals[NAMES.index(self.name)].sent(key=KEY)]

    def phase(self) -> tuple[int, Phase]:
        state = self.world.federation.state(self.job)
        return state.round, state.phase

    def has_voted(self) -> bool:
        state = self.world.federation.state(self.job)
        seat = state.seat_of(self.world.address(self.name))
        return seat is not None and bool(state.voted >> seat & 1)


@pytest.fixture
def last(world: World) -> Iterator[Last]:
    """The others' votes are not sent yet."""
    job, federation = world.post(), world.federation
    world.enrol(job)
    world.do("sponsor", federation.open_call(job))
    world.submit(job)
    world.score(job)
    state = federation.state(job)
    hashed = result_hash(federation.place(job, state.cycle), state.updates, state.sheets, MODEL, REWARDS)

    def vote(seat: Seat) -> Call:
        return federation.vote_call(job, state.cycle, seat, state.sheets, sealed_vote(hashed, seat), 10)

    *others, (seat, name) = world.seats(job)
    opens = federation.finalize_call(job, state.cycle, MODEL, REWARDS)
    bundle = federation.vote_and_finalize_call(vote(seat), opens, job)
    yield Last(world, job, name, bundle, {other: vote(its) for its, other in others})


def others_vote(last: Last) -> None:
    for name, call in last.voted.items():
        last.world.do(name, call)


def stop_mining(world: World) -> None:
    world.rpc("evm_setIntervalMining", 0)
    world.rpc("evm_setAutomine", False)


def alone(last: Last) -> bytes:
    assert last.bundle.alone is not None
    return last.bundle.alone.data


def test_bundle__of_the_last_vote__ends_the_round_in_one_transaction(last: Last) -> None:
    others_vote(last)
    outcome = last.sender.send(last.bundle, key=KEY)
    assert isinstance(outcome, Mined) and len(outcome.receipt["logs"]) >= 2
    assert last.phase() == (2, Phase.OPEN)
    assert [sent.call.data for sent in last.sent()] == [last.bundle.data]
    assert last.world.history(last.job).finalised[0][1].model == MODEL


def test_audit__reads_the_vote_out_of_the_bundle(world: World) -> None:
    job, federation = AuditedJob(world), world.federation
    world.enrol(job.id)
    job.open()
    job.score(OK)
    replay, history, state = job.replay(), world.history(job.id), federation.state(job.id)
    replay.follow(history)
    root = RewardsTree(replay.attempt(history.cycles[-1]).leaves).root
    hashed = result_hash(federation.place(job.id, state.cycle), state.updates, state.sheets, MODEL, root)
    votes = [
        (name, federation.vote_call(job.id, state.cycle, seat, state.sheets, sealed_vote(hashed, seat), 10))
        for seat, name in world.seats(job.id)
    ]
    for name, vote in votes[:-1]:
        world.do(name, vote)
    (name, vote), opens = votes[-1], federation.finalize_call(job.id, state.cycle, MODEL, root)
    world.do(name, federation.vote_and_finalize_call(vote, opens, job.id))
    report = job.audit()
    assert not report.wrong and len(world.history(job.id).finalised) == 1
    assert report.checked["signed acts"] == 1 + 3 + 3 + 3 * 3, (
        "posting, enrolments, updates, and three steps of each member"
    )
    assert report.checked["votes"] == 3


def test_bundle__that_would_be_refused__is_not_sent__its_vote_is(last: Last) -> None:
    outcome = last.sender.send(last.bundle, key=KEY)  # nobody else has voted
    assert isinstance(outcome, Mined) and last.has_voted()
    assert [sent.call.data for sent in last.sent()] == [alone(last)]


def test_bundle__that_is_refused_on_chain__is_followed_by_its_vote(last: Last) -> None:
    """The others' votes are in the pool when it is simulated, and leave it again."""
    world = last.world
    stop_mining(world)
    pending = [world.senders[name].send(call, key=KEY, wait=0) for name, call in last.voted.items()]
    assert isinstance(last.sender.send(last.bundle, key=KEY, wait=0), Pending)
    for outcome in pending:
        assert isinstance(outcome, Pending)
        world.rpc("anvil_dropTransaction", "0x" + outcome.hash.hex())
    world.rpc("evm_mine")
    world.rpc("evm_setAutomine", True)
    assert isinstance(last.sender.send(last.bundle, key=KEY), Mined)
    first, second = last.sent()
    assert (first.call.data, second.call.data) == (last.bundle.data, alone(last))
    assert second.nonce == first.nonce + 1, "a transaction that failed has used its nonce"
    assert last.has_voted() and last.phase() == (1, Phase.VOTE)


def lose_bundle(last: Last) -> Sent:
    """It leaves the pool, and blocks come without it."""
    stop_mining(last.world)
    outcome = last.sender.send(last.bundle, key=KEY, wait=0)
    assert isinstance(outcome, Pending)
    last.world.rpc("anvil_dropTransaction", "0x" + outcome.hash.hex())
    return last.sent()[0]


@pytest.mark.parametrize("by", ["send", "tend"])
def test_bundle__that_is_not_mined_in_two_blocks__is_replaced_at_its_nonce_by_its_vote(last: Last, by: str) -> None:
    others_vote(last)
    bundle = lose_bundle(last)
    last.world.rpc("evm_mine")
    assert isinstance(last.sender.send(last.bundle, key=KEY, wait=0), Pending)
    assert [sent.call.data for sent in last.sent()] == [last.bundle.data], "one block is not two"
    last.world.rpc("evm_mine")
    last.sender.tend() if by == "tend" else last.sender.send(last.bundle, key=KEY, wait=0)
    replaced = {sent.hash: sent for sent in last.sent()}
    del replaced[bundle.hash]
    (vote,) = replaced.values()
    assert (vote.nonce, vote.call.data) == (bundle.nonce, alone(last))
    assert vote.offer.fee * 8 >= bundle.offer.fee * 9
    last.world.rpc("evm_mine")
    outcome = last.sender.send(last.bundle, key=KEY)
    assert isinstance(outcome, Mined) and outcome.hash == "0x" + vote.hash.hex()
    assert last.phase() == (1, Phase.FINALIZE)


def test_bundle__that_a_reorganisation_makes_impossible__is_replaced_by_its_vote(last: Last) -> None:
    """A vote that it counts on is gone: alone it would be refused, and its vote would not."""
    world = last.world
    stop_mining(world)
    pending = [world.senders[name].send(call, key=KEY, wait=0) for name, call in last.voted.items()]
    bundle = lose_bundle(last)
    for outcome in pending:
        assert isinstance(outcome, Pending)
        world.rpc("anvil_dropTransaction", "0x" + outcome.hash.hex())
    world.rpc("evm_mine")
    last.sender.tend()
    world.rpc("evm_mine")
    assert isinstance(last.sender.send(last.bundle, key=KEY), Mined) and last.has_voted()
    assert {sent.nonce for sent in last.sent()} == {bundle.nonce}


@pytest.mark.parametrize("moment", ["signed", "told"])
def test_sigkill__then_the_same_bytes__end_the_round(last: Last, moment: str) -> None:
    """Killed once the journal has it: before anybody heard of it, and before its receipt."""
    others_vote(last)
    world = last.world
    path, key = world.directory / f"{last.name}-killed.sqlite", published_key(NAMES.index(last.name)).hex()
    words: list[Any] = [world.anvil.url, path, key, last.bundle.to, last.bundle.data.hex(), alone(last).hex(), moment]
    died = subprocess.run([sys.executable, "-c", CHILD, *map(str, words)], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    sender = world.another(last.name, suffix="killed")
    (row,) = world.journals[-1].sent(key=KEY)
    outcome = sender.send(last.bundle, key=KEY)
    assert isinstance(outcome, Mined) and outcome.hash == "0x" + row[0].hex()
    assert last.phase() == (2, Phase.OPEN)
