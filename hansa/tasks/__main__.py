"""`python -m hansa.tasks TASK`: trains a task off the chain with plain averaging, checks that it keeps the rules, and
prints its table. TASK is a built-in task or a file of your own, `mine.py:Mine`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from hansa.protocol.errors import HansaError
from hansa.tasks.loading import BUILT_IN, defaults, load_task, task_digest
from hansa.tasks.rehearsal import check, federate, table


def main() -> None:
    arguments = _arguments()
    try:
        _run(arguments)
    except HansaError as error:
        if arguments.debug:
            raise
        sys.exit(str(error))


def _run(arguments: argparse.Namespace) -> None:
    name, place = _named(arguments.task)
    usual = defaults(name, **place)
    rounds, steps = arguments.rounds or usual["rounds"], arguments.steps or usual["steps"]
    settings = {**usual["settings"], **dict(_setting(entry) for entry in arguments.set)}
    tables = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        task = load_task(name, settings, seed, **place)
        sources = arguments.data or (task.parties() if hasattr(task, "parties") else ["0"])
        for remark in check(task, sources[0], arguments.seats):
            print(f"  {remark}")
        started = time.perf_counter()
        params = federate(task, sources, rounds, steps, seed)
        took = time.perf_counter() - started
        print(f"seed {seed}: {rounds} rounds × {steps} steps, {len(sources)} parties: {took:.1f} s")
        tables.append(table(task, params, rounds * steps, arguments.seats, seed))
    for label in tables[0]:
        numbers = [lines[label] for lines in tables]
        print(f"{sum(numbers) / len(numbers):8.4f}  {label}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hansa.tasks", description=__doc__)
    parser.add_argument("task", help=f"{', '.join(BUILT_IN)}, or file.py:Class")
    parser.add_argument("--rounds", type=int, help="default: what the task recommends")
    parser.add_argument("--steps", type=int, help="a round; default: what the task recommends")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1, help="so many runs, from --seed on")
    parser.add_argument("--seats", type=int, default=3, help="validators")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the task")
    parser.add_argument("--data", action="append", help="a trainer's source; default: all the task's parties")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser.parse_args()


def _named(task: str) -> tuple[str, dict[str, Any]]:
    """The task's name as a job says it, and where its file is; whoever runs this allows the file."""
    place, _, attribute = task.rpartition(":")
    if not place.endswith(".py"):
        return task, {"allowed": [task, place]}
    path = Path(place)
    return f"{path.name}:{attribute}", {"task_digest": task_digest(path), "allowed": [str(path)]}


def _setting(entry: str) -> tuple[str, object]:
    name, _, text = entry.partition("=")
    try:
        return name, json.loads(text, parse_float=str)
    except ValueError:
        return name, text


if __name__ == "__main__":
    main()
