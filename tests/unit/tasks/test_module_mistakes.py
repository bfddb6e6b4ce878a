"""A stranger's usual mistakes in a task of a torch module: one sentence each, which says what to write instead."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from test_module_refusals import FROZEN_TASK, refused
from test_module_task import Line
from torch import nn

from hansa.protocol.errors import FatalError
from hansa.sponsor.post import prepare
from hansa.tasks import consent, load_task, load_task_of
from hansa.tasks.loading import use_device


class Named(Line):
    name = "line"


class Wide(Named):
    """As wide as the rows that it read last."""

    width = 2

    def module(self) -> nn.Module:
        return nn.Linear(self.width, 1)

    def load(self, source: str) -> Any:
        self.width = 3
        return super().load(source)


class Unmade(Named):
    def optimizer(self, parameters: Any) -> Any:
        return torch.optim.Adam


class Elsewhere(Named):
    def optimizer(self, parameters: Any) -> Any:
        return torch.optim.SGD(nn.Linear(3, 1).parameters(), lr=0.1)


class Silent(Named):
    def metric(self, module: Any, data: Any) -> Any:
        pass


class Many(Named):
    def metric(self, module: Any, data: Any) -> Any:
        return torch.zeros(3)


class Broken(Named):
    def module(self) -> nn.Module:
        raise AssertionError("no GPU")


class Closing(Named):
    def optimizer(self, parameters: Any) -> Any:
        return torch.optim.LBFGS(parameters)


class Plateau(Named):
    def optimizer(self, parameters: Any) -> Any:
        optimizer = torch.optim.SGD(parameters, lr=0.1)
        return optimizer, torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)


class Standing(Named):
    def optimizer(self, parameters: Any) -> Any:
        return SimpleNamespace(zero_grad=lambda: None)


class Metadata(Named):
    """Has a tensor whose name safetensors keeps for itself."""

    def module(self) -> nn.Module:
        module = super().module()
        module.register_parameter("__metadata__", nn.Parameter(torch.zeros(2)))
        return module


class Unseen(Named):
    def validation(self, seat: int, seats: int, source: str = "") -> Any:
        pass


class Leaving(Named):
    def load(self, source: str) -> Any:
        sys.exit(0)


class Given(Named):
    """Whatever a test says in place of rows."""

    given: Any = None

    def load(self, source: str) -> Any:
        return self.given

    def validation(self, seat: int, seats: int, source: str = "") -> Any:
        return super(Line, self).validation(seat, seats, source)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            Wide,
            "module() of task line: weight was (1, 2) and is (1, 3) in another module(): its shape depends on the data",
        ),
        (
            Unmade,
            "optimizer() of task line returned Adam, a class; return a torch optimizer, or (optimizer, scheduler)",
        ),
        (Closing, "LBFGS, of optimizer() of task line, can't be used: its step() asks for closure; return one whose"),
        (Plateau, "ReduceLROnPlateau, of optimizer() of task line, can't be used: its step() asks for metrics"),
        (Standing, "optimizer() of task line returned SimpleNamespace; return a torch optimizer"),
        (Metadata, "this model can't be written: tensor '__metadata__' of shape (2,) has no name"),
        (Unseen, "validation() of task line gave NoneType, which has no length; return hansa.Rows"),
        (Leaving, "task line failed while loading a: SystemExit: 0; `python -m hansa.tasks`"),
        (Elsewhere, "train() changed nothing in 5 steps; look whether the learning rate is far too small, or the opt"),
        (Silent, "metric() of task line returned nothing; return one number, larger being better"),
        (Many, "metric() of task line returned a tensor of shape (3,); return one number"),
        (Broken, "task line failed while making model 0: AssertionError: no GPU"),
    ],
)
def test_rehearsal__of_a_mistake__is_a_sentence(kind: type[Line], said: str) -> None:
    task = kind({}, 1)
    use_device(task, "cpu", 1)
    assert refused(task).startswith(said)


INPUTS, LABELS = torch.zeros(8, 3), torch.zeros(8)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"x": INPUTS, "y": LABELS}, "dict"),
        ((INPUTS, LABELS), "tuple"),
        (torch.utils.data.DataLoader(torch.utils.data.TensorDataset(INPUTS, LABELS)), "DataLoader"),
    ],
)
def test_load__of_what_is_no_data_set__is_told_what_one_is(given: Any, kind: str) -> None:
    task = Given({}, 1)
    task.given = given
    assert refused(task) == (
        f"load() of task line gave {kind}, which is no data set: item i of a data set is row i; "
        "return hansa.Rows(inputs, labels), or a data set with __len__ and __getitem__"
    )


def test_load__without_a_row__says_who_needs_one() -> None:
    task = Given({}, 1)
    task.given = []
    assert refused(task) == (
        "somebody has no rows: a: 0, validators: [0, 0]; give every trainer and every validator at least one"
    )


def test_module__is_not_made_before_its_device_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Named({}, 1)
    monkeypatch.setattr(task, "module", lambda: pytest.fail("made"))
    assert use_device(task, "cpu", 1) == "cpu"


def test_class__that_lacks_methods__is_told_which(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text(
        "import torch\nfrom hansa import ModuleTask\n"
        "class Half(ModuleTask):\n    def module(self):\n        return torch.nn.Linear(3, 1)\n"
    )
    name, place = consent(str(file))
    with pytest.raises(FatalError, match=r"^task half.py:Half lacks load, loss, metric: .*; write what lacks, as docs"):
        load_task(name, {}, 1, **place)


def test_frozen_file__in_a_variable_that_is_not_set__is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, encoder = tmp_path / "head.py", tmp_path / "encoder.npy"
    file.write_text(FROZEN_TASK.replace('numpy.load(os.environ["ENCODER"])', "numpy.eye(2, dtype='float32')"))
    encoder.write_bytes(b"weights")
    said = "failed while looking at its frozen files: the environment variable ENCODER is not set; set it, as in"
    monkeypatch.delenv("ENCODER", raising=False)
    with pytest.raises(FatalError, match=said):
        prepare(str(file), seed=1)
    monkeypatch.setenv("ENCODER", str(encoder))
    spec = prepare(str(file), seed=1).spec
    monkeypatch.delenv("ENCODER")
    with pytest.raises(FatalError, match=said):
        load_task_of(spec, allowed=[str(file)])
