"""The loop: mutate, decode, measure; inputs that take a new way through the code are kept to be mutated again."""

from __future__ import annotations

import contextlib
import resource
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final

from benchmarks.fuzzing.coverage import Coverage
from benchmarks.fuzzing.mutate import deep
from benchmarks.fuzzing.target import MOST_MEMORY, MOST_SECONDS, Target, judge

DEEP: Final = 1000  # inputs, of which one is `deep`
MOST_KEPT: Final = 5000
MOST_FAULTS: Final = 20  # of different kinds
PATIENCE: Final = 3.0  # seconds of the CPU, after which an input is broken off


class _Stuck(BaseException):
    """An input that does not end."""


@dataclass
class Outcome:
    """What came of a run. ways: different sets of blocks. faults: by kind, the first input of each."""

    name: str
    inputs: int = 0
    accepted: int = 0
    seconds: float = 0.0
    blocks: int = 0
    ways: int = 0
    kept: list[bytes] = field(default_factory=list)
    faults: dict[str, bytes] = field(default_factory=dict)


class Fuzzer:
    """One target. corpus: the inputs that it starts from. coverage: None for inputs that are mutated blindly."""

    def __init__(self, target: Target, corpus: Sequence[bytes], seed: int, coverage: Coverage | None = None) -> None:
        self.outcome = Outcome(target.name)
        self._target, self._coverage = target, coverage
        self._random = Random(f"{target.name} {seed}")
        self._corpus = list(corpus) or [b""]
        self._valid: list[bytes] = []  # of the corpus: what was accepted
        self._ways: set[frozenset[int]] = set()
        self._blocks: set[int] = set()
        self._ticks = (0, 0)  # inputs at the last tick; how often it was the same

    def run(self, inputs: int, seconds: float = float("inf")) -> Outcome:
        """Tries the corpus, then so many inputs, or as many as there is time for."""
        before = signal.signal(signal.SIGVTALRM, self._tick)
        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE, PATIENCE)
        started, end = time.process_time(), time.monotonic() + seconds
        try:
            for data in tuple(self._corpus):
                self._try(data)
            while self.outcome.inputs < inputs and (self.outcome.inputs % 256 or time.monotonic() < end):
                if self.outcome.inputs % DEEP == 0:
                    _forget_peak()
                self._try(self._next())
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
        self.outcome.seconds = time.process_time() - started
        self.outcome.blocks, self.outcome.ways = len(self._blocks), len(self._ways)
        return self.outcome

    def _next(self) -> bytes:
        random, corpus = self._random, self._corpus
        if random.random() < 1 / DEEP:
            before = corpus[int(random.random() * len(corpus))] if random.random() < 0.5 else b""
            return before[: int(random.random() * (len(before) + 1))] + deep(random)
        late = random.random() < 0.3  # those found last lead on
        first = int(len(corpus) * 0.9) if late else 0
        base = corpus[first + int(random.random() * (len(corpus) - first))]
        if self._valid and random.random() < 0.5:
            base = self._valid[int(random.random() * len(self._valid))]
        return self._target.mutate(random, base, corpus)

    def _try(self, data: bytes) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF)
        try:
            verdict = judge(self._target, data)
            fault, accepted = verdict.fault, verdict.accepted
        except _Stuck:
            fault, accepted = f"more than {PATIENCE:.0f} s", False
        after = resource.getrusage(resource.RUSAGE_SELF)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        grown = (after.ru_maxrss - before.ru_maxrss) // 1024
        if not fault and grown > MOST_MEMORY + len(data) // 2**18:
            fault = f"{grown} MiB for {len(data)} bytes"
        if not fault and spent > MOST_SECONDS:
            fault = f"{spent:.1f} s for {len(data)} bytes"
        self.outcome.inputs += 1
        self.outcome.accepted += accepted
        if fault:
            self._note(fault, data)
        if self._coverage is not None:
            self._keep(data, self._coverage.take(), accepted)

    def _note(self, fault: str, data: bytes) -> None:
        kind = fault.partition(":")[0][:60]
        if kind[:1].isdigit():
            kind = "time or memory"
        known = [each for each in self.outcome.faults if each.startswith(kind)]
        if len(self.outcome.faults) < MOST_FAULTS and len(known) < 3 and fault not in self.outcome.faults:
            self.outcome.faults[fault if kind in fault else f"{kind}: {fault}"] = data

    def _keep(self, data: bytes, way: frozenset[int], accepted: bool) -> None:
        if way in self._ways:
            return
        is_new = not way <= self._blocks
        self._blocks |= way
        if len(self._ways) < MOST_KEPT:
            self._ways.add(way)
            if is_new or len(data) <= 4096:
                self._corpus.append(data)
                if accepted:
                    self._valid.append(data)
        if is_new:
            self.outcome.kept.append(data)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        """Twice at the same input: it is stuck."""
        inputs, times = self._ticks
        times = times + 1 if inputs == self.outcome.inputs else 0
        self._ticks = (self.outcome.inputs, times)
        if times:
            raise _Stuck


def _forget_peak() -> None:
    """Lets the most memory that was ever taken be what is taken now, where Linux is asked."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
