"""What a job looks like on the screen, in every phase; what a receipt and a report say."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from records import BOOKS, STATE, TERMS
from rich.console import Console

from hansa.cli.demo.report import Conservation
from hansa.cli.demo.view import FinishedRound, View
from hansa.cli.document import metric_of, to_json
from hansa.cli.job.show import SpecView
from hansa.cli.job.state import State, rest_lines, state_line
from hansa.protocol.phases import PHASES
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import JobId, Phase, Wei
from hansa.runtime.amounts import Token
from hansa.runtime.job import JobContext


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase != Phase.NONE])
def test_state_line__in_every_phase(phase: Phase) -> None:
    state = replace(STATE, phase=phase)
    assert PHASES[phase].title.lower() in state_line(state, 940)
    assert to_json(state, State)["phase"] == phase.name


def test_state_line__says_what_is_awaited() -> None:
    line = state_line(STATE, 940)
    assert line == "round 2: train, 1 min left: 1 update in, 3 awaited (1 attempt failed in a row)"
    assert "2 validators have committed" in state_line(replace(STATE, phase=Phase.SCORE), 940)


@pytest.mark.parametrize(
    ("left", "refunded", "said"),
    [
        (3_047_500, 0, ["3,047.5 HANSA wait for the sponsor to take back."]),
        (0, 3_047_500, ["3,047.5 HANSA went back to the sponsor."]),
        (0, 0, []),
    ],
)
def test_rest__went_back_only_when_it_did(left: int, refunded: int, said: list[str]) -> None:
    books = replace(BOOKS, left=Wei(left), refunded=Wei(refunded))
    assert rest_lines(books, Token("", decimals=3)) == said


def test_metric__before_there_is_one() -> None:
    assert metric_of(-(2**63)) is None
    assert metric_of(812_500_000) == 0.8125


@pytest.mark.parametrize("terminal", [False, True])
def test_view__shows_rounds_and_warnings(terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, highlight=False)
    with View(console, "heart", 3) as view:
        view.step("starting a chain")
        view.state(STATE, 940)
        view.round(FinishedRound(1, "Qm" + "a" * 44, 750_000_000, 500_000_000, "3 of 4 updates", 2, 1.5))
        view.warn("trainer-2 ended with code 1: no such party")
        view.step("")
    shown = out.getvalue()
    assert "Qm" + "a" * 44 in shown
    assert "3 of 4 updates" in shown and "0.7500 (+0.2500)" in shown
    assert "after 2 failed" in shown
    assert "trainer-2 ended with code 1" in shown


def test_conservation__to_the_unit() -> None:
    line = Conservation(escrowed=345, paid=344, refunded=0, burnt=0, left=1)
    assert line.holds
    assert not replace(line, left=2).holds


def test_job__says_who_can_see_an_update() -> None:
    spec = JobSpec(task="heart", steps=1, model_bytes=1, update_bytes=1, privacy="threshold", shares=2)
    context = JobContext(JobId(1), TERMS, spec)
    assert context.who_sees.startswith("Nobody can read an update before 2 of an attempt's 3 validators")
    assert to_json(SpecView("Qm", spec, None, context.who_sees), SpecView)["sees"] == context.who_sees
    assert "sees" not in to_json(SpecView("Qm", None, "lost"), SpecView)
    assert "released" in to_json(STATE, State)
