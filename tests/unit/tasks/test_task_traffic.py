"""Street sensors: rows, gaps, weeks, and the figures that README gives."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hansa.protocol.errors import FatalError
from hansa.tasks import defaults
from hansa.tasks.rehearsal import check, federate
from hansa.tasks.traffic import FILE, LAGS, WEEK, Traffic, forecast_accuracy


@pytest.fixture(scope="module")
def task() -> Traffic:
    return Traffic({"parties": 21}, seed=1)


def test_file__hours__follow_one_another_from_a_monday_at_six() -> None:
    hours = [datetime.fromisoformat(line.partition(",")[0]) for line in FILE.read_text().splitlines()[1:]]
    assert (hours[0].weekday(), hours[0].hour, len(hours)) == (0, 6, 50 * WEEK)
    assert all(after - before == timedelta(hours=1) for before, after in zip(hours, hours[1:], strict=False))


def test_rows__each_sensor__weeks_without_the_gap(task: Traffic) -> None:
    party = task.everyone[0]
    first = len(party.train) + len(party.held)
    assert party.name == "1 Courthouse Lane"
    assert len(task.parties()) == 21
    back_from_gap = len(LAGS) - 3
    assert first == 37 * WEEK - 1 - (1 + back_from_gap), "the first hour lacks its oldest count, others touch the gap"
    assert len(party.test) == 12 * WEEK - 3, "the gap is a week before three of them"


def test_rows__a_sensors_inputs__are_its_own_past(task: Traffic) -> None:
    counts = [float(line.split(",")[1] or "nan") for line in FILE.read_text().splitlines()[1:]]
    test = task.test("0")
    start = 38 * WEEK
    assert test.labels[0] == counts[start]
    assert test.inputs[0, : len(LAGS)] == pytest.approx([np.log1p(counts[start - lag]) / 6 - 0.8 for lag in LAGS])
    assert test.inputs[0, len(LAGS) :].sum() == 2, "one hour and one weekday"


def test_validation__held_weeks__are_the_same_for_all_sensors() -> None:
    task = Traffic({"parties": 3}, seed=1)
    hours = [p.held.inputs[:, len(LAGS) :].sum(axis=0) for p in task.everyone]
    assert all((hours[0] == other).all() for other in hours[1:])
    assert sum(len(task.validation(seat, 3)) for seat in range(3)) == sum(len(p.held) for p in task.everyone)


def test_model_0__forecasts_last_week_nearly(task: Traffic) -> None:
    lines = task.baselines(steps=1, seed=0, names=["last_week"])
    assert task.scores(task.model()).mean == pytest.approx(lines["last_week"].mean, abs=0.2)


def test_check__keeps_the_rules(task: Traffic) -> None:
    assert len(list(check(task, "0", 3))) == 5


def test_load__own_file__needs_more_than_a_week(task: Traffic, tmp_path: Path) -> None:
    own, lines = tmp_path / "own.csv", FILE.read_text().splitlines()
    own.write_text("\n".join(lines[: 1 + 200]))
    assert len(task.load(str(own))) == 21 * (200 - 169)
    for text in ("\n".join(lines[:100]), lines[0], ""):
        own.write_text(text)
        with pytest.raises(FatalError, match="can't be used; it needs counts, and more than 169 hours"):
            task.load(str(own))


@pytest.mark.parametrize(
    ("value", "said"),
    [("nan", "'nan' is not a finite number"), ("inf", "'inf' is not a finite number"), ("-3", "-3 is not a count"),
     ("1,5", "line 99: 23 columns where the header has 22"), ("many", "'many' is not a finite number")],
)  # fmt: skip
def test_load__own_file__names_the_line_and_the_sensor(task: Traffic, tmp_path: Path, value: str, said: str) -> None:
    own, lines = tmp_path / "own.csv", FILE.read_text().splitlines()[:300]
    cells = lines[98].split(",")
    lines[98] = ",".join([*cells[:2], value, *cells[3:]])
    own.write_text("\n".join(lines))
    where = "" if "," in value else r"own\.csv, line 99, column 107 Quay Street: "
    with pytest.raises(FatalError, match=where + said):
        task.load(str(own))
    lines[98] = ",".join([*cells[:2], "", *cells[3:]])
    own.write_text("\n".join(lines))
    assert len(task.load(str(own))), "an empty cell is a gap"


def test_forecast_accuracy__by_hand() -> None:
    counts = np.array([10.0, 0.0, 30.0])
    assert forecast_accuracy(counts, counts) == 1
    assert forecast_accuracy(np.zeros(3), counts) == 0
    assert forecast_accuracy(np.array([12.0, 2.0, 30.0]), counts) == pytest.approx(0.9)


def test_figures__federated_beats_the_same_hour_last_week() -> None:
    setup = defaults("traffic")
    task = Traffic(setup["settings"], 0)
    params = federate(task, task.parties(), 5, setup["steps"])
    lines = task.baselines(steps=1, seed=0, names=["last_week", "last_hour"])
    assert task.scores(params).mean > lines["last_week"].mean + 0.03
    assert lines["last_week"].mean > lines["last_hour"].mean
