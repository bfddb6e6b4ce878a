"""A federation of real daemons that has next to nothing to train: what is left of a round is its control plane."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hansa.devnet.federation import LocalFederation
from hansa.devnet.setup import Setup

TASK = "benchmarks.synthetic:Synthetic"
PHASES = ("enrol", "open", "submit", "score", "reveal", "vote", "finalize")
LONG = 4 * 3600  # seconds of each phase: however slow the machine, none runs out
PARAMETERS = 1000


@contextmanager
def still(folder: Path, trainers: int, validators: int, rounds: int) -> Iterator[LocalFederation]:
    """A posted job of so many rounds; nobody runs yet."""
    setup = Setup(
        task=TASK,
        trainers=trainers,
        validators=validators,
        rounds=rounds,
        times=dict.fromkeys(PHASES, LONG),
        settings={"parameters": PARAMETERS},
    )
    with LocalFederation(setup, folder) as local:
        for worker in local.workers.values():
            role = replace(worker.arguments[0])
            role.fields["allow"] = frozenset([TASK])
            worker.arguments = (role,)
        yield local
