"""A member that can measure or judge nothing: it doesn't vote zeros in silence, and an audit tells of one that does; it
is not silent either, for which a pool of stakes would burn its tokens."""

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
from aggregator.score import Scorer, reveal, sheet_key
from aggregator.vote import Voter
from hansa.audit.report import Report
from hansa.audit.unmeasured import note_silent_sheets
from hansa.protocol.errors import FatalError, HansaError, NotFound, SpoiltModel, StoreUnavailable
from hansa.protocol.result import NOTHING
from hansa.protocol.sheet import Entry, decode_sheet, encode_sheet
from hansa.protocol.types import Address, Code, Seat
from hansa.runtime.desk import Desk

TRAINERS = [Address("0x" + f"{number:02x}" * 20) for number in (1, 2, 3)]
CYCLE = SimpleNamespace(cycle=7, updates=[SimpleNamespace(trainer=each) for each in TRAINERS], updates_acc=11)
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
    return SimpleNamespace(
        **{"committed": 0, "revealed": 0, "deadline": 100, "cycle": 7, "updates": CYCLE.updates_acc, **changes}
    )


def sheet_of(desk: Desk) -> list[Entry]:
    known = desk.journal.recall(sheet_key(desk.follower.job, CYCLE.cycle, CYCLE.updates_acc))
    assert known is not None
    return decode_sheet(known["sheet"], 3)


def test_member__that_can_measure_nothing__calls_all_unreachable_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, desk, sent = scorer(tmp_path, monkeypatch, [NONE, NONE])
    with capture_logs() as told:
        member.score(state(), Seat(0))
        member.score(state(), Seat(0))
        reveal(desk, state(committed=1), Seat(0))
    assert sent == ["commit", "commit", "reveal"]
    assert sheet_of(desk) == [Entry(Code.UNREACHABLE)] * 3
    said = [line for line in told if line["log_level"] == "error"]
    assert [line["event"] for line in said] == ["calls every update unreachable: no measurement is finite"]
    assert said[0]["next_step"].startswith("look at your validation rows")


@pytest.mark.parametrize("error", [NotFound("model 3"), StoreUnavailable("store"), SpoiltModel("model 3")])
@pytest.mark.parametrize("where", ["the model itself", "one before it"])
def test_member__without_the_model__calls_all_unreachable_by_half_of_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: HansaError, where: str
) -> None:
    """Whoever keeps a model back, or votes one that is none, would have every honest member's stake burnt."""
    member, desk, sent = scorer(tmp_path, monkeypatch, [GOOD, GOOD])

    def fail(*asked: Any) -> Any:
        raise error

    if where == "one before it":
        cast(Any, desk.follower).models = SimpleNamespace(earlier=fail)
    else:
        member._inboxes = cast(Any, SimpleNamespace(of=fail))
    late = [False]
    monkeypatch.setattr(GivenJob, "is_past_time", lambda self, half: late[0])
    if not isinstance(error, SpoiltModel) and where == "the model itself":
        member.score(state(), Seat(0))
        assert sent == [], "it may come yet"
    late[0] = True
    with capture_logs() as told:
        member.score(state(), Seat(0))
    assert sent == ["commit"] and sheet_of(desk) == [Entry(Code.UNREACHABLE)] * 3
    assert [line["error"] for line in told if line["log_level"] == "error"] == [str(error)]


def test_member__without_the_model__votes_that_nothing_can_be_made(tmp_path: Path) -> None:
    """For that nobody needs it."""
    voter = Voter(desk_of(tmp_path), cast(Any, None), cast(Any, None), cast(Any, None))
    assert voter.work_out(cast(Any, CYCLE), cast(Any, SimpleNamespace(included=[])), Seat(0)) is NOTHING


def test_member__that_can_not_measure_one_update__says_whose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member, desk, sent = scorer(tmp_path, monkeypatch, [GOOD, NONE])
    with capture_logs() as told:
        member.score(state(), Seat(0))
    assert sent == ["commit"]
    warned = [line for line in told if line["log_level"] == "warning"]
    assert [line["trainers"] for line in warned] == [[TRAINERS[2]]]
    assert sheet_of(desk) == [Entry(Code.OK, 5, 4), Entry(Code.ZERO), Entry(Code.OK, 0, 0)]


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


def test_member__whose_cycle_a_reorganisation_gave_another_order__measures_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the sheet of the first order each would be paid what another earned."""
    member, desk, sent = scorer(tmp_path, monkeypatch, [GOOD, NONE])
    member.score(state(), Seat(0))
    other = SimpleNamespace(cycle=7, updates=CYCLE.updates[::-1], updates_acc=12)
    with capture_logs() as told:
        reveal(desk, state(committed=1, updates=other.updates_acc), Seat(0))
    assert sent == ["commit"] and "does not hold the sheet" in told[-1]["event"], "not the other order's"
    cast(Any, desk.follower).cycle = lambda: other
    monkeypatch.setattr(scoring, "measure", lambda *asked: [NONE, GOOD])
    member.score(state(), Seat(0))
    reveal(desk, state(committed=1, updates=other.updates_acc), Seat(0))
    assert sent == ["commit", "commit", "reveal"] and sheet_of(desk)[0] == Entry(Code.OK, 5, 4)
    known = desk.journal.recall(sheet_key(desk.follower.job, CYCLE.cycle, other.updates_acc))
    assert known is not None and decode_sheet(known["sheet"], 3)[2] == Entry(Code.OK, 5, 4)
