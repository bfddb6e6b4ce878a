"""RELEASE of a threshold job: what a member says, when it gives it away, and what it opens with what others gave."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from releasing import FILES, KEYS, MEMBERS, PLACE, SEATS, SECRETS, Member, codes, cycle_of, put_updates, released

from aggregator.release import release_files
from hansa.protocol import release as files
from hansa.protocol.errors import HansaError, NotFound, SpoiltModel
from hansa.protocol.shared_verdict import LACKS
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Code, Digest, Phase, Seat
from hansa.runtime.history.records import CycleRecord, Failed


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    return [Member(tmp_path, seat) for seat in range(SEATS)]


# --- when a member acts


@pytest.mark.parametrize("error", [NotFound("model 3"), SpoiltModel("model 3")])
def test_release__without_the_model__lacks_every_update_and_is_not_absent(
    members: list[Member], error: HansaError
) -> None:
    """Whoever keeps a model back would have every honest member's stake burnt where RELEASE lapses."""
    one = members[0]
    put_updates(one)

    def fail() -> Any:
        raise error

    one.follower.base = fail  # type: ignore[method-assign]
    if not isinstance(error, SpoiltModel):
        one.release()
        assert one.sent == [] and one.desk.alarm.awaited == 70
    one.now = 70
    one.release()
    [(step, seat, digest)] = one.sent
    assert (step, seat) == ("release", 0)
    ctx = files.context(PLACE, MEMBERS[0], cycle_of().updates_acc)
    assert files.read(one.desk.journal.blob(digest), ctx, Seat(1), SECRETS[1], KEYS, 2) == (LACKS, LACKS)


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
