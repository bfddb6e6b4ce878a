"""Writes dashboard/test/jobs/demo.acts.json: the acts of the recorded job, by which the page's tests play it again, and
its files.

`python tests/vectors/write/demo_acts.py` writes it, `--check` says whether the committed file is what would be written.
dashboard/test/record.test.ts then makes demo.json of it.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from vector_file import CHECKOUT, VECTORS, write_or_check
from view_vectors import recorded_view

from hansa.audit.archive import Archive
from hansa.audit.facts import Facts
from hansa.audit.replay import ADDRESSES
from hansa.protocol.cid import to_cid
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.types import Address, Digest
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.layout import storage_layout
from hansa.runtime.chain.structs import JobTerms, address
from hansa.runtime.snapshot import FullSnapshot

PATH: Final = CHECKOUT / "dashboard" / "test" / "jobs" / "demo.acts.json"
THE_STAGES: Final = ("token", "committee", "admission")  # contracts, which the page's stage has its own of
Step = list[Any]


def make() -> dict[str, Any]:
    """The recorded job's acts, and its files in base64 by CID, in the order in which it names them."""
    view = recorded_view()
    with Archive.open(VECTORS / "job-1.hansa") as archive:
        steps = list(_steps(archive.facts, view))
        files = {to_cid(d): _base64(archive.get(d, limit=2**30, timeout=0.0)) for d in _named(view)}
    return {"steps": steps, "files": files}


def _named(view: FullSnapshot) -> Iterator[Digest]:
    yield from (view.terms.spec, view.terms.model)
    for cycle, outcome in view.finalised:
        yield from (update.digest for update in cycle.updates)
        yield outcome.model


def _steps(facts: Facts, view: FullSnapshot) -> Iterator[Step]:
    first = view.history.cycles[0]
    claimed: list[tuple[Address, int]] = []
    revealed = {
        (c.cycle, s.seat): ["0x" + s.sheet.hex(), "0x" + s.salt.hex()] for c in view.history.cycles for s in c.sheets
    }
    results = {c.cycle: ["0x" + o.model.hex(), "0x" + o.rewards.hex()] for c, o in view.finalised}
    yield ["members", list(first.committee)]
    for name, values in _events(facts):
        if claimed and (name != "RewardClaimed" or claimed[0][0] != values["trainer"]):
            yield _claim(view, claimed)
            claimed = []
        match name:
            case "JobPosted":
                yield ["post", values["sponsor"], _terms(view.terms), str(values["escrow"])]
                yield from (["key", m, "0x" + k.hex()] for m, k in zip(first.committee, first.keys, strict=True) if k)
            case "TrainerEnrolled":
                yield ["enrol", values["trainer"], str(values["bond"])]
            case "CycleOpened":
                yield ["open"]
            case "UpdateSubmitted":
                yield ["submit", values["trainer"], "0x" + values["digest"].hex()]
            case "ScoresCommitted":
                yield ["commit", values["seat"], *revealed[values["cycle"], values["seat"]]]
            case "ScoresRevealed":
                yield ["reveal", values["seat"], *revealed[values["cycle"], values["seat"]]]
            case "ResultVoted":
                yield ["vote", values["seat"], *results[values["cycle"]], str(values["metric"])]
            case "RoundFinalized":
                yield ["finalize", *results[values["cycle"]]]
            case "FeesClaimed":
                yield ["fees", values["member"]]
            case "RewardClaimed":
                claimed.append((values["trainer"], values["round"]))
            case "BondReturned":
                yield ["bond", values["trainer"]]
            case "RestReturned":
                yield [
                    "vault",
                    values["sponsor"],
                    "0x" + artifact("Vault").functions["claimRest"].encode(facts.job).hex(),
                ]
            case "CycleFailed" | "Struck" | "Burnt" | "BurnSent" | "Rejoined" | "StopRequested" | "KeysPublished":
                raise NotImplementedError(f"{name}: record a job without one")
    if claimed:
        yield _claim(view, claimed)


def _events(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    known = {**artifact("Federation").events, **artifact("Vault").events}
    for log in facts.events:
        event = known[log.topics[0]]
        values = event.decode(log.topics, log.data)
        yield event.name, {name: address(value) if name in ADDRESSES else value for name, value in values.items()}


def _claim(view: FullSnapshot, claimed: list[tuple[Address, int]]) -> Step:
    """A trainer's call of the vault that claims these rounds at once."""
    trainer, trees = claimed[0][0], [(number, RewardsTree(view.rounds[number - 1].leaves)) for _, number in claimed]
    leaves = dict(view.leaves(trainer))
    claims = [(n, (leaves[n].pay, leaves[n].strike, leaves[n].reputation), tree.proof(trainer)) for n, tree in trees]
    return ["vault", trainer, "0x" + artifact("Vault").functions["claim"].encode(view.job, trainer, claims).hex()]


def _terms(terms: JobTerms) -> dict[str, Any]:
    names = storage_layout("Federation").structs["JobTerms"]
    held = zip(names, (getattr(terms, field.name) for field in fields(terms)), strict=True)
    return {name: _plain(name, value) for name, value in held if name not in THE_STAGES}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    amounts = ("rewardPerRound", "feePerSeat", "minBond", "strikePenalty", "targetMetric")
    return str(value) if name in amounts else value


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def text_of(facts: Mapping[str, Any]) -> str:
    """A line for each step and each file."""
    steps = ",\n".join(f" {json.dumps(step)}" for step in facts["steps"])
    files = ",\n".join(f" {json.dumps(cid)}: {json.dumps(data)}" for cid, data in facts["files"].items())
    return f'{{"steps": [\n{steps}\n],\n"files": {{\n{files}\n}}}}\n'


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:], text_of))
