"""A module's model as files: what plain torch, and ONNX's own reference, make of them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hansa import ModuleTask, Rows
from hansa.protocol.errors import FatalError
from hansa.results import formats


class Net(nn.Module):
    """BatchNorm, a frozen layer, tied weights."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.frozen = nn.Linear(4, 4)
        self.frozen.requires_grad_(False)
        self.first = nn.Linear(4, 4, bias=False)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(self.frozen(self.norm(x)))))


class Made(ModuleTask):
    def module(self) -> nn.Module:
        return Net()

    def load(self, source: str) -> Rows:
        random = np.random.RandomState(len(source))
        return Rows(random.normal(3.0, 2.0, (64, 4)).astype(np.float32), random.randint(0, 4, 64))

    def loss(self, module: nn.Module, batch: Any) -> torch.Tensor:
        return nn.functional.cross_entropy(module(batch[0]), batch[1])

    def metric(self, module: nn.Module, data: Any) -> float:
        return -self.mean(module, data)


@pytest.fixture(scope="module")
def trained() -> tuple[Made, nn.Module]:
    task = Made({}, 7)
    params = task.train(task.model(), task.load("a"), steps=20, loss_threshold=None, seed=1).params
    return task, task.module_at(params)


def test_state_dict__is_loaded_by_plain_torch(trained: tuple[Made, nn.Module]) -> None:
    task, module = trained
    loaded = Net()
    loaded.load_state_dict(torch.load(io.BytesIO(formats.state_dict(module)), weights_only=True), strict=True)
    inputs = torch.tensor(task.load("bb").inputs)
    with torch.no_grad():
        assert torch.equal(loaded.eval()(inputs), module(inputs))
        assert not torch.allclose(Net().eval()(inputs), module(inputs), atol=0.1)


def test_onnx__gives_the_same_for_any_number_of_rows(trained: tuple[Made, nn.Module]) -> None:
    reference = pytest.importorskip("onnx.reference", reason="onnx is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    import onnx

    task, module = trained
    graph = onnx.load_model_from_string(formats.onnx(task, module, task.load("a")))
    runner = reference.ReferenceEvaluator(graph)
    for rows in (1, 5, 64):
        inputs = task.load("bb").inputs[:rows]
        with torch.no_grad():
            expected = module(torch.tensor(inputs)).numpy()
        (found,) = runner.run(None, {graph.graph.input[0].name: inputs})
        assert np.allclose(found, expected, atol=1e-5)


def test_onnx__without_its_packages__names_them(
    trained: tuple[Made, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(FatalError, match="pip install onnx onnxscript"):
        formats.onnx(trained[0], trained[1], trained[0].load("a"))


def test_onnx__of_a_loss_that_never_calls_its_module__is_refused(trained: tuple[Made, nn.Module]) -> None:
    class Aside(Made):
        def loss(self, module: Any, batch: Any) -> torch.Tensor:
            return nn.functional.cross_entropy(module.second(module.norm(batch[0])), batch[1])

    task = Aside({}, 7)
    with pytest.raises(FatalError, match="doesn't call its module as a whole"):
        formats.onnx(task, trained[1], task.load("a"))
