"""Writes tests/vectors/view.json: what the web page must show of the recorded job, as the command line has it.

`python tests/vectors/write/view_vectors.py` writes it, `--check` says whether the committed file is what would be
written. Integers are decimal strings.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from vector_file import VECTORS, decimal, write_or_check

from hansa.audit.archive import Archive
from hansa.audit.facts import Facts
from hansa.audit.replay import EventReplay
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact
from hansa.runtime.history.records import CycleRecord, Finalized, JobHistory
from hansa.runtime.job import SPEC_LIMIT, JobContext
from hansa.runtime.replay import Replay
from hansa.runtime.snapshot import FullSnapshot

PATH: Final = VECTORS / "view.json"


def recorded_view() -> FullSnapshot:
    """The recorded job, its rounds worked out again."""
    with Archive.open(VECTORS / "job-1.hansa") as archive:
        history = folded(archive.facts)
        terms = history.posted.terms
        spec = JobSpec.decode(archive.get(terms.spec, limit=SPEC_LIMIT, timeout=0.0))
        job, at = archive.facts.job, archive.facts.at
    context = JobContext(job, terms, spec)
    rounds = Replay(context, context.weights(history.enrolled)).follow(history)
    unused: Any = None  # the contract's state, of which nothing below asks for anything
    return FullSnapshot(job, at, unused, history, rounds, context)


def make() -> dict[str, Any]:
    """The recorded job as the page shows it."""
    view = recorded_view()
    assert view.history.ended is not None  # the recorded job is over
    rounds = view.rounds
    return {
        "phase": view.history.ended.name,
        "cycles": [_cycle(cycle) for cycle in view.history.cycles],
        "rounds": [_round(view, number) for number in range(1, len(rounds) + 1)],
        "trainers": [_trainer(view, item.trainer, item.bond) for item in view.history.enrolled],
        "claims": [_claim(view, item.trainer) for item in view.history.enrolled],
        "validators": [{"address": m, **decimal(vars(view.attendance(m)))} for m in view.members()],
    }


def folded(facts: Facts) -> JobHistory:
    """What the archive's events lead to."""
    replay = EventReplay(facts)
    replay.events()
    return replay.history


def _cycle(cycle: CycleRecord) -> dict[str, Any]:
    outcome = cycle.outcome
    assert isinstance(outcome, Finalized)  # the recorded job has no other
    return {
        "number": str(cycle_counter(cycle.cycle)),
        "round": str(cycle.round),
        "updates": [{"trainer": update.trainer, "cid": to_cid(update.digest)} for update in cycle.updates],
        "committee": list(cycle.committee),
        "matched": [str(seat) for seat in range(len(cycle.committee)) if outcome.matched >> seat & 1],
        "model": to_cid(outcome.model),
        "metric": str(outcome.metric),
    }


def _round(view: FullSnapshot, number: int) -> dict[str, Any]:
    ledger = view.rounds[number - 1]
    return {
        "root": "0x" + RewardsTree(ledger.leaves).root.hex(),
        "included": [str(place) for place in ledger.included],
        "leaves": {leaf.trainer: decimal(leaf._asdict()) for leaf in ledger.leaves},
    }


def _trainer(view: FullSnapshot, trainer: Address, bond: int) -> dict[str, Any]:
    sums = {"earned": view.earned(trainer), "strikes": view.strikes(trainer), "reputation": view.reputation(trainer)}
    return {"address": trainer, **decimal({"bond": bond} | sums)}


def _claim(view: FullSnapshot, trainer: Address) -> str:
    """The vault's call by which a trainer that has claimed nothing claims every round."""
    due = [
        (number, (leaf.pay, leaf.strike, leaf.reputation), RewardsTree(view.rounds[number - 1].leaves).proof(trainer))
        for number, leaf in view.leaves(trainer)
    ]
    return "0x" + artifact("Vault").functions["claim"].encode(view.job, trainer, due).hex()


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:]))
