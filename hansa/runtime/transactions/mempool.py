"""What sending asks of a node: simulate, price, count, broadcast, look for receipts. One request each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import ChainUnavailable, FatalError
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.rpc import NodeError, Nonsense, Request, first, octets, quantity
from hansa.runtime.transactions.gas_price import PRICE_REQUESTS, GasPrice, market
from hansa.runtime.transactions.outcome import Sent

KNOWN = ("already known", "already imported", "known transaction", "already in", "nonce too low", "nonce is too low")
SUPERSEDED = ("underpriced", "has nonce of")  # geth, ganache
BROKE = ("insufficient funds", "not enough funds", "insufficient balance")


@dataclass(frozen=True)
class MempoolView:
    """An account's place on the chain: mined nonces, those with pending ones, what gas costs, the head's number."""

    count: int
    pending: int
    market: GasPrice
    head: int
    gas_limit: int


class Mempool:
    """One account's way into the next block. Raises ChainUnavailable, or FatalError when the account can't pay."""

    def __init__(self, chain: Chain, address: Address) -> None:
        self.chain = chain
        self._address = address
        self._place: list[Request] = [
            *PRICE_REQUESTS,
            ("eth_getTransactionCount", [address, "latest"]),
            ("eth_getTransactionCount", [address, "pending"]),
        ]

    def view(self) -> MempoolView:
        return _view(self.chain.rpc.raw(self._place))

    def prepare(self, call: Call) -> ContractError | tuple[int, MempoolView]:
        """How much gas the call needs at `pending`, and the view; or why the contract would refuse."""
        estimate: Request = ("eth_estimateGas", [self._request(call), "pending"])
        answer, *place = self.chain.rpc.raw([estimate, *self._place])
        if isinstance(answer, ContractError):
            return answer
        if isinstance(answer, NodeError):
            if "gas" in answer.reason and ("exceed" in answer.reason or "out of" in answer.reason.lower()):
                return ContractError("OutOfGas")
            self._explain(answer)
        view = _view(place)
        return min(quantity(answer, "eth_estimateGas") * 5 // 4, view.gas_limit), view

    def broadcast(self, sent: Sent) -> None:
        """A node that has it already, or has mined another one at its nonce, is fine: receipts tell."""
        answer = self.chain.rpc.raw([("eth_sendRawTransaction", ["0x" + sent.raw.hex()])])[0]
        if isinstance(answer, NodeError):
            if not any(text in answer.reason.lower() for text in KNOWN + SUPERSEDED):
                self._explain(answer)
        elif not isinstance(answer, ContractError) and octets(answer, "eth_sendRawTransaction", 32) != sent.hash:
            raise Nonsense("eth_sendRawTransaction", answer)

    def is_dead(self, sent: Sent) -> bool:
        """Whether it would fail now, without what is pending and with it."""
        request = self._request(sent.call)
        answers = self.chain.rpc.ask([("eth_call", [request, tag]) for tag in ("latest", "pending")])
        return all(isinstance(answer, ContractError) for answer in answers)

    def receipts(self, known: Sequence[Sent]) -> list[tuple[Sent, Mapping[str, Any]]]:
        """Of those that are mined."""
        found: list[tuple[Sent, Mapping[str, Any]]] = []

        def check(answers: list[Any]) -> None:
            found[:] = [
                (sent, _receipt(sent, answer))
                for sent, answer in zip(known, answers, strict=True)
                if answer is not None
            ]

        self.chain.rpc.ask([("eth_getTransactionReceipt", ["0x" + sent.hash.hex()]) for sent in known], check=check)
        return found

    def why(self, sent: Sent, receipt: Mapping[str, Any]) -> ContractError:
        """Why a transaction failed on chain, as far as the node can still tell."""
        if quantity(receipt["gasUsed"], "gasUsed") >= sent.gas:
            return ContractError("OutOfGas")
        try:
            first(self.chain.rpc.ask([("eth_call", [self._request(sent.call), receipt["blockNumber"]])]))
        except ContractError as error:
            return error
        except ChainUnavailable:
            pass
        return ContractError("reverted")

    def _request(self, call: Call) -> dict[str, Any]:
        target = {} if call.to is None else {"to": call.to}
        return {"from": self._address, **target, "data": "0x" + call.data.hex()}

    def _explain(self, error: NodeError) -> None:
        """Raises what a node's refusal means."""
        if any(text in error.reason.lower() for text in BROKE):
            raise FatalError(
                f"{self._address} can't pay for gas on chain {self.chain.chain_id}",
                cause=error.reason,
                next_step="send it some of the chain's own coin",
            ) from error
        raise error


def _view(answers: Sequence[Any]) -> MempoolView:
    offer = market(list(answers[:3]))
    block = answers[0]
    count, pending = (quantity(first([answer]), "eth_getTransactionCount") for answer in answers[3:])
    head = quantity(block.get("number"), "the latest block's number")
    return MempoolView(count, pending, offer, head, quantity(block.get("gasLimit"), "the block's gas limit"))


def _receipt(sent: Sent, answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict) or octets(answer.get("transactionHash"), "a receipt", 32) != sent.hash:
        raise Nonsense("a receipt", answer)
    for name in ("blockNumber", "gasUsed", "status"):
        quantity(answer.get(name), f"a receipt's {name}")
    return answer
