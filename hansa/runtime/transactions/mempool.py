"""What sending asks of nodes: simulate, price, count, broadcast, look for receipts. One request each."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import ChainUnavailable, FatalError, HansaError
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.node_errors import Behind, TooSlow, each
from hansa.runtime.chain.rpc import NodeError, Nonsense, Request, first, octets, quantity
from hansa.runtime.transactions.account import AccountWitness
from hansa.runtime.transactions.gas_price import HISTORY, PRICE_REQUESTS, FeeCaps, GasPrice, Limits, market
from hansa.runtime.transactions.outcome import Sent

# What nodes say, small and without spaces: Nethermind writes none.
KNOWN = ("alreadyknown", "alreadyimported", "knowntransaction", "alreadyin", "existingtxwithsamehash")
LATE = ("noncetoolow", "nonceistoolow", "noncehasalreadybeenused", "oldnonce")
SUPERSEDED = ("replacement", "hasnonceof", "bereplaced", "notreplaceexisting")  # another offers more, or is being mined
CHEAP = ("underpriced", "feetoolow", "lessthanblockbasefee", "gaspricebelow", "pricetoolow")
BROKE = ("insufficientfunds", "enoughfunds", "insufficientbalance", "costexceedsaccountbalance")
NEEDED = re.compile(r"(?:minimum(?: needed| gas price)?|min tip|needed)\D{0,12}?(\d+(?:\.\d+)?(?:e\d+)?)", re.I)
BASE_FEE = re.compile(r"base ?fee(?: per gas)?\s*[:=]?\s*(\d+)", re.I)
CALL_SHARE = 4  # a block's gas by what a call may take whose gas nobody estimates
LIMITS_SECONDS = 60.0  # for which the caps of all endpoints are remembered


class Underpriced(ChainUnavailable):
    """A node took none of it: the tip or the base fee that it asks for, in wei a unit of gas, where it says so."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        needed, base = NEEDED.search(reason), BASE_FEE.search(reason)
        tip = float(needed[1]) if needed else math.inf
        self.tip = int(tip) if math.isfinite(tip) else None
        self.base = int(base[1]) if base and not needed else None
        super().__init__("a node refused a transaction as underpriced", cause=reason)


class Doubtful(Behind):
    """A refusal of a node that may not have seen what it rests on."""

    def __init__(self, refusal: ContractError) -> None:
        self.refusal = refusal
        super().__init__("a node's pending block refuses what its last one does not", cause=refusal)


@dataclass(frozen=True)
class MempoolView:
    """An account's place on the chain: mined nonces, those with pending ones, what gas costs, the head's number."""

    count: int
    pending: int
    market: GasPrice
    limits: Limits
    head: int
    gas_limit: int


class CantPay(FatalError):
    """An account has not the coin that its transaction costs."""


class Mempool:
    """One account's way into the next block. Raises ChainUnavailable, or CantPay."""

    def __init__(self, chain: Chain, address: Address, caps: FeeCaps) -> None:
        self.chain = chain
        self.account = AccountWitness(chain, address)
        self._address = address
        self._caps = caps
        self._limits: tuple[float, Limits] | None = None  # of all endpoints, and when they were asked
        self._tag = "pending"  # what is simulated at: "latest" where nodes have no pending block
        self._estimates = True  # whether the node tells in time what gas a call needs
        self._place: list[Request] = [*PRICE_REQUESTS, *self.account.count_requests]

    def view(self) -> MempoolView:
        found: list[MempoolView] = []
        self.chain.patiently(
            lambda: self.chain.rpc.raw(self._place, check=lambda answers: found.append(self._view(answers)))
        )
        return found[-1]

    def prepare(self, call: Call) -> ContractError | tuple[int, MempoolView]:
        """How much gas the call needs at `pending`, and the view; or why the contract would refuse.

        A refusal counts when the highest block that is known refuses as well, so that no node's lag is told as one; or
        when that block still does not after as long as a lag is waited for.
        """
        try:
            prepared: tuple[int, MempoolView] = self.chain.patiently(lambda: self._simulated(call))
            return prepared
        except ContractError as error:
            return error
        except ChainUnavailable as error:
            for one in each(error):
                if isinstance(one, Doubtful):
                    return one.refusal
            raise

    def _simulated(self, call: Call) -> tuple[int, MempoolView]:
        if not self._estimates:
            return self._called(call)
        try:
            return self._simulated_at(call, self._tag)
        except ChainUnavailable as error:
            if self.chain.rpc.local and all(isinstance(one, TooSlow) for one in each(error)):
                self._estimates = False
                return self._called(call)
            refused = all(isinstance(one, NodeError) and one.method == "eth_estimateGas" for one in each(error))
            if self._tag != "pending" or not refused:
                raise
        found = self._simulated_at(call, "latest")
        self._tag = "latest"
        return found

    def _simulated_at(self, call: Call, tag: str) -> tuple[int, MempoolView]:
        """Doubtful where the call is refused at `tag`, and not at the highest block that is known."""
        found: list[tuple[int, MempoolView]] = []

        def check(answers: list[Any]) -> None:
            gas, *place = answers
            view = self._view(place)
            self.chain.floor.saw(view.head)
            if isinstance(gas, NodeError):
                raise self._refusal(gas)
            if isinstance(gas, ContractError):
                raise gas
            asked = max(quantity(gas, "eth_estimateGas") * 5 // 4, call.least_gas)
            found.append((min(asked, view.gas_limit), view))

        request, floor = self._request(call), hex(self.chain.floor.known) if self.chain.floor.known >= 0 else "latest"
        at = tag if tag == "pending" else floor
        try:
            self.chain.rpc.raw([("eth_estimateGas", [request, at]), *self._place], check=check)
        except ContractError as refusal:
            [there] = self.chain.rpc.raw([("eth_call", [request, hex(self.chain.floor.known)])])
            if isinstance(there, NodeError) and there.is_behind:
                raise Behind("a node lags", cause=there) from refusal
            if isinstance(there, str) and refusal.name != "OutOfGas":
                raise Doubtful(refusal) from refusal
            raise
        return found[-1]

    def _called(self, call: Call) -> tuple[int, MempoolView]:
        """By a plain call with a part of a block's gas: for a development chain that takes too long to estimate.

        Ganache does sixteen times the work for it, and goes on with what nobody waits for any more."""
        view = self.view()
        gas = max(view.gas_limit // CALL_SHARE, call.least_gas)
        [answer] = self.chain.rpc.raw([("eth_call", [{**self._request(call), "gas": hex(gas)}, self._tag])])
        if isinstance(answer, NodeError):
            raise self._refusal(answer)
        if isinstance(answer, ContractError):
            raise answer
        return gas, view

    def broadcast(self, sent: Sent) -> bool:
        """Whether its nonce was free: one that is mined already may be its own, receipts tell. A node that has it is
        fine. Underpriced where no node takes it for what it offers."""
        late: list[bool] = []

        def check(answers: list[Any]) -> None:
            answer = answers[0]
            if isinstance(answer, NodeError):
                late[:] = [_says(answer, LATE)]
                if late[0] or _says(answer, KNOWN + SUPERSEDED):
                    return
                if _says(answer, CHEAP):
                    raise Underpriced(answer.reason)
                raise self._refusal(answer)
            if not isinstance(answer, ContractError) and octets(answer, "eth_sendRawTransaction", 32) != sent.hash:
                raise Nonsense("eth_sendRawTransaction", answer)

        try:
            self.chain.rpc.raw([("eth_sendRawTransaction", ["0x" + sent.raw.hex()])], check=check)
            return late != [True]
        except ChainUnavailable as error:
            for one in each(error):
                if isinstance(one, Underpriced):
                    raise one from error
            raise

    def is_dead(self, sent: Sent) -> bool:
        """Whether it would fail now, without what is pending and with it."""
        request = self._request(sent.call)
        answers = self.chain.rpc.raw([("eth_call", [request, tag]) for tag in {"latest", self._tag}])
        return all(isinstance(answer, ContractError) for answer in answers)

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

    def _refusal(self, error: NodeError) -> HansaError:
        """What a node's refusal means."""
        if _says(error, BROKE):
            return CantPay(
                f"{self._address} can't pay for gas on chain {self.chain.chain_id}",
                cause=error.reason,
                next_step="send it some of the chain's own coin",
            )
        out = error.method == "eth_estimateGas" and _says(error, ("gas",)) and _says(error, ("exceed", "outof"))
        return ContractError("OutOfGas") if out else error

    def _view(self, answers: Sequence[Any]) -> MempoolView:
        """Behind where the node has less than is known to be there."""
        limits = self._lowest(answers[3])
        offer, block = market(list(answers[:4]), limits), answers[0]
        head = quantity(block.get("number"), "the latest block's number")
        self.chain.floor.check(head)
        gas_limit = quantity(block.get("gasLimit"), "the block's gas limit")
        count, pending = self.account.counts(answers[4:])
        return MempoolView(count, pending, offer, limits, head, gas_limit)

    def _lowest(self, history: Any) -> Limits:
        """The lowest caps that an endpoint's history gives, so that none alone can raise them."""
        limits = Limits.of(self._caps, history)
        if len(self.chain.rpc.endpoints) == 1:
            return limits
        if self._limits is None or time.monotonic() > self._limits[0] + LIMITS_SECONDS:
            for answers in self.chain.rpc.ask_each([HISTORY]).values():
                if not isinstance(answers, HansaError) and isinstance(answers[0], dict):
                    limits = limits.lowest(Limits.of(self._caps, answers[0]))
            self._limits = (time.monotonic(), limits)
        return self._limits[1]


def _says(error: NodeError, texts: Sequence[str]) -> bool:
    """Whether a refusal has one of these in it, however it is spaced; "unknown" is not "known"."""
    reason = "".join(error.reason.lower().split()).replace("unknown", "")
    return any(text in reason for text in texts)
