"""A daemon whose steps are timed: what each function of the round's hot path takes, the ones within it taken out."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from aggregator import measure
from benchmarks.aggregation import most_in_memory
from benchmarks.synthetic import Synthetic
from client import training
from hansa.devnet.roles import Role, play
from hansa.protocol import aggregation, cid, envelope, geometry, model
from hansa.runtime import files
from hansa.runtime.journal import Journal
from hansa.runtime.store.local import LocalStore

STEPS: list[tuple[str, Any, str]] = [
    ("(task)", Synthetic, "model"),
    ("(task)", Synthetic, "train"),
    ("(task)", Synthetic, "gradient"),
    ("train", training, "local_update"),
    ("quantise", model, "quantise"),
    ("seal", envelope, "seal"),
    ("read", LocalStore, "get"),
    ("read", LocalStore, "put"),
    ("read", Journal, "blob"),
    ("write", files, "write_atomically"),
    ("hash", cid, "digest_of"),
    ("open", envelope, "open_envelope"),
    ("decode", model.Update, "decode"),
    ("decode", model.Model, "decode"),
    ("encode", model.Update, "encode"),
    ("encode", model.Model, "encode"),
    ("screen", geometry, "is_zero"),
    ("screen", geometry, "duplicates"),
    ("screen", geometry, "squared_norm"),
    ("measure", measure, "measure"),
    ("aggregate", aggregation, "aggregate"),
]
"""(what it is called, where it is, its name); times are those of the function without what is timed within it."""
NAMES = list(dict.fromkeys(name for name, _, _ in STEPS))


class Timed(NamedTuple):
    """One call, in seconds. at: on the machine's clock, when it ended."""

    step: str
    at: float
    wall: float
    cpu: float


class Clock:
    """Times calls, on every thread."""

    def __init__(self) -> None:
        self.done: list[Timed] = []
        self._within = threading.local()

    def watch(self, step: str, owner: Any, name: str) -> None:
        """Times a function wherever it was imported to."""
        found = vars(owner)[name]
        original = found.__func__ if isinstance(found, classmethod) else found
        timed = self._timed(step, original)
        if isinstance(owner, type):
            setattr(owner, name, classmethod(timed) if isinstance(found, classmethod) else timed)
            return
        for module in list(sys.modules.values()):
            for key in [key for key, value in vars(module).items() if value is original]:
                setattr(module, key, timed)

    def _timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            before: list[float] = getattr(self._within, "taken", [0.0, 0.0])
            taken = self._within.taken = [0.0, 0.0]
            wall, cpu = time.monotonic(), time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                at = time.monotonic()
                wall, cpu = at - wall, time.thread_time() - cpu
                self.done.append(Timed(step, at, wall - taken[0], cpu - taken[1]))
                self._within.taken = [before[0] + wall, before[1] + cpu]

        return timed


def play_clocked(role: Role, out: Path) -> None:
    """Runs the daemon until its job is over; writes its calls and its most memory, in bytes, to `out` as JSON."""
    clock, start = Clock(), most_in_memory()
    for step in STEPS:
        clock.watch(*step)
    play(role)
    part = out.with_suffix(".part")
    part.write_text(json.dumps({"calls": clock.done, "memory": most_in_memory(), "start": start}))
    part.replace(out)
