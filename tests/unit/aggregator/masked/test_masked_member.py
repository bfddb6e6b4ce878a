"""A member of a masked job: what it journals before it says it, what it never says, and when it gives what away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from desks import GivenJob, desk_of
from masked_chain import BASE, MODEL, Given, given, members_of
from masked_world import LENGTH
from records import STATE

from aggregator.masked.member import MaskedMember
from hansa.protocol.cid import NO_DIGEST
from hansa.protocol.masked.group import to_bitmap
from hansa.protocol.types import Digest, Phase, Seat, Timestamp

SEATS = 4


class Member:
    """One seat's desk; all share chain and store. The chain's `now` runs from 40; each phase lasts to 100."""

    def __init__(self, path: Path, here: Given, seat: int) -> None:
        self.here, self.seat, self.now, self.sent = here, Seat(seat), 40, list[Any]()
        base = here.base
        terms = replace(base.terms, attest_time=60, release_time=60, score_time=60)
        context = SimpleNamespace(spec=base.spec, terms=terms)
        follower = cast(Any, GivenJob(path, here.cycles, context, (here.cycles[-1].cycle, Phase.SCORE)))
        follower.store, follower.base = here.store, lambda: (BASE, MODEL)
        follower.finalized = list
        follower.cycle = lambda: here.cycles[-1]
        follower.history = lambda: SimpleNamespace(cycles=tuple(here.cycles))
        follower.is_settled = lambda: True
        follower.is_past_time = lambda time: self.now >= time
        follower.head = None
        follower.federation = SimpleNamespace(
            place=lambda job, cycle: base.place._replace(cycle=cycle),
            release_call=lambda job, cycle, seat, digest: ("release", digest),
            attest_call=lambda job, cycle, seat, bits: ("attest", bits),
            chain=SimpleNamespace(close=lambda: None, confirmations=1),
        )
        (path / str(seat)).mkdir(exist_ok=True)
        self.follower = follower
        self.desk = desk_of(path / str(seat), follower, lambda call, *key: self.sent.append(call))
        self.desk.me = members_of(SEATS)[seat]
        self.desk.turns = cast(Any, SimpleNamespace(has_come=lambda rank, within: rank == 0))
        self.begin()

    def begin(self) -> None:
        """As after a restart."""
        self.desk._published.clear()
        self.member = MaskedMember(self.desk, lambda public: self.here.world.secrets[self.seat])
        self.trust(range(SEATS))

    def trust(self, seats: Any) -> None:
        """Whose releases bear their own signature."""
        signed: Mapping[Seat, set[Digest]] = {
            Seat(seat): {c.releases[Seat(seat)] for c in self.here.cycles if seat in c.releases} for seat in seats
        }
        self.member._signed = cast(Any, SimpleNamespace(of=lambda base, head: signed))

    def state(self, phase: Phase) -> Any:
        self.follower.state = replace(
            STATE, phase=phase, cycle=self.here.cycles[-1].cycle, deadline=Timestamp(100), attested=0, released=0
        )
        self.here.phase = phase
        return self.follower.state

    def attest(self) -> Any:
        self.member.attest(self.state(Phase.ATTEST), self.seat)
        return self.sent[-1] if self.sent else None

    def release(self) -> Any:
        before = len(self.sent)
        self.member.release(self.state(Phase.RELEASE), self.seat)
        return self.sent[-1] if len(self.sent) > before else None

    def publish(self) -> None:
        self.state(Phase.SCORE)
        self.trust(range(SEATS))
        self.member.publish()


def lab(path: Path, **options: Any) -> tuple[Given, list[Member]]:
    here = given(SEATS, 2, **options)
    return here, [Member(path, here, seat) for seat in range(SEATS)]


def released(here: Given, members: list[Member], at: int = -1) -> None:
    here.release({member.seat: member.release()[1] for member in members}, at)


def test_attest__says_ok_of_what_can_be_made_again_and_keeps_what_can_not(tmp_path: Path) -> None:
    here, (member, *_) = lab(tmp_path)
    here.cycles[0].acted[Phase.ATTEST].clear()  # type: ignore[attr-defined]
    bad = bytearray(here.world.files[1])
    bad[210] ^= 1
    updates = list(here.cycles[0].updates)
    updates[1] = replace(updates[1], digest=here.store.put(bytes(bad)))
    updates[2] = replace(updates[2], digest=NO_DIGEST)
    here.cycles[0] = replace(here.cycles[0], updates=tuple(updates))
    assert member.attest() == ("attest", to_bitmap([True, False, False, True]))
    assert member.member.found_malformed(here.cycles[0]) == [1]


def test_attest__waits_for_what_has_not_come_until_half_of_the_phase(tmp_path: Path) -> None:
    here, (member, *_) = lab(tmp_path)
    here.cycles[0].acted[Phase.ATTEST].clear()  # type: ignore[attr-defined]
    missing = here.cycles[0].updates[3].digest
    del here.store.files[missing]
    assert member.attest() is None
    member.now = 70
    assert member.attest() == ("attest", to_bitmap([True, True, True, False]))


def test_release__is_the_table_of_the_true_vectors_and_the_same_after_a_restart(tmp_path: Path) -> None:
    here, members = lab(tmp_path)
    group = here.base.group
    assert group is not None
    for member in members:
        _, digest = member.release()
        assert here.world.table(member.seat).encode(here.world.sharing, group) == member.desk.journal.blob(digest)
        assert member.desk.journal.recall((1, "masked set", BASE)) == {"name": group.name}
        member.begin()
        assert member.release() == ("release", digest)


def test_too_few_in__nothing_is_released_and_nothing_fixed(tmp_path: Path) -> None:
    here, (member, *_) = lab(tmp_path)
    votes = {Seat(seat): to_bitmap([True, True, False, False]) for seat in range(SEATS)}
    here.cycles[0] = replace(here.cycles[0], acted={**here.cycles[0].acted, Phase.ATTEST: votes})
    assert here.base.group is None
    assert member.release() == ("release", NO_DIGEST)
    assert member.desk.journal.recall((1, "masked set", BASE)) is None


def test_another_set_over_the_same_model__is_never_released_nor_given_away(tmp_path: Path) -> None:
    here, (member, *_) = lab(tmp_path)
    assert member.release() is not None
    fork = {Seat(seat): to_bitmap([True, True, True, False]) for seat in range(SEATS)}
    here.cycles[0] = replace(here.cycles[0], acted={**here.cycles[0].acted, Phase.ATTEST: fork})
    for _ in range(2):
        member.begin()
        assert member.release() is None
    files = set(here.store.files)
    member.publish()
    assert set(here.store.files) == files


def test_table_is_put_after_release__vectors_after_a_quorum_of_signed_tables(tmp_path: Path) -> None:
    here, members = lab(tmp_path)
    released(here, members)
    first = members[0]
    vectors = set(here.world.true.values())
    first.state(Phase.RELEASE)
    first.follower._given_deep = (here.cycles[-1].cycle, Phase.RELEASE)
    first.member.publish()
    assert not here.store.has(here.cycles[0].releases[Seat(0)]), "RELEASE is not over"
    first.follower._given_deep = (here.cycles[-1].cycle, Phase.SCORE)
    first.publish()
    assert here.store.has(here.cycles[0].releases[Seat(0)]) and not vectors & here.store.files.keys()
    for member in members[1:]:
        member.state(Phase.SCORE)
        member.trust([])
        member.member.publish()
    first.state(Phase.SCORE)
    first.trust([0, 1])
    first.member.publish()
    assert not vectors & here.store.files.keys(), "two of the tables are nobody's by signature"
    for member in members:
        member.publish()
    assert vectors <= here.store.files.keys()
    assert all(member.member.standing(here.base).is_open for member in members)


def test_lapsed_release__is_never_given_away(tmp_path: Path) -> None:
    here, members = lab(tmp_path)
    here.release({members[0].seat: members[0].release()[1]})
    files = set(here.store.files)
    members[0].publish()
    assert set(here.store.files) == files


@pytest.mark.parametrize("lacking", [None, 3], ids=["whole", "a member without its seeds"])
def test_spoilt_sum__is_probed_in_the_next_cycle_and_the_spoilers_seeds_alone_are_put(
    tmp_path: Path, lacking: int | None
) -> None:
    """lacking: a member that can't read its boxes any more; what it made up would be disputed, and seeds of sets that
    one bad member lacks be shown: with its own it would read every update."""
    noise = np.random.default_rng(3).integers(0, 2**16, LENGTH).astype(np.uint16)
    here, members = lab(tmp_path, bad={2: noise})
    released(here, members)
    for _ in range(2):
        for member in members:
            member.publish()
    assert all(member.member.standing(here.base).fault is not None for member in members)
    here.later()
    for member in members:
        member.follower._given_deep = (here.cycles[-1].cycle, Phase.SCORE)
    if lacking is not None:
        members[lacking].member._secret_for, members[lacking].member._seeds = lambda key: b"\x77" * 32, None
    released(here, members)
    for _ in range(3):
        for member in members:
            member.publish()
    standing = members[0].member.standing(here.base)
    assert (standing.spoilers, standing.updates, standing.is_open) == ((2,), 3, True)
    assert not standing.disputed and not standing.liars
    seeds = {place: [here.world.masked(place).commitment(index) for index in range(4)] for place in range(4)}
    put = {place for place, digests in seeds.items() if any(here.store.has(digest) for digest in digests)}
    assert put == {2}
