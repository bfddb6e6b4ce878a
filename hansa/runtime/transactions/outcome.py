"""What can become of a transaction, and how a signed one is kept in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hansa.protocol.types import Address
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.calls import Call
from hansa.runtime.journal import Key
from hansa.runtime.transactions.gas_price import GasPrice


@dataclass(frozen=True)
class Mined:
    """On chain and done; the node's receipt as it gave it."""

    receipt: Mapping[str, Any]

    @property
    def hash(self) -> str:
        return str(self.receipt["transactionHash"])

    @property
    def block(self) -> int:
        return int(self.receipt["blockNumber"], 16)

    @property
    def gas_used(self) -> int:
        return int(self.receipt["gasUsed"], 16)


@dataclass(frozen=True)
class Refused:
    """The contract said no. `simulated`: before anything was sent; else it cost gas."""

    error: ContractError
    simulated: bool


@dataclass(frozen=True)
class Pending:
    """Sent and not mined yet. Sending the same key again waits for it again."""

    hash: bytes


Outcome = Mined | Refused | Pending


@dataclass(frozen=True)
class Sent:
    """One signed transaction."""

    hash: bytes
    nonce: int
    raw: bytes
    call: Call
    gas: int
    offer: GasPrice
    first_fee: int  # of the intent's first transaction at this nonce
    key: Key

    def record(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {
            "raw": self.raw,
            "to": self.call.to,
            "data": self.call.data,
            "what": self.call.what,
            "gas": self.gas,
            "fee": self.offer.fee,
            "tip": self.offer.tip,
            "first_fee": self.first_fee,
            "key": list(self.key),
            "alone": None if self.call.alone is None else {"data": self.call.alone.data, "what": self.call.alone.what},
        }

    @classmethod
    def of(cls, tx_hash: bytes, nonce: int, record: Mapping[str, Any]) -> Sent:
        to = None if record["to"] is None else Address(record["to"])
        first = record.get("alone")
        alone = None if first is None else Call(to, first["data"], first["what"])
        return cls(
            tx_hash,
            nonce,
            record["raw"],
            Call(to, record["data"], record["what"], alone),
            record["gas"],
            GasPrice(record["fee"], record["tip"]),
            record["first_fee"],
            tuple(record["key"]),
        )
