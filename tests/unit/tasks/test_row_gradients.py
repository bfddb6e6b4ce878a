"""Each row's own gradient: what it is, and the modules that have none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from test_module_task import Line, made
from torch import nn

from hansa import Rows
from hansa.protocol.errors import FatalError
from hansa.tasks import load_task
from hansa.tasks.base import RowDifferentiable
from hansa.tasks.modules import private
from hansa.tasks.per_row import ROOM, chunks

BUILT_IN = ["heart", "maintenance", "traffic", "mnist"]


def taken(task: Any, params: Any, data: Any, **options: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """All rows' losses and gradients."""
    losses, slopes = zip(*task.row_gradients(params, data, seed=0, **options), strict=True)
    return np.concatenate(losses), {name: np.concatenate([part[name] for part in slopes]) for name in slopes[0]}


@pytest.mark.parametrize("name", BUILT_IN)
def test_gradients__of_a_built_in_task_s_rows__are_each_what_that_row_alone_gives(name: str) -> None:
    task = load_task(name, {}, 1)
    assert isinstance(task, RowDifferentiable)
    data = task.load("0").take(np.arange(30))
    random = np.random.default_rng(0)
    params = {key: random.normal(size=value.shape) * 0.1 for key, value in task.model().items()}
    losses, slopes = taken(task, params, data)
    assert losses.shape == (30,)
    for place in (0, 7, 29):
        loss, alone = task.gradient(params, data.take(np.array([place])))
        assert losses[place] == pytest.approx(loss, rel=1e-9)
        for key, value in alone.items():
            assert slopes[key].dtype == np.float64
            np.testing.assert_allclose(slopes[key][place], value, rtol=1e-7, atol=1e-12)


def test_gradients__of_a_row__are_the_same_whatever_the_other_rows_are() -> None:
    task = load_task("heart", {}, 0)
    data, params = task.load("0"), task.model()
    changed = Rows(data.inputs.copy(), data.labels.copy())
    changed.inputs[1:] *= 3
    first, other = taken(task, params, data)[1], taken(task, params, changed)[1]
    assert all(np.array_equal(first[name][0], other[name][0]) for name in first)


def test_chunks__hold_what_there_is_room_for_and_every_row_once() -> None:
    parts = list(chunks(10, ROOM // 8 // 4))
    assert [(part.start, part.stop) for part in parts] == [(0, 4), (4, 8), (8, 10)]
    assert [(part.start, part.stop) for part in chunks(3, 10**12)] == [(0, 1), (1, 2), (2, 3)]


class Picture(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.norm, self.outer = nn.Linear(3, 4), nn.GroupNorm(2, 4), nn.Linear(4, 1)
        self.unused = nn.Parameter(torch.ones(2))
        self.register_buffer("table", torch.arange(3))

    def forward(self, inputs: Any) -> Any:
        return self.outer(self.norm(self.inner(inputs)).relu())


@pytest.mark.parametrize("slow", [False, True])
def test_gradients__of_a_module_s_rows__are_those_of_each_row(slow: bool) -> None:
    task = made(Picture)
    data, params = task.load("a"), task.model()
    losses, slopes = taken(task, params, data, slow=slow)
    assert set(slopes) == set(params)
    assert not slopes["unused"].any()
    for place in (0, 40):
        loss, alone = task.gradient(params, data.take(np.array([place])))
        assert losses[place] == pytest.approx(loss, rel=1e-5)
        for name, value in alone.items():
            np.testing.assert_allclose(slopes[name][place], value, rtol=1e-4, atol=1e-5)


def test_gradients__of_a_data_set_of_items__are_taken_as_well() -> None:
    task = made(lambda: nn.Linear(3, 1))
    rows = task.load("a")
    items = [(torch.tensor(rows.inputs[i]), float(rows.labels[i])) for i in range(len(rows))]
    slopes = taken(task, task.model(), items)[1]
    expected = taken(task, task.model(), rows)[1]
    np.testing.assert_allclose(slopes["weight"], expected["weight"], rtol=1e-5, atol=1e-6)


def test_dropout__draws_for_each_row_by_itself() -> None:
    task = made(lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 1)))
    rows = task.load("a").take(np.zeros(64, np.intp))  # one row, again and again
    slopes = taken(task, task.model(), rows)[1]["1.weight"]
    assert len(np.unique(slopes, axis=0)) > 2


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.memory, self.out = nn.LSTM(1, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, inputs: Any) -> Any:
        return self.out(self.memory(inputs.unsqueeze(2))[0][:, -1])


def spectral() -> nn.Module:
    return nn.utils.parametrizations.spectral_norm(nn.Linear(3, 1))


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 1)
        self.register_buffer("positions", torch.ones(3), persistent=False)

    def forward(self, inputs: Any) -> Any:
        return self.inner(inputs + self.positions)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)),
            "1, a BatchNorm1d, mixes the rows",
        ),
        (lambda: nn.Sequential(nn.Linear(3, 1), nn.SyncBatchNorm(1)), "1, a SyncBatchNorm, mixes the rows"),
        (
            lambda: nn.Sequential(nn.InstanceNorm1d(3, track_running_stats=True), nn.Linear(3, 1)),
            "0, a InstanceNorm1d, keeps statistics of rows",
        ),
        (Recurrent, "memory, a LSTM, can't be vectorised over rows; --slow takes one row"),
        (spectral, "parametrizations.weight.0._u is a floating buffer"),
        (Positions, "positions is a floating buffer"),
    ],
)
def test_module__whose_rows_are_not_apart__is_refused_by_name(make: Any, said: str) -> None:
    with pytest.raises(FatalError, match=said):
        private.check_module("line", make(), slow=False)


def test_module__that_is_recurrent__is_trained_slowly() -> None:
    task = made(Recurrent)
    data, params = task.load("a").take(np.arange(5)), task.model()
    losses, slopes = taken(task, params, data, slow=True)
    loss, alone = task.gradient(params, data.take(np.array([3])))
    assert losses[3] == pytest.approx(loss, rel=1e-4)
    np.testing.assert_allclose(slopes["memory.weight_hh_l0"][3], alone["memory.weight_hh_l0"], rtol=1e-3, atol=1e-5)


def test_loss__that_looks_at_its_numbers__is_refused_with_the_slow_way() -> None:
    class Looking(Line):
        def loss(self, module: nn.Module, batch: Any) -> Any:
            found = super().loss(module, batch)
            return found if found.item() > 0 else 0 * found

    task = made(lambda: nn.Linear(3, 1), Looking)
    with pytest.raises(FatalError, match="can't be trained with --epsilon row by row at once.*--slow"):
        taken(task, task.model(), task.load("a"))
    assert len(taken(task, task.model(), task.load("a"), slow=True)[0]) == 64


def test_collate__of_a_task_s_own__is_refused_but_slowly() -> None:
    class Padded(Line):
        def collate(self, items: list[Any]) -> Any:
            return super().collate(items)

    task = made(lambda: nn.Linear(3, 1), Padded)
    items = [(torch.ones(3), 1.0)] * 4
    with pytest.raises(FatalError, match=r"its collate\(\) may put a row's numbers where another's are"):
        taken(task, task.model(), items)
    assert len(taken(task, task.model(), items, slow=True)[0]) == 4
