"""Modules, data, optimizers, devices and frozen files that can't be used: one sentence each, in the rehearsal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_module_task import Everything, Line, made
from torch import nn

from hansa import ModuleTask
from hansa.protocol.errors import FatalError
from hansa.protocol.spec import JobSpec
from hansa.sponsor.post import prepare
from hansa.tasks import load_task_of, task_digest
from hansa.tasks.frozen import check_frozen, frozen_digests, parse_frozen
from hansa.tasks.heart import Heart
from hansa.tasks.loading import use_device
from hansa.tasks.modules.device import find_device
from hansa.tasks.rehearsal import check, federate
from hansa.tasks.validation import validation_rows


def refused(task: Any) -> str:
    """What the rehearsal says, one sentence."""
    with pytest.raises(FatalError) as caught:
        list(check(task, "a", 2))
        federate(task, ["a"], 1, 10)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Growing(nn.Module):
    """Makes its layer when it sees how wide the data are."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(1, 1)

    def forward(self, inputs: Any) -> Any:
        if self.inner.in_features != inputs.shape[1]:
            self.inner = nn.Linear(inputs.shape[1], 1)
        return self.inner(inputs)


class Sharing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(3, 1)
        self.again = nn.Parameter(self.line.weight.data)


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(3, 1)
        self.register_buffer("mask", torch.full((2,), -torch.inf))


class Frozen(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 1)
        self.requires_grad_(False)


@pytest.mark.filterwarnings("ignore:Complex modules are a new feature:UserWarning")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (nn.Identity, "module() of task line has no trainable parameters; return a module in which some"),
        (Frozen, "module() of task line has no trainable parameters"),
        (
            lambda: nn.LazyLinear(1),
            "module() of task line: weight has no shape before it has seen data; give the layer",
        ),
        (Growing, "module() of task line: inner.weight was (1, 1) and is (1, 3) after a batch: its shape depends on"),
        (Sharing, "module() of task line: line.weight and again share their memory but are two parameters; tie them"),
        (lambda: nn.Linear(3, 1).to(torch.complex64), "module() of task line: weight is complex64; make it float32"),
        (Masked, "model(): mask is empty or has numbers that are not finite; leave it out of the model"),
        (lambda: None, "module() of task line returned nothing; return a torch.nn.Module"),
    ],
)
def test_module__that_can_not_be_federated(make: Any, said: str) -> None:
    assert said in refused(made(make))


class Exploding(Line):
    """NaN in step 3."""

    steps = 0

    def loss(self, module: nn.Module, batch: Any) -> Any:
        self.steps += module.training
        return super().loss(module, batch) * (torch.nan if self.steps % 3 == 0 else 1)


class Thoughtless(Line):
    def optimizer(self, parameters: Any) -> Any:
        torch.optim.Adam(parameters)


class Listed(Line):
    def loss(self, module: nn.Module, batch: Any) -> Any:
        return (module(batch[0]) - batch[1].unsqueeze(1)) ** 2


class Detached(Line):
    def loss(self, module: nn.Module, batch: Any) -> Any:
        return super().loss(module, batch).detach()


class Empty(Line):
    def load(self, source: str) -> Any:
        return super().load(source).take(slice(0, 0))


class Endless(Line):
    def load(self, source: str) -> Any:
        return iter([])


class Passive(Line):
    def batches(self, data: Any, seed: int) -> Any:
        return []


class Odd(Line):
    def load(self, source: str) -> Any:
        return [object()] * 64

    def validation(self, seat: int, seats: int, source: str = "") -> Any:
        return self.load("")


class Greedy(Line):
    def loss(self, module: nn.Module, batch: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


class Restless(Line):
    def loss(self, module: nn.Module, batch: Any) -> Any:
        return super().loss(module, batch) * np.random.default_rng().random()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Exploding, "the loss of task line is nan in step 3 of 3; lower the learning rate, or look for numbers"),
        (Thoughtless, "optimizer() of task line returned nothing; return a torch optimizer, or (optimizer, scheduler)"),
        (Listed, "loss() of task line returned a tensor of shape (8, 1); return one number, the batch's mean"),
        (Detached, "loss() of task line does not depend on any parameter of module(); compute it from"),
        (Empty, "somebody has no rows: a: 0, validators: [0, 0]"),
        (Endless, "load() of task line gave list_iterator, which has no length; return hansa.Rows, or a data set"),
        (Passive, "batches() of task line gave none; make it yield at least one a pass"),
        (Odd, "a batch of object can't be made; give tensors, arrays, numbers, texts"),
        (
            Greedy,
            "task line ran out of memory on cpu while training: batches of 8 rows are too many for it; lower",
        ),
        (Restless, "differs from run to run; draw everything from `seed`"),
    ],
)
def test_rehearsal__what_breaks_a_rule_is_named(kind: type[Line], said: str) -> None:
    class Named(kind):  # type: ignore[misc, valid-type]
        name = "line"

    assert said in refused(Named({}, 1))


class Asking(Line):
    def validation(self, seat: int, seats: int, source: str) -> Any:  # type: ignore[override]
        return ModuleTask.validation(self, seat, seats, source)


def test_measuring__without_memory_left__names_the_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(module: nn.Module, batch: Any) -> Any:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    task = Line({}, 1)
    monkeypatch.setattr(task, "loss", out_of_memory)
    for measured in (task.gradient, task.metric):
        with pytest.raises(FatalError, match="batches of 256 rows are too many for it; lower rows_at_once in the task"):
            measured(task.model(), task.load("a"))


def test_validation__without_a_file__is_asked_for() -> None:
    task: Any = Asking({}, 1)
    assert "task line asks where its validation rows are; add --validation FILE" in refused(task)
    assert [len(validation_rows(task, seat, 3, "rows")) for seat in range(3)] == [22, 21, 21]


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("tpu", "--device 'tpu' is no device; use auto, cpu, cuda, cuda:1 or mps"),
        ("cuda:", "is no device"),
        ("cuda:x", "is no device"),
        ("cpu:1", "is no device"),
        ("cuda", "--device cuda isn't there: torch sees no CUDA device; use auto or cpu"),
        ("cuda:1", "--device cuda:1 isn't there"),
        ("mps", "--device mps isn't there: this is no Mac with Metal; use auto or cpu"),
    ],
)
def test_device__that_is_not_there__is_a_sentence(device: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    with pytest.raises(FatalError) as caught:
        find_device(device)
    assert said in str(caught.value)


def test_device__of_a_machine_with_two__is_found_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [str(find_device(name)) for name in ("auto", "cuda", "cuda:1")] == ["cuda:0", "cuda:0", "cuda:1"]
    with pytest.raises(FatalError, match="--device cuda:2 isn't there: this machine has 2 CUDA devices; use cuda:1"):
        find_device("cuda:2")


def test_device__of_a_task_that_computes_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    heart = Heart({}, 1)
    assert use_device(heart, "auto", 1) == use_device(heart, "cpu", None) == "cpu"
    with pytest.raises(FatalError, match="--device cuda is no use to task heart: it computes on the CPU; leave"):
        use_device(heart, "cuda", 1)


def test_device__with_more_threads__need_not_repeat_itself() -> None:
    task = Line({}, 1)
    assert use_device(task, "cpu", 1) == "cpu" and task.repeatable
    assert use_device(task, "cpu", 2) == "cpu" and not task.repeatable
    assert "train: not the same bits again" in "\n".join(check(task, "a", 2))


class Encoded(Line):
    """Reads what stays frozen from a file."""

    name = "encoded"
    file = "encoder.bin"

    def frozen(self) -> Mapping[str, str | Path]:
        return {"encoder": self.file}


def test_frozen_file__of_other_bytes_or_none__is_refused(tmp_path: Path) -> None:
    task = Encoded({}, 1)
    task.file = str(tmp_path / "encoder.bin")
    with pytest.raises(FatalError, match="the frozen file encoder of task encoded can't be read: .*No such file"):
        frozen_digests(task)
    Path(task.file).write_bytes(b"weights")
    sha = hashlib.sha256(b"weights").hexdigest()
    assert frozen_digests(task) == {"encoder": sha}
    check_frozen(task, parse_frozen([f"encoder={sha}"]))
    with pytest.raises(FatalError, match=f"encoder of task encoded is another one: yours has SHA-256 {sha}, expected"):
        check_frozen(task, {"encoder": "ab" * 32})
    with pytest.raises(FatalError, match="reads the frozen files encoder: expected are none; use the version"):
        check_frozen(task, {})
    with pytest.raises(FatalError, match="reads the frozen files none: expected are encoder"):
        check_frozen(Line({}, 1), {"encoder": sha})
    with pytest.raises(FatalError, match="--frozen 'encoder' names no file; write it like --frozen NAME=SHA256"):
        parse_frozen(["encoder"])


FROZEN_TASK = """
import os, numpy, torch
from hansa import ModuleTask, Rows
class Head(ModuleTask):
    metric_name = "negated error"
    def frozen(self):
        return {"encoder": os.environ["ENCODER"]}
    def module(self):
        encoder = torch.nn.Linear(2, 2).requires_grad_(False)
        encoder.weight.copy_(torch.from_numpy(numpy.load(os.environ["ENCODER"])))
        return torch.nn.Sequential(encoder, torch.nn.Linear(2, 1))
    def load(self, source):
        return Rows(numpy.ones((8, 2), numpy.float32), numpy.ones(8, numpy.float32))
    def loss(self, module, batch):
        return (module(batch[0]).squeeze(1) - batch[1]).square().mean()
    def metric(self, module, data):
        return -self.mean(module, data)
"""


class Listing(Line):
    name = "line"

    def frozen(self) -> Any:
        return ["weights.pt"]


def test_frozen__that_is_no_dict__is_told_what_to_return() -> None:
    with pytest.raises(FatalError, match=r"frozen\(\) of task line returned list; return a dict of files by name"):
        frozen_digests(Listing({}, 1))


def test_job__names_the_frozen_file_and_only_the_head_travels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, encoder = tmp_path / "head.py", tmp_path / "encoder.npy"
    file.write_text(FROZEN_TASK)
    np.save(encoder, np.eye(2, dtype=np.float32))
    monkeypatch.setenv("ENCODER", str(encoder))
    prepared = prepare(str(file), seed=1, title="Heads", about="Two numbers in, one out.")
    spec = JobSpec.decode(prepared.spec.encode())
    assert spec.frozen == {"encoder": task_digest(encoder)}
    assert (spec.task, spec.title, spec.metric) == ("head.py:Head", "Heads", "negated error")
    assert prepared.model.names == ["1.bias", "1.weight"]
    task: Any = load_task_of(spec, allowed=[str(file)])
    after = task.train(task.model(), task.load(""), steps=3, loss_threshold=None, seed=1).params
    assert np.array_equal(task.module_at(after)[0].weight.numpy(), np.eye(2))
    np.save(encoder, np.ones((2, 2), np.float32))
    with pytest.raises(FatalError, match="the frozen file encoder of task head is another one"):
        load_task_of(spec, allowed=[str(file)])


def test_everything__can_be_trained_where_nothing_is_wrong() -> None:
    assert len(list(check(made(Everything), "a", 2))) == 5
