"""A member whose measurements are not finite: it doesn't vote zeros in silence, and an audit tells of one that does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from desks import ME, GivenJob, desk_of
from structlog.testing import capture_logs

from aggregator import score as scoring
from aggregator.measure import Measurement
from aggregator.rows import ValidationRows
from aggregator.score import Scorer, reveal
from hansa.audit.report import Report
from hansa.audit.unmeasured import note_silent_sheets
from hansa.protocol.errors import FatalError
from hansa.protocol.sheet import Entry, decode_sheet, encode_sheet
from hansa.protocol.types import Address, Code, Seat
from hansa.runtime.desk import Desk

TRAINERS = [Address("0x" + f"{number:02x}" * 20) for number in (1, 2, 3)]
CYCLE = SimpleNamespace(cycle=7, updates=[SimpleNamespace(trainer=each) for each in TRAINERS])
GOOD, NONE = Measurement(5, 4), Measurement(0, 0, finite=False)


def scorer(path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[Measurement]) -> tuple[Scorer, Desk, list[str]]:
    """A member's; and what it sends. Its updates are ok but for the second."""
    sent: list[str] = []
    context = SimpleNamespace(
        spec=SimpleNamespace(task="mine", validation="dealt"), terms=SimpleNamespace(score_time=10)
    )
    follower = cast(Any, GivenJob(path, [CYCLE], context))
    follower.federation = SimpleNamespace(
        place=lambda job, cycle: (1, ME, job, cycle),
        commit_call=lambda *asked: "commit",
        reveal_call=lambda *asked: "reveal",
    )
    follower.cycle, follower.is_settled = lambda: CYCLE, lambda: True
    follower.weights = lambda: dict.fromkeys(TRAINERS, 1)
    follower.models = SimpleNamespace(earlier=lambda base: [])
    monkeypatch.setattr(Scorer, "_attempts", lambda self: [])
    monkeypatch.setattr(Desk, "working", lambda self, kind: running())
    monkeypatch.setattr(scoring, "measure", lambda *asked: measured)
    update = SimpleNamespace(tensors={})
    codes = (Code.OK, Code.ZERO, Code.OK)
    inbox = SimpleNamespace(
        cycle=CYCLE,
        cycle_keys=SimpleNamespace(model=None, seat=Seat(0)),
        fetch=lambda: True,
        verdicts=lambda attempts: [SimpleNamespace(code=code, update=update, repeats=None) for code in codes],
    )
    desk = desk_of(path, follower, lambda call, *key: sent.append(call))
    boxes = cast(Any, SimpleNamespace(of=lambda cycle, seat: inbox))
    rows = cast(Any, SimpleNamespace(of=lambda seat: None))
    return Scorer(desk, cast(Any, None), boxes, rows), desk, sent


def running() -> Any:
    return memoryview(b"")  # a context that does nothing


def state(**changes: int) -> Any:
    return SimpleNamespace(**{"committed": 0, "revealed": 0, "deadline": 100, "cycle": 7, **changes})


def test_member__that_can_measure_nothing__sits_the_cycle_out_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, desk, sent = scorer(tmp_path, monkeypatch, [NONE, NONE])
    with capture_logs() as told:
        member.score(state(), Seat(0))
        member.score(state(), Seat(0))
        reveal(desk, state(), Seat(0))
    assert sent == []
    said = [line for line in told if line["log_level"] == "error"]
    assert [line["event"] for line in said] == ["sits this cycle out: no measurement is finite"]
    assert said[0]["next_step"].startswith("look at your validation rows")


def test_member__that_can_not_measure_one_update__says_whose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member, desk, sent = scorer(tmp_path, monkeypatch, [GOOD, NONE])
    with capture_logs() as told:
        member.score(state(), Seat(0))
    assert sent == ["commit"]
    warned = [line for line in told if line["log_level"] == "warning"]
    assert [line["trainers"] for line in warned] == [[TRAINERS[2]]]
    known = desk.journal.recall((desk.follower.job, 7, "sheet"))
    assert known is not None
    assert decode_sheet(known["sheet"], 3) == [Entry(Code.OK, 5, 4), Entry(Code.ZERO), Entry(Code.OK, 0, 0)]


def test_member__with_good_measurements__says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member, _, sent = scorer(tmp_path, monkeypatch, [GOOD, GOOD])
    with capture_logs() as told:
        member.score(state(), Seat(0))
    assert sent == ["commit"] and {line["log_level"] for line in told} == {"info"}


@pytest.mark.parametrize("metric", [float("nan"), 0.0])
def test_member__whose_rows_are_not_finite__is_told_at_its_start(tmp_path: Path, metric: float) -> None:
    """metric: of one that sees it there, and of one like accuracy that does not, where the gradient tells."""
    task = SimpleNamespace(
        name="mine",
        validation=lambda seat, seats: [1.0, float("nan")],
        model=lambda: {"w": np.zeros(1, np.float32)},
        metric=lambda params, data: metric,
        gradient=lambda params, data: (float("nan"), {"w": np.full(1, np.nan)}),
    )
    context = SimpleNamespace(spec=SimpleNamespace(task="mine", validation="dealt"), terms=SimpleNamespace(seats=3))
    rows = ValidationRows(desk_of(tmp_path, GivenJob(tmp_path, context=context)), cast(Any, task))
    with pytest.raises(FatalError, match="not (a )?finite.* on the validation rows.*look for numbers"):
        rows.of(Seat(1))


def test_audit__tells_of_a_sheet_that_says_nothing() -> None:
    sheets = [[Entry(Code.OK, 0, 0), Entry(Code.ZERO), Entry(Code.OK, 0, 0)], [Entry(Code.OK, 0, 0), Entry(Code.OK, 5)]]
    sheets[1].append(Entry(Code.MALFORMED))
    none_ok = [Entry(Code.MALFORMED)] * 3
    revealed = [
        SimpleNamespace(seat=seat, sheet=encode_sheet(entries)) for seat, entries in enumerate([*sheets, none_ok])
    ]
    revealed.append(SimpleNamespace(seat=3, sheet=b"short"))
    cycle = SimpleNamespace(cycle=(5 << 1), updates=TRAINERS, committee=["0xa", "0xb", "0xc", "0xd"], sheets=revealed)
    report = Report()
    note_silent_sheets(report, cast(Any, cycle))
    assert [gap.what for gap in report.gaps] == ["what 0xa measured in cycle 5"]
    assert "not finite" in report.gaps[0].why and report.exit_code == 0
