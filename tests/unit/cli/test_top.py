"""What `hansa top` shows, on terminals wide and narrow, high and low."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from hansa.cli.top.screen import screen, sparkline
from hansa.runtime.amounts import Token

TOKEN = Token("0x" + "11" * 20, "HANSA", 0)


def person(number: int, kind: str = "trainer") -> dict[str, Any]:
    return {"address": f"0x{number:040x}", "name": f"{kind}-{number}" if number % 2 else None}


def data(trainers: int = 4, validators: int = 3, **changes: Any) -> dict[str, Any]:
    people = [
        person(n)
        | {"submitted": n > 1, "verdict": "ok", "gain": 1_500_000, "share": 0.25, "earned": "12", "strikes": 0}
        for n in range(1, trainers + 1)
    ]
    seats = [
        person(100 + n, "validator") | {"seat": n, "did": None, "matched": 2, "wrong": 0, "missed": 1, "fees": "10"}
        for n in range(validators)
    ]
    made: dict[str, Any] = {
        "job": 1,
        "task": "heart",
        "phase": "SUBMIT",
        "round": 3,
        "cycle": 4,
        "rounds": {"finalised": 2, "at_most": 15},
        "deadline": 1000,
        "phase_seconds": 60,
        "seconds_left": 45,
        "failures": 1,
        "block": 77,
        "age": 3,
        "acted": people[1:],
        "awaited": people[:1],
        "places_left": 0,
        "metrics": [0.5, 0.75],
        "baselines": {"majority": 0.52},
        "misvoted": [],
        "trainers": people,
        "validators": seats,
        "money": dict.fromkeys(("left", "booked", "paid", "burnt", "bonded"), "1000"),
    }
    return made | changes


def lines(shown: dict[str, Any], width: int = 80, height: int | None = 24) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    console.print(screen(shown, TOKEN, width=width, height=height, note="q ends"))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 50), (48, 20), (40, 18)])
@pytest.mark.parametrize("trainers", [1, 4, 100])
def test_screen__fits_the_terminal(width: int, height: int, trainers: int) -> None:
    shown = lines(data(trainers, 7), width, height)
    assert len(shown) <= height
    assert max(map(len, shown)) <= width
    assert shown[-1] == "q ends"
    assert any("trainer-1 " in line and "awaited" in line for line in shown), "who is waited for is never cut off"


def test_screen__says_phase_countdown_metric_and_baseline() -> None:
    text = "\n".join(lines(data()))
    for said in ("SUBMIT", "round 3 of 15", "45 s left", "waiting for: trainer-1", "0.7500", "majority", "(+0.2300)"):
        assert said in text


def test_screen__of_many__says_how_many_are_not_shown() -> None:
    text = "\n".join(lines(data(100, 3)))
    rows = text.count("awaited") + text.count(" in  ")
    assert f"… {100 - rows} more" in text


def test_screen__of_rewards_that_were_voted_falsely__says_so() -> None:
    assert any("rewards of round 2 differ" in line for line in lines(data(misvoted=[2])))


def test_screen__when_the_job_is_over__waits_for_nobody() -> None:
    text = "\n".join(lines(data(phase="COMPLETED", deadline=0, seconds_left=0, awaited=[], acted=[])))
    assert "waiting" not in text and "left  " not in text.splitlines()[1]


def test_screen__before_anything_happened() -> None:
    text = "\n".join(lines(data(0, 0, phase="ENROL", metrics=[], baselines={}, awaited=[], acted=[], places_left=4)))
    assert "none yet" in text and "4 more trainers" in text


def test_sparkline__spans_the_scale() -> None:
    assert sparkline([0.0, 0.5, 1.0], 0.0, 1.0) == "▁▅█"
    assert sparkline([0.7, 0.7], 0.7, 0.7) == "▄▄"
