"""What `hansa top` shows, on terminals wide and narrow, high and low."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from records import BOOKS, STATE
from rich.console import Console

from hansa.cli.job.state import MONEY
from hansa.cli.top.screen import screen, sparkline
from hansa.cli.top.status import JobStatus, RoundCount, TrainerRow, ValidatorRow
from hansa.protocol.types import Address, CycleId, Phase, Round, Timestamp
from hansa.runtime.amounts import Token
from hansa.runtime.snapshot import Attendance

TOKEN = Token("0x" + "11" * 20, "HANSA", 0)


ACCOUNT = Address(TOKEN.address)
THIRD = replace(STATE, cycle=CycleId(4 << 1), deadline=Timestamp(1000), round=Round(3), best_metric=750_000_000)


def named(number: int, kind: str = "trainer") -> tuple[Address, str | None]:
    return Address(f"0x{number:040x}"), f"{kind}-{number}" if number % 2 else None


def status(trainers: int = 4, validators: int = 3, state: dict[str, Any] | None = None, **changes: Any) -> JobStatus:
    people = [
        TrainerRow(*named(n), submitted=n > 1, verdict="ok", gain=1_500_000, share=0.25, earned=12, strikes=0,
                   reputation=0)
        for n in range(1, trainers + 1)
    ]  # fmt: skip
    seats = [
        ValidatorRow(*named(100 + n, "validator"), seat=n, did=None, attendance=Attendance(2, 0, 1), fees=10)
        for n in range(validators)
    ]
    made = JobStatus(
        job=1,
        task="heart",
        block=77,
        timestamp=900,
        state=replace(THIRD, enrolled=trainers, submitted=trainers - 1, pending=1, **(state or {})),
        rounds=RoundCount(2, 15),
        phase_seconds=60,
        seconds_left=45,
        acted=[*people[1:]],
        awaited=[*people[:1]],
        places_left=0,
        metrics=[500_000_000, 750_000_000],
        baselines={"majority": 520_000_000},
        misvoted=[],
        trainers=people,
        validators=seats,
        token=ACCOUNT,
        reward_per_round=100,
        fee_per_seat=5,
        money=replace(BOOKS, **dict.fromkeys(MONEY.split(), 1000)),
        age=3,
    )
    return replace(made, **changes)


def lines(shown: JobStatus, width: int = 80, height: int | None = 24) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    console.print(screen(shown, TOKEN, width=width, height=height, note="q ends"))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 50), (48, 20), (40, 18)])
@pytest.mark.parametrize("trainers", [1, 4, 100])
def test_screen__fits_the_terminal(width: int, height: int, trainers: int) -> None:
    shown = lines(status(trainers, 7), width, height)
    assert len(shown) <= height
    assert max(map(len, shown)) <= width
    assert shown[-1] == "q ends"
    assert any("trainer-1 " in line and "awaited" in line for line in shown), "who is waited for is never cut off"


def test_screen__says_phase_countdown_metric_and_baseline() -> None:
    text = "\n".join(lines(status()))
    for said in ("Train", "round 3 of 15", "45 s left", "waiting for: trainer-1", "0.7500", "majority", "(+0.2300)"):
        assert said in text


def test_screen__of_many__says_how_many_are_not_shown() -> None:
    text = "\n".join(lines(status(100, 3)))
    rows = text.count("awaited") + text.count(" in  ")
    assert f"… {100 - rows} more" in text


def test_screen__of_rewards_that_were_voted_falsely__says_so() -> None:
    assert any("rewards of round 2 differ" in line for line in lines(status(misvoted=[2])))


def test_screen__when_the_job_is_over__waits_for_nobody() -> None:
    text = "\n".join(
        lines(status(state={"phase": Phase.COMPLETED, "deadline": 0}, seconds_left=0, awaited=[], acted=[]))
    )
    assert "waiting" not in text and "left  " not in text.splitlines()[1]


def test_screen__before_anything_happened() -> None:
    text = "\n".join(
        lines(status(0, 0, state={"phase": Phase.ENROL}, metrics=[], baselines={}, awaited=[], acted=[], places_left=4))
    )
    assert "none yet" in text and "4 more trainers" in text


def test_sparkline__spans_the_scale() -> None:
    assert sparkline([0.0, 0.5, 1.0], 0.0, 1.0) == "▁▅█"
    assert sparkline([0.7, 0.7], 0.7, 0.7) == "▄▄"
