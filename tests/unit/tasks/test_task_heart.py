"""Heart disease in four hospitals: rows, split, training, and the figures that README gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from hansa.protocol.errors import FatalError
from hansa.tasks import defaults
from hansa.tasks.heart import FILE, Heart
from hansa.tasks.rehearsal import federate
from hansa.tasks.rows import Rows


@pytest.fixture
def heart() -> Heart:
    return Heart({}, seed=1)


def test_rows__four_hospitals__are_flambys(heart: Heart) -> None:
    sizes = {p.name: (len(p.train) + len(p.held), len(p.test)) for p in heart.everyone}
    assert sizes == {"cleveland": (199, 104), "hungary": (172, 89), "switzerland": (30, 16), "va": (85, 45)}


def test_validation__all_seats__have_every_held_row_once(heart: Heart) -> None:
    shares = [heart.validation(seat, 3) for seat in range(3)]
    held = np.concatenate([p.held.inputs for p in heart.everyone])
    assert sum(map(len, shares)) == len(held) == pytest.approx(0.2 * 486, abs=3)
    dealt = np.concatenate([s.inputs for s in shares])
    assert sorted(map(bytes, dealt)) == sorted(map(bytes, held))
    assert [round(float(s.labels.mean()), 1) for s in shares] == [0.5, 0.5, 0.5], "labels are spread evenly"


def test_rows__twenty_parties__share_all_rows_evenly() -> None:
    task = Heart({"parties": 20}, seed=1)
    assert len(task.parties()) == 20
    assert {len(p.train) + len(p.held) for p in task.everyone} == {24, 25}
    assert {len(p.test) for p in task.everyone} == {12, 13}
    other = Heart({"parties": 20}, seed=2)
    pairs = zip(task.everyone, other.everyone, strict=True)
    assert any(a.test.inputs.tobytes() != b.test.inputs.tobytes() for a, b in pairs)


@pytest.mark.parametrize("parties", [1, 2, 3, 5, 100])
def test_rows__any_number_of_parties__everyone_can_train(parties: int) -> None:
    task = Heart({"parties": parties}, seed=3)
    trained = [
        task.train(task.model(), task.load(str(i)), steps=2, loss_threshold=None, seed=1) for i in range(parties)
    ]
    assert all(np.isfinite(t.loss) for t in trained)
    assert len(task.validation(2, 3)) > 5


def test_load__name_and_index__are_the_same_party(heart: Heart) -> None:
    assert heart.load("va").inputs.tobytes() == heart.load("3").inputs.tobytes()
    with pytest.raises(FatalError, match=r"no party 'vienna'; name one of cleveland, .* \(or 0 to 3\)"):
        heart.load("vienna")


def test_load__own_file__has_its_rows(heart: Heart, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("\n".join(FILE.read_text().splitlines()[:11]))
    assert len(heart.load(str(own))) == 10
    assert heart.load(str(own)).inputs[0, 0] == pytest.approx((63 - 50) / 10)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("cleveland,63,1,1,145,,1,2,150,0,2.3,0,train", r"own\.csv, line 2, column chol: '' is not a finite number"),
        (
            "cleveland,63,1,1,145,nan,1,2,150,0,2.3,0,train",
            r"own\.csv, line 2, column chol: 'nan' is not a finite number",
        ),
        ("cleveland,63,1,2.5,145,233,1,2,150,0,2.3,0,train", "column cp: '2.5' is not a whole number"),
        ("cleveland,63,1,1,145,1e39,1,2,150,0,2.3,0,train", "column chol: '1e39' is not a finite number"),
        ("cleveland,63,1,1,145,233,1,2,150,0,2.3,4,train", "line 2, column disease: '4' is neither 0 nor 1"),
        ("cleveland,63", "line 2: 2 columns where the header has 13"),
        ("", "without rows"),
    ],
)
def test_load__bad_file__names_the_line(heart: Heart, tmp_path: Path, line: str, reason: str) -> None:
    own = tmp_path / "own.csv"
    own.write_text(FILE.read_text().splitlines()[0] + "\n" + line + "\n")
    with pytest.raises(FatalError, match=reason):
        heart.load(str(own))
    with pytest.raises(FatalError, match="can't be read"):
        heart.load(str(tmp_path / "gone.csv"))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"learning_rat": "0.1"}, "no setting learning_rat; it has parties, batch, learning_rate, metric"),
        ({"parties": 0}, "setting parties is 0; it must be an integer from 1 to 100"),
        ({"parties": True}, "setting parties is True"),
        ({"learning_rate": 0.01}, "written as text"),
        ({"learning_rate": "nan"}, "learning_rate is 'nan'"),
        ({"metric": "f1"}, "accuracy or likelihood"),
    ],
)
def test_settings__wrong__are_refused(settings: Mapping[str, object], reason: str) -> None:
    with pytest.raises(FatalError, match=reason):
        Heart(settings, seed=1)


def test_train__threads__same_bits(heart: Heart) -> None:
    def run(threads: int) -> bytes:
        torch.set_num_threads(threads)
        rows = heart.load("0")
        params = heart.train(heart.model(), rows, steps=50, loss_threshold=None, seed=7).params
        loss, gradient = heart.gradient(params, heart.validation(0, 3))
        return b"".join(v.tobytes() for v in (*params.values(), *gradient.values(), np.float64(loss)))

    before = torch.get_num_threads()
    try:
        assert run(1) == run(2)
    finally:
        torch.set_num_threads(before)


def test_train__leaves_its_start_alone_and_follows_the_seed(heart: Heart) -> None:
    start = heart.model()
    start["weight"].flags.writeable = False
    first, again, other = (
        heart.train(start, heart.load("0"), steps=10, loss_threshold=None, seed=seed).params for seed in (1, 1, 2)
    )
    assert not start["weight"].any()
    assert first["weight"].tobytes() == again["weight"].tobytes() != other["weight"].tobytes()
    assert first["weight"].dtype == np.float32


def test_train__loss_threshold__stops_early(heart: Heart) -> None:
    free = heart.train(heart.model(), heart.load("1"), steps=400, loss_threshold=None, seed=1)
    bound = heart.train(heart.model(), heart.load("1"), steps=400, loss_threshold=0.6, seed=1)
    assert free.steps == 400
    assert bound.steps < 200
    assert bound.loss <= 0.6


def test_gradient__float64__is_the_slope_of_the_loss(heart: Heart) -> None:
    rows = heart.validation(0, 3)
    random = np.random.RandomState(1)
    at = {name: random.normal(size=value.shape) for name, value in heart.model().items()}
    loss, gradient = heart.gradient(at, rows)
    for name, value in at.items():
        step = np.zeros_like(value)
        step[-1] = 1e-6
        ahead = heart.gradient({**at, name: value + step}, rows)[0]
        behind = heart.gradient({**at, name: value - step}, rows)[0]
        assert gradient[name][-1] == pytest.approx((ahead - behind) / 2e-6, rel=1e-6)
        assert gradient[name].dtype == np.float64
    logits = rows.inputs.astype(float) @ at["weight"] + at["bias"]
    assert loss == pytest.approx(float(np.mean(np.logaddexp(0, logits) - rows.labels * logits)))


def test_gradient__no_rows__is_a_clear_error(heart: Heart) -> None:
    empty = Rows(np.zeros((0, 13), np.float32), np.zeros(0, np.float32))
    with pytest.raises(FatalError, match="no rows"):
        heart.gradient(heart.model(), empty)


def test_metric__likelihood__moves_where_accuracy_does_not() -> None:
    by_truth, by_count = Heart({"metric": "likelihood"}, seed=1), Heart({}, seed=1)
    rows = by_truth.validation(0, 3)
    small, large = ({"bias": np.array([b], np.float32), "weight": np.zeros(13, np.float32)} for b in (0.01, 0.02))
    assert by_truth.metric(by_truth.model(), rows) == pytest.approx(0.5)
    assert by_truth.metric(small, rows) != by_truth.metric(large, rows)
    assert by_count.metric(small, rows) == by_count.metric(large, rows)


def test_figures__five_seeds__federated_beats_own_models_on_everybody() -> None:
    setup = defaults("heart")
    federated, own_on_all, majority = [], [], []
    for seed in range(5):
        task = Heart(setup["settings"], seed)
        federated.append(task.scores(federate(task, task.parties(), setup["rounds"], setup["steps"], seed)).mean)
        lines = task.baselines(steps=setup["rounds"] * setup["steps"], seed=seed)
        assert set(lines) == {"local_own", "local_all", "pooled", "majority"}
        own_on_all.append(lines["local_all"].mean)
        majority.append(lines["majority"].mean)
    assert np.mean(federated) >= 0.80
    assert np.mean(federated) >= np.mean(own_on_all) + 0.05
    assert np.mean(majority) == pytest.approx(0.721, abs=0.001)


def test_baselines__some__only_those(heart: Heart) -> None:
    assert list(heart.baselines(steps=1, seed=1, names=["majority"])) == ["majority"]
    with pytest.raises(FatalError, match="no baseline 'oracle'"):
        heart.baselines(steps=1, seed=1, names=["oracle"])
