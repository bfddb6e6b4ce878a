"""Simulate, journal, send, wait: one transaction for one intent, whatever crashes, and a typed outcome.

An intent is named by its key. Its signed bytes are committed to the journal before they are broadcast; sending the
same key again sends the same bytes again. It is signed anew only where its nonce went to another transaction, or it
failed on chain. A nonce is *in flight* until the chain's count has passed it: a reorganisation is no case of its own.
A bundle is tried once: refused, or not mined in BUNDLE_BLOCKS, it is replaced at its nonce by its first call alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from eth_account.signers.local import LocalAccount

from hansa.protocol.types import Address
from hansa.runtime import stopping
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.journal import Journal, Key
from hansa.runtime.log import open_log
from hansa.runtime.transactions.binding import bind
from hansa.runtime.transactions.gas_price import CAP, NO_CAPS, FeeCaps, GasPrice
from hansa.runtime.transactions.mempool import Mempool, MempoolView, Underpriced
from hansa.runtime.transactions.outcome import Mined, Outcome, Pending, Refused, Sent

__all__ = ["Call", "FeeCaps", "Mined", "Outcome", "Pending", "Refused", "Sender"]

PATIENCE = 3.0  # seconds that `send` waits for the receipt
BUNDLE_BLOCKS = 2  # without being mined, after which a bundle is replaced
STUCK_BLOCKS = 3  # without being mined, after which a transaction's offer is raised
LOST_SECONDS = 1.0  # for which a used nonce must be without our receipt to be another transaction's
KEPT = 256  # nonces behind the chain's count that a reorganisation might bring back
RAISES = 40  # of an offer that nodes refuse as too low, where they don't say what they ask
ATTEMPTS = 3  # transactions of one intent that may fail on chain
QUICK_LOOKS, QUICK_PAUSE = 8, 0.004  # a chain that mines at once has the receipt within milliseconds
SELF_TRANSFER_GAS = 21_000


class Sender:
    """Sends for one key. Raises ChainUnavailable while no node answers, TooDear while the chain asks for more than
    `caps`, CantPay when the account can't."""

    def __init__(self, chain: Chain, account: LocalAccount, journal: Journal, caps: FeeCaps = NO_CAPS) -> None:
        self._chain = chain
        self._account = account
        self.journal = journal
        self._mempool = Mempool(chain, self.address, caps)
        self._flying: set[int] | None = None  # nonces; None: the journal may hold some
        self._told: dict[bytes, int] = {}  # hash → head when this process broadcast it
        self._lost: dict[bytes, float] = {}  # hash → when its nonce was first seen used by another transaction
        self._pruned = 0
        self._bound = False
        self.peers: Sequence[Sender] = ()  # all senders of this account in this process: their nonces are not free
        self.on_sign: Callable[[Sent, bool], None] | None = None  # told of what is signed, and whether it replaces
        self.on_underpriced: Callable[[Sent, str], None] = _warn  # told of what no node takes, and why

    @property
    def address(self) -> Address:
        return Address(self._account.address)

    @property
    def pays(self) -> bool:
        return True

    def send(self, call: Call, *, key: Key, wait: float = PATIENCE) -> Outcome:
        """Does `call` once, however often it is asked to for this key; waits up to `wait` seconds for the receipt."""
        self._bind()
        end = time.monotonic() + wait
        while True:
            outcome = self._attempt(call, key, max(0.0, end - time.monotonic()))
            if isinstance(outcome, Refused) and call.alone is not None:
                call, outcome = call.alone, None
            if outcome is not None:
                return outcome

    def _attempt(self, call: Call, key: Key, wait: float) -> Outcome | None:
        """None where the transaction that was signed for it came too late for its nonce."""
        known = self._known(key)
        outcome = self._follow(known, wait) if known else None
        if outcome is not None:
            return outcome
        if len({sent.nonce for sent in known}) >= ATTEMPTS:
            return Refused(ContractError("GaveUp", {"attempts": ATTEMPTS}), simulated=False)
        call = (call.alone if known else None) or call
        prepared = self._mempool.prepare(call)
        if not isinstance(prepared, ContractError) and self._told_again(prepared[1]):
            prepared = self._mempool.prepare(call)  # on top of what a reorganisation had dropped
        if isinstance(prepared, ContractError):
            return Refused(prepared, simulated=not known)
        gas, view = prepared
        nonce, offer = self._nonce(view)
        self._chain.listen()
        sent = self._broadcast(self._sign(key, call, nonce, gas, offer), view)
        if self._chain.is_listening and sent.hash not in self._lost:
            self._chain.wait(min(wait, 1.0))  # without a block there is no receipt
        return self._overtaken([sent], wait) if sent.hash in self._lost else self._await([sent], wait)

    def poke(self) -> Outcome:
        """Sends oneself an empty transaction, so that an idle chain makes a block."""
        self._bind()
        view = self._mempool.view()
        nonce, offer = self._nonce(view)
        call = Call(self.address, b"", "poke the chain")
        sent = self._sign(("poke", nonce, view.head), call, nonce, SELF_TRANSFER_GAS, offer)
        return self._await([self._broadcast(sent, view)], PATIENCE)

    def tend(self) -> None:
        """Sends what is in flight again, raises its offer, gives a dead intent's nonce back; where nothing is, asks
        nothing."""
        if self._flying is not None and not self._flying:
            return
        self._bind()
        view = self._mempool.view()
        flying = self._in_flight(view.count)
        elsewhere = self._held_by_peers(view.count) - set(flying)
        for nonce in sorted({*range(view.count, max(flying, default=-1) + 1)} - elsewhere):
            sent = flying.get(nonce)
            offer = view.market if sent is None else self._replacing(sent, view) if self._has_died(sent, view) else None
            if offer is not None:
                call = Call(self.address, b"", "give a nonce back")
                sent = self._sign(("cancel", nonce, view.head), call, nonce, SELF_TRANSFER_GAS, offer)
            if sent is not None:
                self._keep_alive(sent, view)
        self._flying = set(flying)
        self._prune(view.count)

    def _bind(self) -> None:
        if not self._bound:
            bind(self.journal, self._chain, self.address)
            self._bound = True

    # --- an intent that is in the journal already

    def _known(self, key: Key) -> list[Sent]:
        return [Sent.of(*row) for row in self.journal.sent(key=key)]

    def _follow(self, known: Sequence[Sent], wait: float) -> Outcome | None:
        """Its outcome; None when it has to be signed anew."""
        last = known[-1]
        for sent, receipt in self._mempool.account.receipts(known):
            if int(receipt["status"], 16) == 1:
                return self._mined(sent, receipt)
            if sent.nonce == last.nonce:
                return None
        view = self._mempool.view()
        if last.nonce < view.count:
            return self._overtaken([sent for sent in known if sent.nonce == last.nonce], wait)
        best = self._in_flight(view.count).get(last.nonce)
        if best is None or best.key != last.key:
            return None  # it seemed dead, and its nonce was given to another intent
        self._keep_alive(best, view)
        return self._await(self._known(last.key), wait)

    def _overtaken(self, known: Sequence[Sent], wait: float) -> Outcome | None:
        """Its outcome, where the chain's count passed its nonce; None once another transaction took that for good."""
        end, last = time.monotonic() + wait, known[-1].hash
        while True:
            left = self._lost.setdefault(last, time.monotonic()) + LOST_SECONDS - time.monotonic()
            outcome = self._await(known, min(max(left, 0.0), max(end - time.monotonic(), 0.0)))
            if not isinstance(outcome, Pending):
                return outcome
            if time.monotonic() >= self._lost[last] + LOST_SECONDS:
                if self._mempool.account.is_spent(known):
                    return None
                self._lost[last] = time.monotonic()
            if time.monotonic() >= end:
                return outcome

    def _keep_alive(self, sent: Sent, view: MempoolView) -> None:
        """Broadcasts what this process has not, and replaces what is stuck, up to the cap."""
        told = self._told.get(sent.hash)
        if self._has_failed(sent, view) and (offer := self._replacing(sent, view)) is not None:
            alone = sent.call.alone or sent.call
            sent = self._sign(sent.key, alone, sent.nonce, sent.gas, offer, first_fee=sent.first_fee)
            self._broadcast(sent, view)
            return
        if told is not None and told <= view.head < told + STUCK_BLOCKS:
            return
        if told is not None and view.head >= told + STUCK_BLOCKS:
            self._chain.rpc.rotate()
            raised = sent.offer.raised(view.market, min(CAP * sent.first_fee, view.limits.fee), view.limits.tip)
            if raised is not None:
                sent = self._sign(sent.key, sent.call, sent.nonce, sent.gas, raised, first_fee=sent.first_fee)
        self._broadcast(sent, view)

    def _has_died(self, sent: Sent, view: MempoolView) -> bool:
        """Asked only of what had a block's time to be mined; never of a bundle, whose first call may live."""
        return sent.call.alone is None and self._is_dead(sent, view)

    def _has_failed(self, sent: Sent, view: MempoolView) -> bool:
        """Whether it is a bundle that would be refused now, or was not mined in time."""
        late = view.head >= self._told.get(sent.hash, view.head) + BUNDLE_BLOCKS
        return sent.call.alone is not None and (late or self._is_dead(sent, view))

    def _is_dead(self, sent: Sent, view: MempoolView) -> bool:
        return view.head > self._told.get(sent.hash, view.head) and self._mempool.is_dead(sent)

    @staticmethod
    def _replacing(sent: Sent, view: MempoolView) -> GasPrice | None:
        """An offer that replaces a transaction's; None where the caps allow none."""
        return sent.offer.raised(view.market, view.limits.fee, view.limits.tip)

    # --- a new transaction

    def _nonce(self, view: MempoolView) -> tuple[int, GasPrice]:
        """The lowest nonce that is free, or held by a dead intent: that one with the offer that replaces it."""
        flying, elsewhere = self._in_flight(view.count), self._held_by_peers(view.count)
        nonce = view.count
        while nonce in flying or nonce in elsewhere:
            if nonce not in flying:
                nonce += 1
                continue
            if self._has_died(flying[nonce], view) and (offer := self._replacing(flying[nonce], view)) is not None:
                return nonce, offer
            self._keep_alive(flying[nonce], view)
            nonce += 1
        return (nonce if flying or elsewhere else max(nonce, view.pending)), view.market

    def _held_by_peers(self, count: int) -> set[int]:
        """Nonces from `count` on that other senders of this account have something in flight for."""
        return {nonce for peer in self.peers if peer is not self for nonce in peer._in_flight(count)}

    def _told_again(self, view: MempoolView) -> bool:
        """Whether something was in flight that this process had to broadcast first."""
        untold = [sent for sent in self._in_flight(view.count).values() if sent.hash not in self._told]
        for sent in untold:
            self._broadcast(sent, view)
        return bool(untold)

    def _in_flight(self, count: int) -> dict[int, Sent]:
        """The transaction with the highest offer for each nonce from `count` on."""
        flying: dict[int, Sent] = {}
        for row in self.journal.sent(from_nonce=count):
            sent = Sent.of(*row)
            if sent.nonce not in flying or sent.offer.fee > flying[sent.nonce].offer.fee:
                flying[sent.nonce] = sent
        return flying

    def _sign(
        self, key: Key, call: Call, nonce: int, gas: int, offer: GasPrice, *, first_fee: int | None = None
    ) -> Sent:
        """Signs, and commits to the journal."""
        stopping.check()
        fields: dict[str, Any] = {
            "chainId": self._chain.chain_id,
            "nonce": nonce,
            "gas": gas,
            "value": 0,
            "data": call.data,
            **offer.fields(),
        }
        if call.to is not None:
            fields["to"] = call.to
        signed = self._account.sign_transaction(fields)
        raw = bytes(signed.raw_transaction)
        sent = Sent(bytes(signed.hash), nonce, raw, call, gas, offer, first_fee or offer.fee, key)
        self.journal.add_sent(sent.hash, nonce, key, sent.record())
        self._mempool.account.signed = max(self._mempool.account.signed, nonce + 1)
        replaces = self._flying is not None and nonce in self._flying
        if self._flying is not None:
            self._flying.add(nonce)
        if self.on_sign is not None:
            self.on_sign(sent, replaces)
        return sent

    def _broadcast(self, sent: Sent, view: MempoolView) -> Sent:
        """What the nodes took: with the offer that they ask for, where that is within the caps; else TooDear."""
        for _ in range(RAISES):
            stopping.check()
            try:
                if not self._mempool.broadcast(sent):
                    self._lost.setdefault(sent.hash, time.monotonic())
                break
            except Underpriced as error:
                self.on_underpriced(sent, error.reason)
                offer = sent.offer.meeting(error.tip, error.base and 2 * error.base, view.limits)
                if offer == sent.offer:
                    raise
                sent = self._sign(sent.key, sent.call, sent.nonce, sent.gas, offer)
        self._told[sent.hash] = view.head
        return sent

    def _await(self, known: Sequence[Sent], wait: float) -> Outcome:
        deadline = time.monotonic() + wait
        looks = QUICK_LOOKS if self._chain.rpc.local and not self._chain.is_listening else 0
        while True:
            self._chain.listen()
            for sent, receipt in self._mempool.account.receipts(known):
                if int(receipt["status"], 16) == 1:
                    return self._mined(sent, receipt)
                if sent.nonce == known[-1].nonce:
                    self._mined(sent, receipt)
                    return Refused(self._mempool.why(sent, receipt), simulated=False)
            if (left := deadline - time.monotonic()) <= 0:
                return Pending(known[-1].hash)
            if looks > 0:
                time.sleep(QUICK_PAUSE)
            else:
                self._chain.wait(min(left, 1.0))
            looks -= 1

    def _mined(self, sent: Sent, receipt: Any) -> Mined:
        """Forgets that it was told: should a reorganisation drop it, it is told again at once."""
        self._told.pop(sent.hash, None)
        self._lost.pop(sent.hash, None)
        if self._flying is not None:
            self._flying.discard(sent.nonce)
        return Mined(receipt)

    def _prune(self, count: int) -> None:
        if count - KEPT > self._pruned:
            self._pruned = count
            self.journal.forget_sent(count - KEPT)


def _warn(sent: Sent, reason: str) -> None:
    open_log().warning("underpriced", what=sent.call.what, transaction=sent.hash, tip=sent.offer.tip, reason=reason)
