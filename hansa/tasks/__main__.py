"""`python -m hansa.tasks TASK`: trains a task off the chain with plain averaging, checks that it keeps the rules, and
prints its table. TASK is a built-in task or a file of your own, `mine.py:Mine`.
"""

from __future__ import annotations

import argparse
import sys
import time

from hansa.protocol.errors import FatalError, HansaError, check_range, described
from hansa.protocol.text import counted
from hansa.tasks.frozen import check_frozen, frozen_digests, parse_frozen
from hansa.tasks.loading import BUILT_IN, consent, defaults, load_task, running, use_device
from hansa.tasks.rehearsal import check, federate, table
from hansa.tasks.settings import parse_settings

MOST = 2**31 - 1  # that a number of the command line may be


def main() -> None:
    arguments = _arguments()
    try:
        _run(arguments)
    except KeyboardInterrupt:
        sys.exit("interrupted")
    except Exception as error:
        if arguments.debug:
            raise
        sys.exit(str(error if isinstance(error, HansaError) else FatalError("unexpected", cause=described(error))))


def _run(arguments: argparse.Namespace) -> None:
    for option, low in {"rounds": 1, "steps": 1, "seeds": 1, "seats": 1, "seed": 0}.items():
        if (value := getattr(arguments, option)) is not None:
            check_range(f"--{option}", value, low, MOST)
    name, place = consent(arguments.task)
    usual = defaults(name, **place)
    rounds, steps = arguments.rounds or usual["rounds"], arguments.steps or usual["steps"]
    settings = usual["settings"] | parse_settings(arguments.set)
    tables = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        task = load_task(name, settings, seed, **place)
        with running(name, "looking at its frozen files"):
            if arguments.frozen:
                check_frozen(task, parse_frozen(arguments.frozen))
            else:
                frozen_digests(task)
        print(f"  device: {use_device(task, arguments.device, arguments.threads)}")
        sources = arguments.data or (task.parties() if hasattr(task, "parties") else ["0"])
        for remark in check(task, sources[0], arguments.seats, arguments.validation):
            print(f"  {remark}")
        started = time.perf_counter()
        with running(name, "training by plain averaging"):
            params = federate(task, sources, rounds, steps, seed, lambda said: print(f"  {said}"))
        took = time.perf_counter() - started
        size = f"{counted(rounds, 'round')} × {counted(steps, 'step')}, {counted(len(sources), 'party', 'parties')}"
        print(f"seed {seed}: {size}: {took:.1f} s")
        with running(name, "measuring the model"):
            tables.append(table(task, params, rounds * steps, arguments.seats, seed, arguments.validation))
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
    parser.add_argument("--validation", metavar="FILE", help="the validators' rows, for a task that asks for them")
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps: where a torch module computes"
    )
    parser.add_argument("--threads", type=int, default=1, help="torch threads; on one, training is repeatable")
    parser.add_argument(
        "--frozen", action="append", default=[], metavar="NAME=SHA256", help="the file that a job names; repeat it"
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser.parse_args()


if __name__ == "__main__":
    main()
