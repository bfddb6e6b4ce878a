"""Who has acted in a phase, and who is waited for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hansa.protocol.types import Phase
from hansa.runtime.history.turn import counts, whose_turn

ALICE, BOB, CAROL = "alice", "bob", "carol"
MEMBERS = ("dave", "erin", "frank")


def state(phase: Phase, cycle: int = 0, **bitmaps: int) -> Any:
    names = ("enrolled", "submitted", "due", "attested", "released", "committed", "revealed", "voted")
    return SimpleNamespace(
        phase=phase, cycle=cycle, committee=MEMBERS, **{name: bitmaps.get(name, 0) for name in names}
    )


def history(*cycles: tuple[str, ...]) -> Any:
    updates = [SimpleNamespace(updates=[SimpleNamespace(trainer=who) for who in cycle]) for cycle in cycles]
    return SimpleNamespace(enrolled=[SimpleNamespace(trainer=who) for who in (ALICE, BOB, CAROL)], cycles=updates)


def turn(*given: Any) -> tuple[list[str], list[str]]:
    return cast(Any, whose_turn(*given))


def test_enrolment__nobody_is_waited_for() -> None:
    assert turn(state(Phase.ENROL), history()) == ([ALICE, BOB, CAROL], [])


def test_submit__waits_for_those_of_the_cycle_before__or_everybody() -> None:
    assert turn(state(Phase.SUBMIT, cycle=2), history((ALICE, BOB), (BOB,))) == ([BOB], [ALICE])
    assert turn(state(Phase.SUBMIT, cycle=3), history((ALICE, BOB), (BOB,))) == ([BOB], [ALICE, CAROL])


@pytest.mark.parametrize(
    ("phase", "acted", "awaited"),
    [
        (Phase.ATTEST, "attested", "due"),
        (Phase.RELEASE, "released", "due"),
        (Phase.SCORE, "committed", "due"),
        (Phase.REVEAL, "revealed", "committed"),
        (Phase.VOTE, "voted", "revealed"),
    ],
)
def test_committee__waits_for_who_is_due__and_then_for_who_did_the_step_before(
    phase: Phase, acted: str, awaited: str
) -> None:
    seen = state(phase, **{acted: 0b010, awaited: 0b011})
    assert turn(seen, history((ALICE,))) == (["erin"], ["dave"])
    assert counts(seen) != counts(state(phase, **{awaited: 0b011})), "somebody has acted"


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.FINALIZE, Phase.LAPSED, Phase.COMPLETED])
def test_anybody_may__nobody_is_waited_for(phase: Phase) -> None:
    assert turn(state(phase, due=7, committed=7), history((ALICE,))) == ([], [])
