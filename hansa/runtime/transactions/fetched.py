"""Signed transactions, fetched from a node as they were sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_utils.crypto import keccak

from hansa.protocol.errors import ChainUnavailable
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.rpc import AllFailed, NodeError, Nonsense, octets
from hansa.runtime.transactions.signed import transaction_bytes

TRANSACTIONS = 50  # requests in one batch


def fetch_transactions(chain: Chain, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    """Transactions as they were sent, by hash; those that the node does not have, or of unknown kinds, are left out."""
    found: dict[bytes, bytes] = {}
    for start in range(0, len(hashes), TRANSACTIONS):
        part = hashes[start : start + TRANSACTIONS]
        for method, read in (("eth_getRawTransactionByHash", _raw), ("eth_getTransactionByHash", _rebuilt)):
            missing = [wanted for wanted in part if wanted not in found]
            if missing:
                found |= _ask_transactions(chain, method, read, missing)
    return found


def _ask_transactions(
    chain: Chain, method: str, read: Callable[[Any], bytes | None], hashes: Sequence[bytes]
) -> dict[bytes, bytes]:
    """Nothing where the node does not know the method."""
    found: dict[bytes, bytes] = {}

    def check(answers: list[Any]) -> None:
        found.clear()
        for wanted, answer in zip(hashes, answers, strict=True):
            raw = read(answer)
            if raw is not None and keccak(raw) != wanted:
                raise Nonsense(method, answer)
            if raw is not None:
                found[wanted] = raw

    try:
        chain.rpc.ask([(method, ["0x" + wanted.hex()]) for wanted in hashes], check=check)
    except ChainUnavailable as error:
        failures = error.failures if isinstance(error, AllFailed) else [error]
        if not any(isinstance(failure, NodeError) for failure in failures):
            raise
    return found


def _raw(answer: Any) -> bytes | None:
    return octets(answer, "eth_getRawTransactionByHash") or None if answer is not None else None


def _rebuilt(answer: Any) -> bytes | None:
    return transaction_bytes(answer) if isinstance(answer, Mapping) else None
