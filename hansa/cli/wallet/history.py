"""Every movement of tokens between one account and the vault, from the vault's events, and what its jobs burnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hansa.protocol.tables import MOVEMENTS
from hansa.protocol.types import JobId
from hansa.runtime.chain.abi import artifact

if TYPE_CHECKING:
    from hansa.protocol.types import Address
    from hansa.runtime.chain.client import Log
    from hansa.runtime.session import Session


def movements(wire: Session, account: Address, job: int | None) -> list[dict[str, Any]]:
    """Oldest first; a claim of a round that paid nothing is left out. `moved`: to the account, negative from it."""
    vault = artifact("Vault")
    events = {vault.event(name).topic: name for name in MOVEMENTS}
    times: dict[int, int] = {}
    rows: list[dict[str, Any]] = []
    for log in _logs(wire, account, job):
        name = events[log.topics[0]]
        values = vault.event(name).decode(log.topics, log.data)
        amount = int(values.get("amount", values.get("penalty", 0)))
        if not amount:
            continue
        if log.block not in times:
            times[log.block] = wire.chain.block(log.block).timestamp
        kind = MOVEMENTS[name]
        rows.append(
            {
                "time": times[log.block],
                "block": log.block,
                "job": int(values["job"]),
                "kind": name,
                "what": kind.what.format(**values),
                "amount": str(amount * kind.to_account if kind.to_account else amount),
                "moved": str(amount * kind.to_account),
                "token": wire.federation.terms(JobId(int(values["job"]))).token,
            }
        )
    return rows


def _logs(wire: Session, account: Address, job: int | None) -> list[Log]:
    """Events that name the account, and the burnings of jobs whose escrow it paid in; in order."""
    vault, deployment, head = artifact("Vault"), wire.deployment, wire.chain.head()
    topic = {name: vault.event(name).topic for name in MOVEMENTS}

    def read(topics: Sequence[Any]) -> list[Log]:
        return list(wire.chain.logs(deployment.vault, topics, deployment.first_block, head))

    of_job = None if job is None else job.to_bytes(32, "big")
    found = read([list(topic.values()), of_job, bytes(12) + bytes.fromhex(account[2:])])
    for sponsored in [log.topics[1] for log in found if log.topics[0] == topic["Deposited"]]:
        found += read([topic["Burnt"], sponsored])
    return sorted(found, key=lambda log: (log.block, log.index))
