"""Every movement of tokens between one account and the vault, from the vault's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocol.chain.codec import artifact
from protocol.types import JobId

if TYPE_CHECKING:
    from cli.wire import Wire
    from protocol.types import Address

KINDS = {
    "Deposited": ("escrow paid in", -1),
    "Bonded": ("bond paid in", -1),
    "RewardClaimed": ("pay of round {round}", 1),
    "Struck": ("penalty for round {round}, off the bond", 0),
    "FeesClaimed": ("fees", 1),
    "BondReturned": ("bond back", 1),
    "RestReturned": ("rest of the escrow back", 1),
}
"""By event: what it is, and whether it moves tokens to the account (1), from it (−1), or neither (0)."""


def movements(wire: Wire, account: Address, job: int | None) -> list[dict[str, Any]]:
    """Oldest first; a claim of a round that paid nothing is left out. Amounts are signed integer strings."""
    vault = artifact("Vault")
    events = {vault.event(name).topic: name for name in KINDS}
    head = wire.chain.head()
    topics = [
        list(events),
        None if job is None else job.to_bytes(32, "big"),
        bytes(12) + bytes.fromhex(account[2:]),
    ]
    rows: list[dict[str, Any]] = []
    times: dict[int, int] = {}
    for log in wire.chain.logs(wire.deployment.vault, topics, wire.deployment.first_block, head):
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
                "token": wire.federation.terms(JobId(int(values["job"]))).token,
            }
        )
    return rows
