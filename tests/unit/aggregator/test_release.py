"""RELEASE of a threshold job: what a member says, when it gives it away, and what it opens with what others gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from desks import JOB, GivenJob, desk_of
from records import STATE, TERMS

from aggregator.inbox import Inboxes, SharedInbox
from aggregator.release import Releaser, release_files
from aggregator.steps import attest, bitmap, is_set, step_key
from hansa.protocol import envelope, shared_envelope
from hansa.protocol.cid import digest_of
from hansa.protocol.hashes import make_cycle
from hansa.protocol.model import Update, initial_model
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Address, BlockNumber, Code, Digest, Phase, Place, Round, Seat, Timestamp
from hansa.runtime.history.records import CycleRecord, Failed, Submitted
from hansa.runtime.store.local import LocalStore

SEATS, T = 3, 2
FEDERATION = Address("0x" + "fe" * 20)
MEMBERS = tuple(Address("0x" + f"{seat + 161:02x}" * 20) for seat in range(SEATS))  # the first is desks.ME
SECRETS = [bytes([seat + 1]) * 32 for seat in range(SEATS)]
KEYS = tuple(envelope.public_key(secret) for secret in SECRETS)
SEED = b"\x0c" * 32
CYCLE = make_cycle(SEED, 1, True)
PLACE = Place(31337, FEDERATION, JOB, CYCLE)
MODEL = initial_model({"w": np.ones(4, np.float32)}, 8)
BASE = digest_of(MODEL.encode())
SPEC = SimpleNamespace(shares=T, update_bytes=10_000, privacy="threshold")


def trainer(index: int) -> Address:
    return Address("0x" + f"{index + 1:040x}")


def sealed(index: int) -> bytes:
    update = Update({"w": np.array([1, 2, 3, index + 1], np.int8)}, JOB, CYCLE, trainer(index)).encode()
    ctx = envelope.context(PLACE, trainer(index), BASE)
    return shared_envelope.seal(update, bytes([index]) * 32, ctx, KEYS, T)


FILES = [sealed(index) for index in range(2)]


def cycle_of(
    updates: int = 2, releases: Mapping[int, Digest] | None = None, outcome: Any = None, seed: bytes = SEED
) -> CycleRecord:
    submitted = tuple(Submitted(trainer(index), digest_of(FILES[index])) for index in range(updates))
    acted = {phase: {} for phase in (Phase.ATTEST, Phase.SCORE, Phase.REVEAL, Phase.VOTE)}
    acted[Phase.RELEASE] = {Seat(seat): digest for seat, digest in (releases or {}).items()}
    return CycleRecord(CYCLE, Round(1), b"", seed, MEMBERS, KEYS, 7, BlockNumber(1), submitted, acted, (), outcome)


class Member:
    """One seat's desk in the cycle; all share a store. `now`: the chain's time, of which RELEASE lasts from 40 to
    100."""

    def __init__(self, path: Path, seat: int, secret: bytes | None = None) -> None:
        self.seat, self.now, self.sent = Seat(seat), 40, list[Any]()
        terms = replace(TERMS, release_time=60, threshold=T, quorum=T)
        follower = cast(
            Any, GivenJob(path, [cycle_of()], SimpleNamespace(spec=SPEC, terms=terms), (CYCLE, Phase.RELEASE))
        )
        follower.base = lambda: (BASE, MODEL)
        follower.cycle = lambda: follower.cycles[-1]
        follower.is_settled = lambda: True
        follower.is_past_time = lambda time: self.now >= time
        follower.federation = SimpleNamespace(
            place=lambda job, cycle: PLACE,
            release_call=lambda job, cycle, seat, digest: ("release", seat, digest),
            attest_call=lambda job, cycle, seat, bits: ("attest", seat, bits),
            chain=SimpleNamespace(close=lambda: None, confirmations=1),
        )
        (path / str(seat)).mkdir(exist_ok=True)
        self.follower, self.path = follower, path
        self.desk = desk_of(path / str(seat), follower, lambda call, *key: self.sent.append(call))
        self.desk.me = MEMBERS[seat]
        self.secret = SECRETS[seat] if secret is None else secret
        self.begin()

    def begin(self) -> None:
        """As after a restart."""
        self.inboxes = Inboxes(self.desk, lambda key: self.secret)
        self.releaser = Releaser(self.desk, self.inboxes)

    def release(self, released: int = 0) -> None:
        state = replace(STATE, phase=Phase.RELEASE, cycle=CYCLE, deadline=Timestamp(100), released=released)
        self.releaser.release(state, self.seat)

    def see(self, releases: Mapping[int, Digest], phase: Phase = Phase.SCORE, outcome: Any = None) -> CycleRecord:
        """The cycle with these releases, at a phase that is deep."""
        cycle = cycle_of(releases=releases, outcome=outcome)
        self.follower.cycles = [cycle]
        self.follower._given_deep = (CYCLE, phase)
        return cycle

    @property
    def store(self) -> LocalStore:
        store: LocalStore = self.follower.store
        return store


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    return [Member(tmp_path, seat) for seat in range(SEATS)]


def put_updates(member: Member, *files: bytes) -> None:
    for data in files or FILES:
        member.store.put(data)


def released(members: list[Member], *seats: int) -> dict[int, Digest]:
    """What these seats release once they have every update."""
    put_updates(members[0])
    for seat in seats:
        members[seat].release()
    return {seat: members[seat].sent[-1][2] for seat in seats}


def codes(member: Member, cycle: CycleRecord) -> list[Code] | None:
    """Its verdicts; None while it waits."""
    inbox = member.inboxes.of(cycle, member.seat)
    assert isinstance(inbox, SharedInbox)
    return [item.code for item in inbox.verdicts([])] if inbox.fetch() else None


# --- when a member acts


def test_release__waits_for_every_update_and_no_longer_than_half_of_the_phase(members: list[Member]) -> None:
    one = members[0]
    put_updates(one, FILES[0])
    one.release()
    assert one.sent == [] and one.desk.alarm.awaited == 70
    one.now = 70
    one.release()
    [(step, seat, _)] = one.sent
    assert (step, seat) == ("release", 0)


def test_release__that_is_journalled__is_sent_again_and_never_another(members: list[Member]) -> None:
    one = members[0]
    put_updates(one, FILES[0])
    one.now = 70
    one.release()
    put_updates(one)
    one.begin()
    one.release()
    assert len(one.sent) == 2 and one.sent[0] == one.sent[1]
    one.release(released=1)
    assert len(one.sent) == 2, "it is on chain"


def test_release__of_other_updates_after_a_reorganisation__is_another(members: list[Member]) -> None:
    one = members[0]
    put_updates(one)
    one.release()
    one.follower.cycles = [cycle_of(updates=1)]
    one.release()
    assert one.sent[0] != one.sent[1]


def test_release__before_its_phase_is_deep__is_not_made(members: list[Member]) -> None:
    one = members[0]
    put_updates(one)
    one.follower.is_settled = lambda: False
    one.release()
    assert one.sent == []


# --- when it is given away


@pytest.mark.parametrize(
    ("phase", "releases", "given"),
    [
        (Phase.RELEASE, 2, False),
        (Phase.SCORE, 2, True),
        (Phase.SCORE, 3, True),
        (Phase.LAPSED, 1, False),
        (Phase.OPEN, 1, False),
        (Phase.OPEN, 2, True),
    ],
)
def test_file__is_put_once_release_is_over_and_a_quorum_released(
    members: list[Member], phase: Phase, releases: int, given: bool
) -> None:
    files = released(members, *range(releases))
    ended = Failed(Phase.RELEASE, 1, *cast(Any, (0, 9, 5))) if phase == Phase.OPEN else None
    members[0].see(files, phase, ended)
    for _ in range(2):
        members[0].releaser.publish()
        members[0].begin()
    assert members[0].store.has(files[0]) is given
    assert release_files(members[0].desk) == {files[0]}, "kept in the journal"


def test_file__that_the_chain_does_not_name__is_never_put(members: list[Member]) -> None:
    files = released(members, 0, 1, 2)
    members[0].see({0: Digest(bytes(32)), 1: files[1], 2: files[2]})
    members[0].releaser.publish()
    assert not members[0].store.has(files[0])


# --- what it opens


def all_put(members: list[Member], files: dict[int, Digest]) -> CycleRecord:
    for member in members:
        cycle = member.see(files)
        member.releaser.publish()
    return cycle


def test_score__with_a_quorum_released__opens_for_all_seats_late_ones_too(members: list[Member]) -> None:
    cycle = all_put(members, released(members, 0, 1))
    for member in members:
        assert codes(member, cycle) == [Code.OK, Code.OK]


def test_score__waits_for_files_and_takes_shares_as_they_come(members: list[Member]) -> None:
    files = released(members, 0, 1, 2)
    cycle = members[2].see(files)
    assert codes(members[2], cycle) is None, "its own share alone"
    members[0].see(files)
    members[0].releaser.publish()
    assert codes(members[2], cycle) == [Code.OK, Code.OK], "and one more; the third file need not come"


def test_score__files_that_never_come__leave_updates_unreachable_at_half_of_score(members: list[Member]) -> None:
    cycle = members[2].see(released(members, 0, 1))
    assert codes(members[2], cycle) is None
    inbox = members[2].inboxes.of(cycle, Seat(2))
    assert [item.code for item in inbox.verdicts([])] == [Code.UNREACHABLE, Code.UNREACHABLE]


def test_score__false_release_files__count_as_not_released_and_end_the_waiting(members: list[Member]) -> None:
    """One puts junk, one what was sealed for another cycle's updates: nothing more can come."""
    put_updates(members[0])
    junk = members[0].store.put(b"junk")
    other = members[1]
    other.follower.cycles = [cycle_of(updates=1)]
    other.release()
    copied = other.sent[-1][2]
    other.store.put(other.desk.journal.blob(copied))
    cycle = members[2].see({0: junk, 1: copied})
    assert codes(members[2], cycle) == [Code.UNREACHABLE, Code.UNREACHABLE]


def test_score__of_a_seat_without_the_key_in_force__knows_nothing(tmp_path: Path, members: list[Member]) -> None:
    cycle = all_put(members, released(members, 0, 1))
    (tmp_path / "stranger").mkdir()
    stranger = Member(tmp_path / "stranger", 2, secret=b"\x77" * 32)
    stranger.follower.store = members[0].store
    stranger.see(dict(cycle.releases))
    assert codes(stranger, cycle) == [Code.UNREACHABLE, Code.UNREACHABLE]
    stranger.follower.cycles = [cycle_of()]
    stranger.release()
    assert stranger.sent, "it says so, and holds nobody up"


def test_vote__an_update_that_came_after_half_of_score__is_opened_then(members: list[Member]) -> None:
    cycle = members[2].see(released(members, 0, 1))
    assert codes(members[2], cycle) is None
    ledger = cast(Any, SimpleNamespace(judgements=[Judgement(Code.OK), Judgement(Code.UNREACHABLE)]))
    inbox = members[2].inboxes.of(cycle, Seat(2))
    assert inbox.counted(ledger) is None
    all_put(members, dict(cycle.releases))
    counted = inbox.counted(ledger)
    assert counted is not None and list(counted) == [0]


# --- ATTEST, which other modes have


@pytest.mark.parametrize(
    ("bits", "data"),
    [
        ([], ""),
        ([True], "01"),
        ([False] * 8 + [True], "0001"),
        ([True] * 8, "ff"),
        ([False, True] + [True] * 8, "fe03"),
    ],
)
def test_bitmap__is_as_the_contract_takes_it(bits: list[bool], data: str) -> None:
    assert bitmap(bits).hex() == data
    assert [is_set(bitmap(bits), place) for place in range(len(bits))] == bits


def test_attest__is_journalled_and_sent_again(members: list[Member]) -> None:
    one, state = members[1], replace(STATE, phase=Phase.ATTEST, cycle=CYCLE, deadline=Timestamp(100))
    attest(one.desk, state, one.seat, lambda: None)
    assert one.sent == []
    attest(one.desk, state, one.seat, lambda: [True, False])
    attest(one.desk, state, one.seat, lambda: [True, True])
    assert one.sent == [("attest", 1, b"\1")] * 2
    assert one.desk.journal.recall(step_key(one.desk, one.follower.cycles[-1], "attest")) == {"bits": b"\1"}
    attest(one.desk, replace(state, attested=2), one.seat, lambda: [True, True])
    assert len(one.sent) == 2
