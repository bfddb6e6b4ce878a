"""The audit's mirror of the contract's rules where no chain of the tests goes: committees that change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hansa.audit.archive import Archive
from hansa.audit.job_rules import JobRules
from hansa.audit.replay import EventReplay
from hansa.audit.report import Wrong
from hansa.protocol.hashes import make_cycle
from hansa.protocol.types import Address, Phase

JOB = Path(__file__).parents[2] / "vectors" / "job-1.hansa"
ALICE, BOB, CAROL, DAVE = (Address("0x" + f"{number:040x}") for number in (1, 2, 3, 4))
SEED = bytes(32)


@pytest.fixture
def rules() -> JobRules:
    """After a finalised round, in which the first two of alice, bob and carol matched; the second cycle is due."""
    with Archive.open(JOB) as archive:
        made = JobRules(1, archive.facts.federation, 1)
        replay = EventReplay(archive.facts)
        replay.events()
        made.terms = replay.rules.terms
    made.committee, made.matched, made.finalised = [ALICE, BOB, CAROL], [1, 1, 0], [(0b011, 5)]
    made.cycle, made.submitted = make_cycle(SEED, 1, True), made.terms.min_updates
    made.counters = {Address(f"0x{number:040x}"): 1 for number in range(10, 10 + made.submitted)}
    made.acted[Phase.VOTE] = 0b011
    return made


def opened(*committee: str, everybody: bool = False) -> dict[str, Any]:
    return {"cycle": make_cycle(SEED, 2, everybody), "round": 2, "seed": SEED, "committee": committee}


def test_open__same_committee__waits_for_those_who_voted(rules: JobRules) -> None:
    rules.on("CycleOpened", opened(ALICE, BOB, CAROL))
    assert rules.due == 0b011 and rules.pending == rules.terms.min_updates


def test_open__replaced_member__has_its_fees_booked_first(rules: JobRules) -> None:
    rules.on_fees_booked(BOB, rules.terms.fee_per_seat)
    rules.on("CycleOpened", opened(ALICE, CAROL, DAVE))
    assert rules.due == 0b111, "who is new to its seat is due"
    assert rules.matched == [1, 0, 0]


@pytest.mark.parametrize(
    "booked", [[], [(BOB, 1)], [(ALICE, 0)], [(BOB, 0), (BOB, 0)]], ids=["none", "more", "another's", "twice"]
)
def test_open__replaced_member__other_fees_are_wrong(rules: JobRules, booked: list[tuple[Address, int]]) -> None:
    for member, extra in booked:
        rules.on_fees_booked(member, rules.terms.fee_per_seat + extra)
    with pytest.raises(Wrong, match="fees booked for members that lost their seat"):
        rules.on("CycleOpened", opened(ALICE, CAROL, DAVE))


def test_open__second_cycle_of_a_round__keeps_the_committee_where_the_terms_say_so(rules: JobRules) -> None:
    rules.attempts, rules.failures, rules.terms = 1, 1, replace(rules.terms, keep_committee=True)
    with pytest.raises(Wrong, match="the committee of a round's second cycle"):
        rules.on("CycleOpened", opened(ALICE, BOB, DAVE, everybody=True))


def test_open__second_cycle_of_a_round__may_have_another_committee_where_they_do_not(rules: JobRules) -> None:
    rules.attempts, rules.failures, rules.terms = 1, 1, replace(rules.terms, keep_committee=False)
    rules.on("CycleOpened", opened(ALICE, BOB, DAVE, everybody=True))
    assert rules.committee == [ALICE, BOB, DAVE]


@pytest.mark.parametrize("committee", [(ALICE, CAROL, BOB), (ALICE, ALICE, BOB), (ALICE, BOB)])
def test_open__no_committee__is_wrong(rules: JobRules, committee: tuple[str, ...]) -> None:
    rules.matched = [0, 0, 0]
    with pytest.raises(Wrong, match="committee"):
        rules.on("CycleOpened", opened(*committee))


def test_open__everybody_due_without_a_reason__is_wrong(rules: JobRules) -> None:
    with pytest.raises(Wrong, match="everybody is due"):
        rules.on("CycleOpened", opened(ALICE, BOB, CAROL, everybody=True))
