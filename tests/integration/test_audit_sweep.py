"""A job with everything that can go wrong in it, and whatever a forger can do to its archive: each event left out,
told twice, swapped with the next or moved, each of its words changed, bits of the file flipped. What nobody can tell
from the job as it was is a list: the one that docs/audit.md says can't be proven."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from liars import Liar
from local_chain import furnished, started
from memoised import remember
from test_audit_chain import OK, Job, sheet
from worlds import World

from hansa.audit.archive import FOOTER, _seal, write_archive
from hansa.audit.collect import collect
from hansa.audit.facts import Facts
from hansa.audit.report import Report
from hansa.audit.run import audit, audit_archive
from hansa.audit.signatures import SIGNED
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.sheet import commitment, encode_sheet
from hansa.protocol.types import Address, BlockNumber, Code
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Log
from hansa.runtime.transactions.signed import read_transaction

FLIPS = 600


@dataclass
class Played:
    job: Job
    facts: Facts

    def passes(self, facts: Facts) -> bool:
        """Whether nothing is wrong with these facts, and nothing is missing that is not as it is."""
        found = audit(facts, self.job.store)
        return not found.wrong and unexpected(found) <= self._known

    @functools.cached_property
    def _known(self) -> set[str]:
        return unexpected(audit(self.facts, self.job.store))


def unexpected(report: Report) -> set[str]:
    return {gap.what for gap in report.gaps if not gap.expected}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    path = tmp_path_factory.mktemp("sweep")
    with started(path) as running, furnished(running, path) as world:
        job = play(world)
        with pytest.MonkeyPatch.context() as patch:
            remember(patch)
            yield Played(job, collect(world.federation, job.id))


def play(world: World) -> Job:
    """OPEN lapses; a cycle in which frank does not show what it committed to, and one in which it votes alone; a
    strike; a trainer that rejoins; a stop that is asked for twice; files of keys; every kind of claim."""
    federation, job = world.federation, Job(world, max_rounds=9, max_failures=5)
    world.enrol(job.id)
    job.fail()
    job.open()
    score(job, "dave", "erin")
    world.pass_time(601)
    job.fail()
    job.open()
    job.score(OK)
    vote_alone(job, "frank")
    job.fail()
    job.open("alice", "bob")
    world.pass_time(601)
    job.score(sheet(Code.OK, Code.MALFORMED))
    job.decide(without="frank")
    job.claim("bob", 1)
    job.open("alice", "bob")
    for absent in ("carol", "frank"):
        world.do(absent, federation.rejoin_call(job.id, federation.state(job.id).cycle))
    for _ in range(2):
        world.do("sponsor", federation.stop_call(job.id))
    job.score(sheet(Code.OK, Code.OK))
    job.decide(b"\x08" * 32)
    for digest in (b"\x0a" * 32, b"\x0b" * 32):
        world.do("alice", call(world, "Federation", "publishKeys", job.id, digest))
    job.claim("alice", 1, 2)
    for seat, name in world.seats(job.id):
        world.do(name, federation.claim_seat_fees_call(job.id, seat))
    world.pass_time(61)
    for name in ("alice", "bob"):
        world.do(name, federation.claim_bond_call(job.id, world.address(name)))
    world.do("sponsor", federation.claim_rest_call(job.id))
    world.do("alice", federation.send_burnt_call(job.id))
    return job


def call(world: World, contract: str, name: str, *arguments: Any) -> Call:
    to = world.federation.address if contract == "Federation" else world.federation.vault
    return Call(to, artifact(contract).functions[name].encode(*arguments), name)


def score(job: Job, *reveal: str) -> None:
    """All commit, these reveal."""
    world, state = job.world, job.world.federation.state(job.id)
    place, data = world.federation.place(job.id, state.cycle), encode_sheet(OK)
    for seat, name in world.seats(job.id):
        sealed = commitment(place, world.address(name), data, bytes([seat]) * 32)
        world.do(name, world.federation.commit_call(job.id, state.cycle, seat, sealed))
    for seat, name in world.seats(job.id):
        if name in reveal:
            world.do(name, world.federation.reveal_call(job.id, state.cycle, seat, data, bytes([seat]) * 32))


def vote_alone(job: Job, voter: str) -> None:
    world, state = job.world, job.world.federation.state(job.id)
    result = result_hash(
        world.federation.place(job.id, state.cycle), state.updates, state.sheets, b"\7" * 32, b"\5" * 32
    )
    for seat, name in world.seats(job.id):
        if name == voter:
            vote = sealed_vote(result, seat)
            world.do(name, world.federation.vote_call(job.id, state.cycle, seat, state.sheets, vote, 3))


# --- what a forger does


def name_of(log: Log) -> str:
    return {**artifact("Federation").events, **artifact("Vault").events}[log.topics[0]].name


def told(facts: Facts, logs: list[Log]) -> Facts:
    """With these events, and of the transactions those that they are of, in their order."""
    signed = {keccak(raw): raw for raw in facts.transactions}
    found = [signed[log.transaction] for log in logs if log.transaction in signed and name_of(log) in SIGNED]
    return replace(facts, events=renumbered(logs), transactions=found)


def renumbered(logs: list[Log]) -> list[Log]:
    """As an archive numbers them."""
    return [replace(log, index=index) for index, log in enumerate(logs)]


def words_of(log: Log) -> Iterator[tuple[str, Log]]:
    """The event with each of its words changed, and what the word is: its name, where it stands in no list."""
    event = {**artifact("Federation").events, **artifact("Vault").events}[log.topics[0]]
    indexed = [field.name for field in event.fields if field.indexed]
    for place, name in enumerate(indexed, 1):
        changed = bytes([*log.topics[place][:-1], log.topics[place][-1] ^ 1])
        yield name, replace(log, topics=(*log.topics[:place], changed, *log.topics[place + 1 :]))
    plain = [field.name for field in event.fields if not field.indexed]
    for place in range(len(log.data) // 32):
        at = 32 * place + 31
        name = plain[place] if place < len(plain) else "…"
        yield name, replace(log, data=log.data[:at] + bytes([log.data[at] ^ 1]) + log.data[at + 1 :])


CLAIMS = {"RewardClaimed", "FeesBooked", "FeesClaimed", "BondReturned", "RestReturned", "BurnSent"}
ALONE = {"Rejoined", "StopRequested", "KeysPublished"}  # what little or nothing follows from


def test_sweep__each_event_left_out(played: Played) -> None:
    """One of two that ask for the same may be missing, and any file of keys."""
    logs = list(played.facts.events)
    found = {
        name_of(logs[place])
        for place in range(len(logs))
        if played.passes(told(played.facts, logs[:place] + logs[place + 1 :]))
    }
    assert found == ALONE


def test_sweep__each_event_told_twice(played: Played) -> None:
    logs = list(played.facts.events)
    found = {
        name_of(logs[place])
        for place in range(len(logs))
        if played.passes(told(played.facts, [*logs[: place + 1], *logs[place:]]))
    }
    assert found == set()


def test_sweep__each_event_swapped_with_the_next(played: Played) -> None:
    """Who commits or votes first, who claims first, and when one rejoins, stops or publishes is in no storage."""
    logs = list(played.facts.events)
    found = set()
    for place in range(len(logs) - 1):
        one, other = logs[place], logs[place + 1]
        swapped = [*logs[:place], replace(other, block=one.block), replace(one, block=other.block), *logs[place + 2 :]]
        if played.passes(told(played.facts, swapped)):
            names = {name_of(one), name_of(other)}
            found.add("alone" if names & ALONE else "claims" if names <= CLAIMS else " and ".join(sorted(names)))
    assert found == {"alone", "claims", "ScoresCommitted", "ResultVoted"}


def test_sweep__each_word_of_each_event_changed(played: Played) -> None:
    logs = list(played.facts.events)
    found = set()
    for place, log in enumerate(logs):
        for word, changed in words_of(log):
            facts = replace(played.facts, events=renumbered([*logs[:place], changed, *logs[place + 1 :]]))
            if played.passes(facts):
                found.add((name_of(log), word))
    assert found == set()


def test_sweep__each_events_block_changed(played: Played) -> None:
    logs = list(played.facts.events)
    assert played.passes(told(played.facts, [replace(log, block=logs[0].block) for log in logs])), "no block binds one"
    after = replace(logs[-1], block=played.facts.at.number + 1)
    assert not played.passes(told(played.facts, [*logs[:-1], after]))


def test_sweep__bits_of_the_file_flipped(played: Played, tmp_path: Path) -> None:
    """Sealed again where the digest tells it: of each kind of byte."""
    path, at = tmp_path / "job.hansa", random.Random(7)
    write_archive(path, played.facts, [], played.job.store)
    whole = path.read_bytes()
    size = int.from_bytes(whole[-FOOTER + 8 : -FOOTER + 16], "big")
    start = len(whole) - FOOTER - size
    genuine, passed = played.facts.at.hash, []
    for _ in range(FLIPS):
        place = at.randrange(start, start + size)
        facts = bytearray(whole[start : start + size])
        facts[place - start] ^= 1 << at.randrange(8)
        lengths = whole[-FOOTER : -FOOTER + 16]
        path.write_bytes(whole[:start] + facts + lengths + _seal(b"", bytes(facts), lengths))
        report, read = audit_archive(path)
        if read is not None and read.at.hash == genuine and not report.wrong:
            assert without_blocks(read) == without_blocks(played.facts), f"byte {place - start}"
            passed.append(place)
    assert len(passed) < FLIPS / 50, "numbers of blocks alone: a few of these bytes"


def without_blocks(facts: Facts) -> bytes:
    """All that these facts say but for the numbers of blocks that events are in."""
    events = [replace(log, block=BlockNumber(0)) for log in facts.events]
    return replace(facts, events=events, transactions=list(facts.transactions)).encode()


# --- members that are contracts


def test_sweep__a_member_that_signs_nothing__binds_only_what_storage_binds(played: Played) -> None:
    """Frank is a contract. What it has committed to and never shown, and a vote that failRound passed over, is in no
    storage any more; that it did either is."""
    world, job = played.job.world, played.job
    frank = world.address("frank")
    set_code(world, frank, b"\0")
    honest = world.chain.rpc.endpoints
    world.chain.rpc.endpoints = [Liar(world.anvil.url, hiding(frank))]
    try:
        facts = collect(world.federation, job.id)
    finally:
        world.chain.rpc.endpoints = honest
        set_code(world, frank, b"")
    report = audit(facts, job.store)
    assert not report.wrong
    [gap] = [gap for gap in report.gaps if frank in gap.what]
    assert gap.expected and "a contract, and signs nothing" in gap.why
    contract, logs, found = Played(job, facts), list(facts.events), set()
    for place, log in enumerate(logs):
        if name_of(log) not in ("ScoresCommitted", "ScoresRevealed", "ResultVoted"):
            continue
        for word, changed in words_of(log):
            if contract.passes(replace(facts, events=renumbered([*logs[:place], changed, *logs[place + 1 :]]))):
                found.add((name_of(log), word))
        assert not contract.passes(told(facts, logs[:place] + logs[place + 1 :]))
    assert found == {("ScoresCommitted", "commitment"), ("ResultVoted", "sealedVote"), ("ResultVoted", "metric")}


def set_code(world: World, at: Address, code: bytes) -> None:
    """From the next block on, which is mined."""
    world.rpc("anvil_setCode", at, "0x" + code.hex())
    world.rpc("evm_mine")


def hiding(account: Address) -> Callable[[str, Any, Any], Any]:
    """A node that has no transaction of this account."""

    def edit(method: str, params: Any, answer: Any) -> Any:
        if method == "eth_getRawTransactionByHash" and answer is not None:
            return None if read_transaction(bytes.fromhex(answer[2:])).signer == account else answer
        if method == "eth_getTransactionByHash" and answer is not None:
            return None if answer["from"].lower() == account.lower() else answer
        return answer

    return edit
