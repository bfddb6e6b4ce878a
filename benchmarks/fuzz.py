"""Every decoder of bytes from outside, fed with inputs that nobody would send: what it refuses, what it costs.

Each is fuzzed in a process of its own, by a loop that follows the blocks of code that an input enters. A decoder gives
a value or raises its own error, with a text that names what is wrong; it takes no more than a second of the CPU and
64 MiB for an input; and of a format with one encoding, what it gives is encoded to the same bytes again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.fuzzing.registry import GROUPS, find, targets
from benchmarks.report import Report, Section

INPUTS, FEW = 10**6, 10**4
COLUMNS = ["decoder", "of what", "inputs", "accepted, %", "inputs a second", "blocks", "ways", "faults"]
NOTES = [
    "A second is one of the processor's, the mutation included. Blocks: of our own code, entered by some input;"
    " ways: different sets of them.",
    "A fault: an error that is none of the decoder's, or names nothing; more than 1 s or 64 MiB; another encoding.",
]


def run(
    quick: bool = False,
    inputs: int | None = None,
    seed: int = 1,
    only: Sequence[str] = (),
    minutes: float = float("inf"),
    keep: bool = False,
) -> Report:
    """only: these decoders. minutes: for all of them; each gets its part. keep: adds to the corpus."""
    count = inputs or (FEW if quick else INPUTS)
    chosen = [find(name) for name in only] or [target for group in GROUPS for target in targets(group)]
    processes = os.cpu_count() or 1
    seconds = 60 * minutes * processes / len(chosen)
    options = ["--inputs", str(count), "--seed", str(seed), "--seconds", str(seconds), *(["--keep"] if keep else [])]
    with ThreadPoolExecutor(processes) as pool:
        told = list(pool.map(lambda target: _fuzzed(target.name, options), chosen))
    sections = []
    for group, what in GROUPS.items():
        rows = [
            [target.name, target.what, *_cells(one)]
            for target, one in zip(chosen, told, strict=True)
            if target in targets(group)
        ]
        sections += (
            [Section(f"Decoders of {what}", COLUMNS, rows, [*NOTES, *_faults(told, rows)], digits=1)] if rows else []
        )
    return Report("fuzz", quick, sections)


def _fuzzed(name: str, options: Sequence[str]) -> dict[str, Any]:
    """A worker that ends otherwise than it should is a fault of its decoder."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "told.json"
        command = [sys.executable, "-m", "benchmarks.fuzzing.worker", name, *options, "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
        if done.returncode == 0 and out.exists():
            found: dict[str, Any] = json.loads(out.read_text())
            return found
    last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
    fault = f"the process ended with {done.returncode}: {last[:200]}"
    return {"name": name, "inputs": 0, "accepted": 0, "seconds": 0.0, "blocks": 0, "ways": 0, "faults": {fault: ""}}


def _cells(told: dict[str, Any]) -> list[Any]:
    inputs, seconds = told["inputs"], told["seconds"]
    rate = inputs / seconds if seconds else 0.0
    accepted = 100 * told["accepted"] / inputs if inputs else 0.0
    return [inputs, accepted, round(rate), told["blocks"], told["ways"], len(told["faults"])]


def _faults(told: Sequence[dict[str, Any]], rows: Sequence[Sequence[Any]]) -> list[str]:
    names = {row[0] for row in rows}
    return [
        f"{one['name']}: {fault}; input, base64: {data[:400]}"
        for one in told
        if one["name"] in names
        for fault, data in one["faults"].items()
    ]
