"""`python -m benchmarks.fuzzing.worker NAME …`: fuzzes one decoder in a process of its own, whose code is traced."""

from __future__ import annotations

import argparse
import base64
import json
import resource
from pathlib import Path

from benchmarks.fuzzing import corpus
from benchmarks.fuzzing.coverage import Coverage
from benchmarks.fuzzing.engine import Fuzzer, Outcome
from benchmarks.fuzzing.registry import ROOMS, find
from benchmarks.fuzzing.target import Target

MOST_MEMORY = 3 * 2**30  # bytes of addresses: what asks for more gets a MemoryError, and is a fault


def main() -> None:
    options = _parser().parse_args()
    coverage = Coverage(ROOMS)
    coverage.install()
    target = find(options.name)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    seeds = list(target.seeds())
    coverage.take()
    fuzzer = Fuzzer(target, [*seeds, *corpus.read(target.name)], options.seed, coverage)
    outcome = fuzzer.run(options.inputs, options.seconds)
    if options.keep:
        known = corpus.read(target.name)
        corpus.write(target, [*known, *corpus.chosen(_distilled(target, outcome, coverage, [*seeds, *known]))])
    options.out.write_text(json.dumps(_told(outcome)))


def _distilled(target: Target, outcome: Outcome, coverage: Coverage, known: list[bytes]) -> list[bytes]:
    """Of the inputs that found new blocks, the shortest that find them all beside those that are known."""

    def blocks(data: bytes) -> frozenset[int]:
        corpus.judge(target, data)
        return coverage.take()

    seen = set[int]().union(*map(blocks, known))
    found = []
    for data in sorted(outcome.kept, key=len):
        if not (new := blocks(data)) <= seen:
            seen |= new
            found.append(data)
    return found


def _told(outcome: Outcome) -> dict[str, object]:
    faults = {fault: base64.b64encode(data).decode() for fault, data in outcome.faults.items()}
    names = ("name", "inputs", "accepted", "seconds", "blocks", "ways")
    return {name: getattr(outcome, name) for name in names} | {"faults": faults}


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.fuzzing.worker")
    made.add_argument("name")
    made.add_argument("--inputs", type=int, default=10**6)
    made.add_argument("--seconds", type=float, default=float("inf"))
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--keep", action="store_true", help="add what finds new blocks to the corpus")
    made.add_argument("--out", type=Path, required=True)
    return made


if __name__ == "__main__":
    main()
