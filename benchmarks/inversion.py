"""Rows read back out of an update: one patient of heart exactly, pictures of MNIST by matching gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.deltas import Delta, flat
from benchmarks.worlds import few
from hansa.protocol.model import initial_model, quantise
from hansa.tasks import load_task
from hansa.tasks.images import SIDE
from hansa.tasks.rows import Rows, generator

STEPS = 400
SMOOTHNESS = 1e-2  # what a picture's roughness counts beside the gradient's direction
Images = NDArray[np.float64]


# --- one row of heart


def patient(delta: Delta) -> NDArray[np.float64]:
    """The row whose one step made this: its weights' change is the bias's times the row."""
    bias = float(delta["bias"][0])
    found: NDArray[np.float64] = delta["weight"].astype(np.float64) / (bias if bias else np.nan)
    return found


def sent(delta: Delta) -> Delta:
    """What is left of a delta after its integers, 8 bits, on the scale that a job has settled at."""
    start = initial_model({name: np.zeros_like(value) for name, value in delta.items()}, 8)
    scale = {name: _settled(value) for name, value in delta.items()}
    model = replace(start, k=tuple(scale[name] for name in start.names))
    return {
        name: np.ldexp(values.astype(np.float32), -scale[name]).astype(np.float32)
        for name, values in quantise(delta, model).items()
    }


def _settled(values: NDArray[np.float32]) -> int:
    """The exponent at which the largest value has 6 of its 7 bits, as next_k aims at."""
    largest = float(np.abs(values).max())
    return int(np.clip(5 - np.floor(np.log2(largest)), -8, 40)) if largest else 8


# --- pictures of MNIST


@dataclass(frozen=True)
class Attacked:
    """Pictures and what was made of them, (n, 28, 28) from 0 to 1, with each one's peak signal-to-noise ratio, dB."""

    true: Images
    found: Images
    quality: NDArray[np.float64]


def mnist_rows(count: int, seed: int) -> tuple[Any, Rows]:
    """The task, and rows of as many digits as there are."""
    task: Any = load_task("mnist", {"parties": 4, "alpha": "1000"}, seed)
    rows = few(task.load("0"), 400, generator("inversion", seed))
    firsts = [int(np.flatnonzero(rows.labels == digit % 10)[digit // 10]) for digit in range(count)]
    return task, rows.take(np.array(firsts, np.intp))


def step_delta(task: Any, params: Delta, rows: Rows, steps: int, seed: int) -> Delta:
    """Of plain training in which every step sees all rows."""
    task.batch = len(rows)
    trained = task.train(params, rows, steps=steps, loss_threshold=None, seed=seed).params
    return {name: trained[name] - params[name] for name in params}


def invert(task: Any, params: Delta, delta: Delta, rows: Rows, seed: int, steps: int = STEPS) -> Attacked:
    """Pictures whose gradient points where the update does (Geiping et al., Inverting Gradients, NeurIPS 2020, section
    4: cosine distance and total variation, signed steps). The attacker knows model, labels and their order."""
    import torch

    torch.manual_seed(seed)
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    wanted = torch.tensor(-flat(delta), dtype=torch.float32)
    wanted = wanted / wanted.norm().clamp(min=1e-30)
    labels = torch.tensor(rows.labels)
    pictures = torch.rand(len(rows), SIDE, SIDE, requires_grad=True)
    optimizer = torch.optim.Adam([pictures], lr=0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [steps * part // 8 for part in (3, 5, 7)], gamma=0.1)
    for _ in range(steps):
        loss = task.loss(weights, pictures * 255, labels)
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        by_name = dict(zip(weights, slopes, strict=True))
        mine = torch.cat([by_name[name].reshape(-1) for name in sorted(by_name)])
        away = 1 - mine @ wanted / mine.norm().clamp(min=1e-30) + SMOOTHNESS * _roughness(pictures)
        optimizer.zero_grad()
        (pictures.grad,) = torch.autograd.grad(away, [pictures])
        pictures.grad.sign_()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            pictures.clamp_(0, 1)
    return compared(rows, pictures.detach().double().numpy())


def _roughness(pictures: Any) -> Any:
    return (pictures[:, 1:] - pictures[:, :-1]).abs().mean() + (pictures[:, :, 1:] - pictures[:, :, :-1]).abs().mean()


def compared(rows: Rows, found: Images) -> Attacked:
    true = rows.inputs.astype(np.float64) / 255
    return Attacked(true, found, psnr(true, found))


def psnr(true: Images, found: Images) -> NDArray[np.float64]:
    """Of each picture, dB."""
    errors: NDArray[np.float64] = -10 * np.log10(np.maximum(((true - found) ** 2).mean(axis=(1, 2)), 1e-12))
    return errors


def added(deltas: Sequence[Delta]) -> Delta:
    """The sum of updates."""
    return {name: np.sum([delta[name] for delta in deltas], axis=0, dtype=np.float32) for name in deltas[0]}
