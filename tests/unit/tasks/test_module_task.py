"""What of a module travels, how it trains, and what happens when it is stopped half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hansa import ModuleTask, Rows
from hansa.protocol import aggregation
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model, initial_model, quantise
from hansa.tasks.base import Differentiable, Movable, Progress, Reporting, Task
from hansa.tasks.modules.sgd import Momentum
from hansa.tasks.rehearsal import check

SLOPE = np.float32([1.0, -2.0, 0.5])


class Line(ModuleTask):
    """y = x · w + b, of rows that a seed makes."""

    batch = 8
    learning_rate = 0.05

    def module(self) -> nn.Module:
        return nn.Linear(3, 1)

    def load(self, source: str) -> Any:
        inputs = np.random.default_rng(len(source)).normal(size=(64, 3)).astype(np.float32)
        return Rows(inputs, inputs @ SLOPE + 1)

    def validation(self, seat: int, seats: int, source: str = "held back") -> Any:
        return super().validation(seat, seats, source)

    def loss(self, module: nn.Module, batch: Any) -> Any:
        inputs, labels = batch
        return ((module(inputs).squeeze(1) - labels) ** 2).mean()

    def metric(self, module: nn.Module, data: Any) -> float:
        return -self.mean(module, data)


def made(make: Callable[[], nn.Module], kind: type[Line] = Line) -> Line:
    """A task of this module."""
    task = kind({}, 1)
    task.module = make  # type: ignore[method-assign]
    return task


def trained(task: Line, steps: int = 20, params: Any = None) -> dict[str, np.ndarray]:
    start = task.model() if params is None else params
    return task.train(start, task.load("a"), steps=steps, loss_threshold=None, seed=3).params


class Everything(nn.Module):
    """A tensor of every kind."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)
        self.outer = nn.Linear(4, 1)
        self.scale, self.nothing = nn.Parameter(torch.tensor(1.5)), nn.Parameter(torch.zeros(0, 3))
        self.fixed = nn.Parameter(torch.ones(4), requires_grad=False)
        self.register_buffer("mask", torch.full((2,), -torch.inf), persistent=False)
        self.register_buffer("table", torch.arange(3))
        self.seen = 0

    def forward(self, inputs: Any) -> Any:
        return self.outer(self.norm(self.inner(inputs)) * self.fixed) * self.scale


TRAVELLING = {
    "inner.bias", "inner.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.weight",
    "outer.bias", "outer.weight", "scale",
}  # fmt: skip


def test_protocols__are_kept() -> None:
    task = Line({}, 1)
    for protocol in (Task, Differentiable, Movable, Reporting):
        assert isinstance(task, protocol)
    assert task.name == "line"


def test_metric__of_a_class_mixed_in__takes_models_too() -> None:
    class Negated:
        def metric(self, module: nn.Module, data: Any) -> float:
            return float(module(torch.zeros(3)).sum())

    class Mixed(Negated, Line):  # type: ignore[misc]
        pass

    task = Mixed({}, 1)
    assert task.metric(task.model(), task.load("a")) == pytest.approx(float(task.model()["bias"][0]))


def test_model__has_trainable_parameters_and_floating_buffers() -> None:
    task = made(Everything)
    assert task.model().keys() == TRAVELLING
    assert task.model()["scale"].shape == ()
    assert task.staying == 4
    assert len(list(check(task, "a", 2))) == 5


def test_model__is_the_seeds_alone() -> None:
    torch.manual_seed(7)
    first = Line({}, 1).model()["weight"]
    assert torch.initial_seed() == 7, "the caller's generator is left alone"
    torch.manual_seed(8)
    assert np.array_equal(first, Line({}, 1).model()["weight"])
    assert not np.array_equal(first, Line({}, 2).model()["weight"])


def test_train__what_stays_at_home__starts_anew_each_time() -> None:
    task = made(Everything)
    first = trained(task, 5)
    held = task._here().module
    assert held.norm.num_batches_tracked == 5
    again = trained(task, 5)
    assert held.norm.num_batches_tracked == 5
    assert all(first[name].tobytes() == again[name].tobytes() for name in TRAVELLING)


def test_tensor__of_no_dimensions__is_averaged_like_others() -> None:
    task = made(Everything)
    model = Model.decode(initial_model(task.model(), 8).encode())
    after = trained(task, 5, model.tensors)
    update = quantise({name: after[name] - model.tensors[name] for name in model.names}, model)
    assert update["scale"].shape == () and update["scale"] != 0
    for rule in aggregation.RULES:
        found = aggregation.aggregate(rule, model, [update] * 4, [1] * 4, [256] * 4)
        assert found["scale"].shape == ()
        assert found["scale"] == pytest.approx(after["scale"], abs=2**-8)


def test_tied_weights__travel_once_and_stay_tied() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.there, self.back, self.out = nn.Linear(3, 3), nn.Linear(3, 3, bias=False), nn.Linear(3, 1)
            self.back.weight = self.there.weight

        def forward(self, inputs: Any) -> Any:
            return self.out(self.back(self.there(inputs)))

    task = made(Tied)
    assert task.model().keys() == {"there.weight", "there.bias", "out.weight", "out.bias"}
    after = trained(task)
    module = task.module_at(after)
    assert np.array_equal(module.state_dict()["back.weight"].numpy(), after["there.weight"])
    assert not np.array_equal(after["there.weight"], task.model()["there.weight"])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision__rounding_is_no_trainers_work(dtype: torch.dtype) -> None:
    class Half(Line):
        def loss(self, module: nn.Module, batch: Any) -> Any:
            return super().loss(module, (batch[0].to(dtype), batch[1])).float()

    task = made(lambda: nn.Linear(3, 1).to(dtype), Half)
    start = {name: value + np.float32(1e-4) for name, value in task.model().items()}
    assert trained(task, 0, start)["weight"].tobytes() == start["weight"].tobytes(), "no step, no change"
    assert np.abs(trained(task, 40, start)["weight"] - trained(Line({}, 1), 40, start)["weight"]).max() < 0.1
    assert len(list(check(task, "a", 2))) == 5


def test_three_thousand_tensors__work() -> None:
    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ParameterList(nn.Parameter(torch.ones(1)) for _ in range(3000))
            self.line = nn.Linear(3, 1)

        def forward(self, inputs: Any) -> Any:
            return self.line(inputs) + torch.cat(list(self.parts)).mean()

    task = made(Deep)
    model = Model.decode(initial_model(task.model(), 8).encode())
    assert len(model.names) == 3002
    after = trained(task, 3, model.tensors)
    quantise({name: after[name] - model.tensors[name] for name in model.names}, model)


def test_variance__that_a_mean_of_updates_made_negative__is_none() -> None:
    task = made(Everything)
    params = {**task.model(), "norm.running_var": np.full(4, -3, np.float32)}
    assert np.isfinite(task.metric(params, task.load("a")))


def test_fedprox__pulls_towards_the_model_that_training_began_from() -> None:
    def distance(proximal: float) -> float:
        task = Line({"proximal": str(proximal)}, 1)
        start, after = task.model(), trained(task, 60)
        return float(sum(((after[name] - start[name]) ** 2).sum() for name in start))

    free, pulled, tied = distance(0), distance(1), distance(10)
    assert free > 1.5 * pulled > 3 * tied


def test_momentum__is_torchs() -> None:
    weights = [[nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.tensor(0.5))] for _ in range(2)]
    ours, theirs = Momentum(weights[0], 0.1, 0.9), torch.optim.SGD(weights[1], lr=0.1, momentum=0.9)
    for step in range(5):
        for (first, second), optimizer in zip(weights, (ours, theirs), strict=True):
            optimizer.zero_grad()
            (first.pow(2).sum() * second + (first[0] if step else 0)).backward()
            optimizer.step()
    for mine, other in zip(*weights, strict=True):
        assert torch.equal(mine, other)


def test_scheduler__steps_with_its_optimizer() -> None:
    rates: list[float] = []

    class Scheduled(Line):
        def optimizer(self, parameters: Any) -> Any:
            adam = torch.optim.Adam(parameters, lr=1.0)
            return adam, torch.optim.lr_scheduler.StepLR(adam, 1, gamma=0.5)

        def loss(self, module: nn.Module, batch: Any) -> Any:
            return super().loss(module, batch)

    task = Scheduled({}, 1)
    original = torch.optim.Adam.step

    def step(self: Any, *rest: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return original(self, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", step)
        trained(task, 3)
    assert rates == [1.0, 0.5, 0.25]


def test_threshold__ends_training_early() -> None:
    task = Line({}, 1)
    found = task.train(task.model(), task.load("a"), steps=1000, loss_threshold=0.01, seed=1)
    assert found.steps < 1000 and found.steps % 20 == 0 and found.loss <= 0.01


def test_progress__is_told_and_what_it_raises_ends_training_cleanly() -> None:
    task, heard = Line({}, 1), list[Progress]()
    start, rows = task.model(), task.load("a")
    before = trained(task)

    class Stopped(BaseException):
        pass

    def tell(progress: Progress) -> None:
        heard.append(progress)
        if progress.step == 7:
            raise Stopped

    task.on_progress = tell
    torch.manual_seed(5)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with pytest.raises(Stopped):
        task.train(start, rows, steps=20, loss_threshold=None, seed=3)
    assert [progress.step for progress in heard] == list(range(1, 8))
    assert heard[-1].steps == 20 and heard[-1].loss > 0 and heard[-1].rate > 0
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), state)
    task.on_progress = lambda progress: None
    assert all(trained(task)[name].tobytes() == before[name].tobytes() for name in before)


def test_settings__are_read_and_what_nobody_reads_is_refused() -> None:
    task = Line({"batch": 4, "learning_rate": "0.5", "proximal": "0.01"}, 1)
    assert (task.batch, task.learning_rate, task.proximal) == (4, 0.5, 0.01)
    with pytest.raises(FatalError, match="task line has no setting momentum; it has batch, learning_rate, proximal"):
        Line({"momentum": "0.9"}, 1)


def test_batches__of_the_users_own__are_asked_for_pass_after_pass() -> None:
    seeds: list[int] = []

    class Own(Line):
        def batches(self, data: Any, seed: int) -> Iterable[Any]:
            seeds.append(seed)
            return torch.utils.data.DataLoader(
                torch.utils.data.TensorDataset(torch.tensor(data.inputs), torch.tensor(data.labels)), 32
            )

    trained(Own({}, 1), 5)
    assert len(seeds) == len(set(seeds)) == 3, "two batches a pass"


def test_gradient__has_no_slope_of_buffers_and_leaves_none_behind() -> None:
    task = made(Everything)
    loss, slopes = task.gradient(task.model(), task.load("a"))
    assert slopes.keys() == {name for name in TRAVELLING if "running" not in name}
    assert np.isfinite(loss) and all(value.dtype == np.float32 for value in slopes.values())
    assert all(weight.grad is None for weight in task._here().module.parameters())


def test_gradient__chunk_by_chunk_is_that_of_all_rows() -> None:
    task = Line({}, 1)
    loss, slopes = task.gradient(task.model(), task.load("a"))
    task.rows_at_once = 7
    parts, by_part = task.gradient(task.model(), task.load("a"))
    assert parts == pytest.approx(loss, rel=1e-5)
    assert by_part["weight"] == pytest.approx(slopes["weight"], rel=1e-4)
