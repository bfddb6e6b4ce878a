"""What spec and terms must be for each privacy mode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from hansa.protocol.phases import PHASES
from hansa.protocol.privacy import MODES, NOT_APPOINTED, problems, warning, who_sees
from hansa.protocol.spec import JobSpec


@dataclass(frozen=True)
class Terms:
    seats: int = 3
    quorum: int = 2
    threshold: int = 0
    attest_time: int = 0
    release_time: int = 0
    max_trainers: int = 4
    min_updates: int = 3


PLAIN = JobSpec(task="heart", steps=1, model_bytes=1, update_bytes=1)
SPECS = {
    "committee": PLAIN,
    "threshold": PLAIN.model_copy(update={"privacy": "threshold", "shares": 2}),
    "masked": PLAIN.model_copy(update={"privacy": "masked", "shares": 2, "group": 3, "rule": "mean"}),
}
TERMS = {
    "committee": Terms(),
    "threshold": Terms(threshold=2, release_time=300),
    "masked": Terms(seats=4, quorum=3, threshold=3, attest_time=300, release_time=300),
}
MASKED_SHARES = {
    3: {2},
    4: {2},
    5: {2, 3},
    6: {2, 3},
    7: {2, 3, 4},
    8: {2, 3},
    9: {2, 3},
    **dict.fromkeys(range(10, 25), {2}),
}


@pytest.mark.parametrize("mode", SPECS)
def test_problems__of_what_a_mode_asks_for__are_none(mode: str) -> None:
    assert problems(SPECS[mode], TERMS[mode], appointed=True) == []


@pytest.mark.parametrize(
    ("mode", "spec", "terms", "said"),
    [
        ("committee", {}, {"attest_time": 1}, "a phase ATTEST or RELEASE that its spec does not use"),
        ("committee", {}, {"release_time": 1}, "a phase ATTEST or RELEASE that its spec does not use"),
        ("committee", {"group": 3}, {}, "group must be 0, not 3"),
        ("committee", {"shares": 2}, {}, "shares must be 0, not 2"),
        ("threshold", {}, {"attest_time": 1}, "no phase ATTEST"),
        ("threshold", {}, {"release_time": 0}, "a phase RELEASE"),
        ("threshold", {}, {"threshold": 3}, "the term threshold must be the quorum, 2, not 3"),
        ("threshold", {"shares": 1}, {}, "shares must be the quorum, 2, not 1"),
        ("threshold", {"shares": 3}, {}, "shares must be the quorum, 2, not 3"),
        ("threshold", {"group": 3}, {}, "group must be 0"),
        ("masked", {}, {"attest_time": 0}, "phases ATTEST and RELEASE"),
        ("masked", {}, {"release_time": 0}, "phases ATTEST and RELEASE"),
        ("masked", {}, {"threshold": 2}, "the term threshold must be the quorum, 3, not 2"),
        ("masked", {"bits": 16}, {}, "bits must be 8, not 16"),
        ("masked", {"weights": "bond"}, {}, "weights must be equal, not bond"),
        ("masked", {"rule": "median"}, {}, "rule must be mean, not median"),
        ("masked", {"publish_keys": True}, {}, "publish_keys must be false"),
        ("masked", {}, {"max_trainers": 257}, "at most 256 trainers"),
        ("masked", {"shares": 1}, {}, "shares must be 2 to 2 for 4 seats, not 1"),
        ("masked", {"shares": 3}, {}, "shares must be 2 to 2 for 4 seats, not 3"),
        ("masked", {"group": 2}, {}, "group must be 3 to 3"),
        ("masked", {"group": 4}, {}, "group must be 3 to 3"),
    ],
)
def test_problems__name_each_field_at_fault(mode: str, spec: Any, terms: Any, said: str) -> None:
    found = problems(SPECS[mode].model_copy(update=spec), replace(TERMS[mode], **terms), appointed=True)
    assert len(found) == 1 and said in found[0]


def test_problems__are_all_told() -> None:
    found = problems(
        SPECS["masked"].model_copy(update={"bits": 16, "rule": "median"}), TERMS["threshold"], appointed=True
    )
    assert [word for word in ("ATTEST", "bits", "rule") if not any(word in said for said in found)] == []


@pytest.mark.parametrize("seats", range(1, 25))
def test_masked__allows_few_sets_of_seats_with_an_honest_holder_each(seats: int) -> None:
    terms = replace(TERMS["masked"], seats=seats)
    specs = {shares: SPECS["masked"].model_copy(update={"shares": shares}) for shares in range(25)}
    assert {shares for shares, spec in specs.items() if not problems(spec, terms, appointed=True)} == MASKED_SHARES.get(
        seats, set()
    )


def test_masked__committee_drawn_anew__is_refused() -> None:
    assert problems(SPECS["masked"], TERMS["masked"], appointed=False) == [NOT_APPOINTED]
    assert problems(SPECS["threshold"], TERMS["threshold"], appointed=False) == []


def test_masked__members_that_may_train__leave_a_smaller_group() -> None:
    terms = replace(TERMS["masked"], min_updates=7)
    assert problems(SPECS["masked"], terms, appointed=True, coupled=True) == []
    [said] = problems(SPECS["masked"], replace(terms, min_updates=6), appointed=True, coupled=True)
    assert "group must be 3 to 2" in said and "4 fewer" in said


@pytest.mark.parametrize(
    ("seats", "quorum", "shares", "weak"),
    [(3, 2, 2, True), (4, 3, 2, False), (6, 4, 3, True), (7, 5, 4, True), (5, 4, 3, False)],
)
def test_warning__where_two_sets_could_be_released(seats: int, quorum: int, shares: int, weak: bool) -> None:
    spec = SPECS["masked"].model_copy(update={"shares": shares})
    said = warning(spec, replace(TERMS["masked"], seats=seats, quorum=quorum))
    assert (said is not None) == weak
    assert said is None or "can open an update" in said
    assert warning(SPECS["threshold"], TERMS["threshold"]) is None


def test_who_sees__says_so_in_a_sentence_of_the_table() -> None:
    assert who_sees(SPECS["committee"], 3).startswith("Each validator of an attempt can read every update")
    assert "2 of an attempt's 3 validators" in who_sees(SPECS["threshold"], 3)
    assert "the sum of 3 or more" in who_sees(SPECS["masked"], 4)


def test_modes__are_those_of_the_spec_and_have_the_phases_that_they_need() -> None:
    assert list(MODES) == list(SPECS)
    optional = {row.key for row in PHASES if row.optional}
    assert [set(mode.times) for mode in MODES.values()] == [set(), {"release"}, optional]
    assert all(mode.sees.endswith(".") for mode in MODES.values())
