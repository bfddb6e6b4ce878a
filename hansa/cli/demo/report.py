"""What a federation did, as one JSON object; everything in it comes from chain and store, not from the daemons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hansa.cli.demo.gas import CALLS, Gas, gas_used
from hansa.cli.job.show import metric_of
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.model import Model
from hansa.runtime.snapshot import FullSnapshot, read_job

if TYPE_CHECKING:
    from hansa.devnet.federation import LocalFederation
    from hansa.protocol.types import Address, JobId
    from hansa.runtime.chain.federation import Federation

FETCH_SECONDS = 20.0


def report(lab: LocalFederation, baselines: Path | None, seconds: float) -> tuple[dict[str, Any], FullSnapshot, Gas]:
    """The demo's object, and what it was made from. Token amounts are integer strings, accuracies fractions."""
    federation, job = lab.wire.federation, lab.posted.job
    view = read_job(federation, lab.wire.store, job)
    gas = gas_used(
        lab.anvil.url, {federation.address.lower(): "Federation", federation.vault.lower(): "Vault"}, view.at.number
    )
    data = {
        "job": job,
        "chain_id": lab.wire.deployment.chain_id,
        "task": view.context.spec.task,
        "rounds": [_round(view, gas, number) for number in range(1, len(view.rounds) + 1)],
        "accuracy": accuracy(lab, view, baselines),
        "rewards": [_reward(view, federation, trainer) for trainer in lab.trainers],
        "validators": [_validator(view, lab, member) for member in lab.validators],
        "gas": {name: gas.mean(name) for name in CALLS.values()},
        "conservation": conservation(federation, job),
        "seconds": round(seconds, 1),
    }
    return data, view, gas


def _round(view: FullSnapshot, gas: Gas, number: int) -> dict[str, Any]:
    cycle, outcome = view.finalised[number - 1]
    return {
        "round": number,
        "cycle": cycle_counter(cycle.cycle),
        "model": to_cid(outcome.model),
        "metric": metric_of(outcome.metric),
        "updates": len(cycle.updates),
        "included": len(view.rounds[number - 1].included),
        "gas": gas.by_round[number],
    }


def accuracy(lab: LocalFederation, view: FullSnapshot, baselines: Path | None) -> dict[str, Any]:
    """The task's measure of the last model on each party's test rows, and the baselines beside it; None: no such."""
    task: Any = lab.prepared.task
    federated: dict[str, Any] = {"mean": None, "by_trainer": {}}
    if view.finalised and hasattr(task, "scores"):
        federated = _scores(task.scores(last_model(lab, view).tensors).by_party)
    beside: Mapping[str, Any] = json.loads(baselines.read_text()) if baselines is not None else {}
    found = {name: _scores(scores["by_party"]) for name, scores in beside.items()}
    lines = {name: found.pop(name, {"mean": None, "by_trainer": {}}) for name in ("local_own", "local_all")}
    single = {name: found.pop(name, {"mean": None})["mean"] for name in ("pooled", "majority")}
    return {"federated": federated, **lines, **single, **{name: scores["mean"] for name, scores in found.items()}}


def last_model(lab: LocalFederation, view: FullSnapshot) -> Model:
    """The model of the last finalised round."""
    digest = view.finalised[-1][1].model
    limit = view.context.spec.model_bytes
    return Model.decode(lab.wire.store.get(digest, limit=limit, timeout=FETCH_SECONDS))


def _scores(by_party: Mapping[str, float]) -> dict[str, Any]:
    values = list(by_party.values())
    return {
        "mean": round(sum(values) / len(values), 6) if values else None,
        "by_trainer": {name: round(value, 6) for name, value in by_party.items()},
    }


def _reward(view: FullSnapshot, federation: Federation, trainer: Address) -> dict[str, Any]:
    numbers = [number for number, _ in view.leaves(trainer)]
    done = federation.claimed_rounds(view.job, trainer, numbers)
    return {
        "address": trainer,
        "pay": str(view.earned(trainer)),
        "strikes": view.strikes(trainer),
        "reputation": view.reputation(trainer),
        "claimed": str(sum(leaf.pay for number, leaf in view.leaves(trainer) if number in done)),
        "balance": str(federation.token_balance(view.context.terms.token, trainer)),
    }


def _validator(view: FullSnapshot, lab: LocalFederation, member: Address) -> dict[str, Any]:
    from hansa.cli.wallet.history import movements

    did = view.attendance(member)
    paid = sum(int(row["amount"]) for row in movements(lab.wire, member, view.job) if row["kind"] == "FeesClaimed")
    return {"address": member, "matched": did.matched, "wrong": did.wrong, "missed": did.missed, "paid": str(paid)}


def conservation(federation: Federation, job: JobId) -> dict[str, str]:
    """escrowed = paid + refunded + burnt + left, of the escrow alone: penalties come off the bonds."""
    books = federation.books(job)
    line = {
        "escrowed": books.escrowed,
        "paid": books.paid,
        "refunded": books.refunded,
        "burnt": books.burnt - books.forfeited,
        "left": books.left + books.booked - books.paid,
    }
    return {name: str(amount) for name, amount in line.items()}


def is_conserved(line: Mapping[str, str]) -> bool:
    return int(line["escrowed"]) == sum(int(line[name]) for name in ("paid", "refunded", "burnt", "left"))
