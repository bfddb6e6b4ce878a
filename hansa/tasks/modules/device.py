"""Where a module computes: which device, on how many threads, with which random numbers, and what lacks memory."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from hansa.protocol.errors import FatalError

if TYPE_CHECKING:
    import torch

KINDS = "auto, cpu, cuda, cuda:1 or mps"


def find_device(name: str) -> torch.device:
    """The device that `--device` names; auto is the first CUDA device, else Apple's, else the CPU. FatalError where it
    isn't there."""
    import torch

    kind, _, number = name.partition(":")
    if not re.fullmatch(r"(auto|cpu|mps)|cuda(:\d{1,3})?", name):
        raise FatalError(f"--device {name!r} is no device", next_step=f"use {KINDS}")
    if name == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if kind == "mps" and not torch.backends.mps.is_available():
        raise FatalError("--device mps isn't there", cause="this is no Mac with Metal", next_step="use auto or cpu")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) >= count:
            has = f"this machine has {count} CUDA device{'s' if count > 1 else ''}" if count else _without_cuda()
            raise FatalError(
                f"--device {name} isn't there",
                cause=has,
                next_step=f"use {'cuda:' + str(count - 1) if count else 'auto or cpu'}",
            )
        return torch.device("cuda", int(number or 0))
    return torch.device(kind)


def _without_cuda() -> str:
    import torch

    return "torch sees no CUDA device" if torch.version.cuda else "this torch was built without CUDA"


@contextmanager
def on_threads(count: int | None) -> Iterator[None]:
    """torch on so many threads, and back; None leaves them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def drawing_from(seed: int, device: torch.device) -> Iterator[None]:
    """Every global random generator (torch's, numpy's, Python's) starts at `seed`, and goes on as before afterwards."""
    import torch

    before, before_numpy = random.getstate(), np.random.get_state()
    devices = [device.index] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed % 2**63)
            np.random.seed(seed % 2**32)
            random.seed(seed)
            yield
    finally:
        random.setstate(before)
        np.random.set_state(before_numpy)


@contextmanager
def naming_memory(task: str, doing: str, batch: int, setting: str, device: torch.device) -> Iterator[None]:
    """Turns what torch says of lacking memory into a sentence that names the batch, and where its size stands."""
    import torch

    try:
        yield
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise FatalError(
            f"task {task} ran out of memory on {device} while {doing}",
            cause=f"batches of {batch} rows are too many for it",
            next_step=f"lower {setting}, or name another --device",
        ) from error
