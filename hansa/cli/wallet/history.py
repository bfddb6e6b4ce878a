"""Every movement of tokens between one account and the vault, from the vault's events, and what its jobs burnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hansa.protocol.types import JobId
from hansa.runtime.chain.abi import artifact

if TYPE_CHECKING:
    from hansa.protocol.types import Address
    from hansa.runtime.chain.client import Log
    from hansa.runtime.session import Session

KINDS = {
    "Deposited": ("escrow paid in", -1),
    "Bonded": ("bond paid in", -1),
    "RewardClaimed": ("pay of round {round}", 1),
    "Struck": ("penalty for round {round}, off the bond", 0),
    "FeesClaimed": ("fees", 1),
    "BondReturned": ("bond back", 1),
    "RestReturned": ("rest of the escrow back", 1),
    "Burnt": ("burnt", 0),
}
"""By event: what it is, and whether it moves tokens to the account (1), from it (−1), or neither (0)."""


def movements(wire: Session, account: Address, job: int | None) -> list[dict[str, Any]]:
    """Oldest first; a claim of a round that paid nothing is left out. `moved`: to the account, negative from it."""
    vault = artifact("Vault")
    events = {vault.event(name).topic: name for name in KINDS}
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
        words, sign = KINDS[name]
        rows.append(
            {
                "time": times[log.block],
                "block": log.block,
                "job": int(values["job"]),
                "kind": name,
                "what": words.format(**values),
                "amount": str(amount * sign if sign else amount),
                "moved": str(amount * sign),
                "token": wire.federation.terms(JobId(int(values["job"]))).token,
            }
        )
    return rows


def _logs(wire: Session, account: Address, job: int | None) -> list[Log]:
    """Events that name the account, and the burnings of jobs whose escrow it paid in; in order."""
    vault, deployment, head = artifact("Vault"), wire.deployment, wire.chain.head()
    topic = {name: vault.event(name).topic for name in KINDS}

    def read(topics: Sequence[Any]) -> list[Log]:
        return list(wire.chain.logs(deployment.vault, topics, deployment.first_block, head))

    of_job = None if job is None else job.to_bytes(32, "big")
    found = read([list(topic.values()), of_job, bytes(12) + bytes.fromhex(account[2:])])
    for sponsored in [log.topics[1] for log in found if log.topics[0] == topic["Deposited"]]:
        found += read([topic["Burnt"], sponsored])
    return sorted(found, key=lambda log: (log.block, log.index))
