"""What the tests run on the CPU, on a GPU: `python scripts/gpu_check.py [DEVICE]`, two minutes, no chain.

Every module of tests/unit/strangers is rehearsed, trained and measured there, its slope beside the CPU's; one of 25
million parameters is timed; a device that isn't there and one without memory left are sentences.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hansa import ModuleTask, Rows
from hansa.protocol.errors import FatalError
from hansa.tasks import consent, load_task, use_device
from hansa.tasks.rehearsal import check, federate, table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "unit")]
WIDTH = 5000


class Wide(ModuleTask):
    """25 million parameters in bfloat16, trained with AdamW."""

    batch = 256

    def module(self) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, 1)).bfloat16()

    def load(self, source: str) -> Rows:
        random = np.random.default_rng(1)
        inputs = random.normal(size=(1024, WIDTH)).astype(np.float32)
        return Rows(inputs, (inputs[:, 0] > 0).astype(np.float32))

    def optimizer(self, parameters: Any) -> Any:
        return torch.optim.AdamW(parameters, lr=1e-3)

    def loss(self, module: torch.nn.Module, batch: Any) -> torch.Tensor:
        answers = module(batch[0].bfloat16()).squeeze(1).float()
        return torch.nn.functional.binary_cross_entropy_with_logits(answers, batch[1])

    def metric(self, module: torch.nn.Module, data: Any) -> float:
        return -self.mean(module, data)


class Greedy(Wide):
    def loss(self, module: torch.nn.Module, batch: Any) -> torch.Tensor:
        return torch.empty(1 << 45, dtype=torch.uint8, device=batch[0].device).float().mean()


def main(device: str) -> None:
    for name, kind in {"quarters": "Quarters", "majority": "Majority", "letters": "Letters"}.items():
        check_stranger(name, kind, device)
    if device != "cpu":
        time_wide(device)
    greedy: Any = Greedy({}, 1)
    use_device(greedy, device, 1)
    said(lambda: greedy.train(greedy.model(), greedy.load(""), steps=1, loss_threshold=None, seed=1), "256 rows")
    said(lambda: use_device(greedy, "cuda:99", 1), "cuda:99 isn't there")
    print("all of it holds")


def check_stranger(name: str, kind: str, device: str) -> None:
    """Rehearses and trains one module; its slope is the CPU's to one part in a hundred."""
    from strangers_rows import STRANGERS, write_rows  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        files = write_rows(name, Path(folder))
        task_name, place = consent(f"{STRANGERS / name}.py:{kind}")
        tasks: list[Any] = [load_task(task_name, {}, 1, **place) for _ in range(2)]
        here, there = tasks
        print(f"{name} on {use_device(there, device, 1)}")
        for remark in check(there, files["a"], 3, files["validation"]):
            print(f"  {remark}")
        params = federate(there, [files["a"], files["b"]], rounds=3, steps=25)
        print(f"  after three rounds: {table(there, params, 75, 3, validation=files['validation'])}")
        rows = there.load(files["a"])
        slopes = [flat(task.gradient(params, rows)[1]) for task in (here, there)]
        error = float(np.linalg.norm(slopes[0] - slopes[1]) / np.linalg.norm(slopes[0]))
        print(f"  its slope is the CPU's to {error:.1e}")
        if not error < 0.01:
            sys.exit(f"the slope of {name} on {device} is not the CPU's")


def flat(tensors: dict[str, Any]) -> Any:
    return np.concatenate([values.ravel() for values in tensors.values()])


def time_wide(device: str) -> None:
    task: Any = Wide({}, 1)
    print(f"25 million parameters on {use_device(task, device, 1)}")
    params, rows = task.model(), task.load("")
    works: dict[str, Callable[[], object]] = {
        "first step": lambda: task.train(params, rows, steps=1, loss_threshold=None, seed=1),
        "20 steps": lambda: task.train(params, rows, steps=20, loss_threshold=None, seed=1),
        "gradient": lambda: task.gradient(params, rows),
        "metric": lambda: task.metric(params, rows),
    }
    for what, work in works.items():
        began = time.perf_counter()
        work()
        print(f"  {what}: {time.perf_counter() - began:.2f} s")


def said(work: Callable[[], object], words: str) -> None:
    try:
        work()
    except FatalError as error:
        print(f"  {error}")
        if words not in str(error):
            sys.exit(f"that does not say {words!r}")
        return
    sys.exit(f"nothing said {words!r}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "auto")
