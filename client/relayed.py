"""A trainer without coin: it signs, and relays send. What it signed goes to the next relay where one fails it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from structlog.stdlib import BoundLogger

from hansa.protocol.errors import Malformed, TransientError
from hansa.protocol.hashes import cycle_counter
from hansa.runtime.chain.abi import ContractError, Function, artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.rpc import first, quantity
from hansa.runtime.http import checked_url
from hansa.runtime.journal import Journal, Key
from hansa.runtime.poster import Poster
from hansa.runtime.relay.messages import CLAIMS, RelayAnswer, RelayRequest
from hansa.runtime.relay.permits import Permit, TokenPermits
from hansa.runtime.signed_calls import can_be_signed, signed_call
from hansa.runtime.transactions.gas_price import NO_CAPS, FeeCaps
from hansa.runtime.transactions.mempool import CantPay
from hansa.runtime.transactions.outcome import Mined, Outcome, Pending, Refused
from hansa.runtime.transactions.sender import PATIENCE, SELF_TRANSFER_GAS, Sender

ANSWER_SECONDS = 20.0  # that a relay has to answer
ANSWER_BYTES = 2**14
LEAST_GAS = 2 * SELF_TRANSFER_GAS  # of a transaction
RELAY_SECONDS = 20.0  # that one which took a call has to get it mined, before the next is asked too


class RelayEndpoint:
    """One relay. FatalError where `url` can't be an address."""

    def __init__(self, url: str) -> None:
        parts = checked_url(url, ("http", "https"), "a relay's address")
        self.shown = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._poster = Poster(url, direct=True, most=ANSWER_BYTES)

    def ask(self, request: RelayRequest) -> RelayAnswer:
        """TransientError where it does not answer as a relay."""
        try:
            reply = self._poster.post(request.encode(), seconds=ANSWER_SECONDS)
            return RelayAnswer.decode(reply.status, reply.body)
        except (OSError, HTTPException, ValueError) as error:
            raise TransientError(f"relay {self.shown} does not answer", cause=type(error).__name__) from error
        except Malformed as error:
            raise TransientError(f"relay {self.shown} answers nonsense", cause=error) from error


class RelayedSender(Sender):
    """Sends by way of relays what its account signs, or what needs no signature; by itself where no relay does and it
    has coin. What a relay says is not believed: an act is done when the chain says so."""

    def __init__(
        self,
        federation: Federation,
        account: LocalAccount,
        journal: Journal,
        relays: Sequence[RelayEndpoint],
        log: BoundLogger,
        caps: FeeCaps = NO_CAPS,
    ) -> None:
        super().__init__(federation.chain, account, journal, caps)
        self._federation = federation
        self._relays = list(relays)
        self._log = log
        self._given: dict[Key, tuple[float, str]] = {}  # when a relay took it, monotonic; and the transaction it told

    @property
    def pays(self) -> bool:
        """Whether its account has coin for a transaction; less than that, which anybody may have sent it, is none."""
        answer = first(self._chain.rpc.ask([("eth_getBalance", [self.address, "latest"])]))
        balance = quantity(answer, "eth_getBalance")
        return balance > 0 and balance >= LEAST_GAS * self._mempool.view().market.fee

    def send(self, call: Call, *, key: Key, wait: float = PATIENCE) -> Outcome:
        """As a Sender; Pending while a relay has it. TransientError where no relay takes it, and it has no coin."""
        if not self._can_be_relayed(call):
            with suppress(CantPay):
                if self.pays:
                    return super().send(call, key=key, wait=wait)
            return Refused(ContractError("NoCoin", {"account": self.address}), simulated=True)
        if (done := self._done(call, key)) is not None:
            return done
        taken = self._given.get(key)
        if taken is None or time.monotonic() > taken[0] + RELAY_SECONDS:
            if taken is not None:
                self._relays.append(self._relays.pop(0))
            refused = self._refusal(call)
            if refused is not None:
                return refused
            if (own := self._hand_over(call, key, wait)) is not None:
                return own
        return self._await_done(call, key, wait)

    def poke(self) -> Outcome:
        """Nothing without coin: others keep an idle chain moving."""
        with suppress(CantPay):
            if self.pays:
                return super().poke()
        return Pending(bytes(32))

    def tend(self) -> None:
        """What it could pay for once, and can't now, waits for coin."""
        with suppress(CantPay):
            super().tend()

    def _can_be_relayed(self, call: Call) -> bool:
        if call.to == self._federation.address:
            return can_be_signed(call)
        return call.to == self._federation.vault and _function(call).name in CLAIMS

    def _refusal(self, call: Call) -> Refused | None:
        """Why the contract would refuse it, as this account's own nodes say; what a bond's token says is left out."""
        prepared = self._mempool.prepare(call)
        if not isinstance(prepared, ContractError):
            return None
        is_own = prepared.name.startswith(("Federation_", "Vault_"))
        return Refused(prepared, simulated=True) if is_own or not _is_enrolment(call) else None

    def _hand_over(self, call: Call, key: Key, wait: float) -> Outcome | None:
        """Gives it to the first relay that takes it. Where none does, what became of it by itself."""
        said: list[str] = []
        request = self._signed(call, key)
        for place, relay in enumerate(self._relays):
            try:
                answer = relay.ask(request)
            except TransientError as error:
                said.append(str(error))
                continue
            if answer.is_taken:
                self._relays = self._relays[place:] + self._relays[:place]
                self._given[key] = (time.monotonic(), answer.transaction or "")
                self._log.info("given to a relay", what=call.what, relay=relay.shown, transaction=answer.transaction)
                return None
            said.append(f"relay {relay.shown}: {answer.error or answer.status}")
        with suppress(CantPay):
            if self.pays:
                self._log.info("sending without a relay", what=call.what, why="; ".join(said))
                return self._send_own(call, key, wait)
        raise TransientError(
            f"no relay sends {call.what}",
            cause="; ".join(said),
            next_step="name another one with --relay, or give the account some coin",
        )

    def _send_own(self, call: Call, key: Key, wait: float) -> Outcome:
        if _is_enrolment(call):
            job, _, bond, _ = _arguments(call)
            token = self._federation.terms(job).token
            for approval in self._federation.approvals(token, self.address, bond):
                outcome = super().send(approval, key=(*key, "approve", approval.data), wait=wait)
                if not isinstance(outcome, Mined):
                    return outcome
        return super().send(call, key=key, wait=wait)

    def _signed(self, call: Call, key: Key) -> RelayRequest:
        """As the journal has it: after a crash, and for every relay, the same signatures of one call. A call that has
        become another (a bond, a proof for the admission) is signed anew."""
        assert call.to is not None
        if call.to != self._federation.address:
            return RelayRequest(self._chain.chain_id, call.to, call.data)

        def make() -> dict[str, Any]:
            deadline = int(self._federation.state(_arguments(call)[0]).deadline) if _is_enrolment(call) else 0
            return {"data": signed_call(call, self._account, self._chain.chain_id, deadline).data, "until": deadline}

        known = self.journal.remember((*key, "signed", keccak(call.data)), make)
        permit = self._permit(call, key, known["until"]) if _is_enrolment(call) else None
        return RelayRequest(self._chain.chain_id, call.to, known["data"], permit)

    def _permit(self, call: Call, key: Key, until: int) -> Permit | None:
        """What lets the vault take an enrolment's bond; None where it may. Another one only where the last was used for
        something else."""
        federation, (job, _, bond, _) = self._federation, _arguments(call)
        token = federation.terms(job).token
        if federation.allowance(token, self.address) >= bond:
            return None
        permits = TokenPermits(federation, token)
        nonce = permits.nonce(self.address)
        known = self.journal.remember(
            (*key, "permit", nonce, bond, until), lambda: vars(permits.sign(self._account, bond, nonce, until))
        )
        return Permit(**known)

    def _await_done(self, call: Call, key: Key, wait: float) -> Outcome:
        end = time.monotonic() + wait
        while (done := self._done(call, key)) is None and time.monotonic() < end:
            self._chain.wait(end - time.monotonic())
        told = self._given[key][1].removeprefix("0x")
        return done or Pending(bytes.fromhex(told) if _is_hash(told) else bytes(32))

    def _done(self, call: Call, key: Key) -> Mined | None:
        """Whether the chain shows what a call asks for. No gas of this account is in it."""
        head = self._chain.head()
        if not self._is_done(call):
            return None
        told = self._given.get(key, (0.0, ""))[1]
        return Mined({"transactionHash": told, "blockNumber": hex(head.number), "gasUsed": "0x0", "status": "0x1"})

    def _is_done(self, call: Call) -> bool:
        federation, me = self._federation, self.address
        job, *rest = _arguments(call)
        match _function(call).name:
            case "enrol":
                return federation.trainer(job, me).enrolled
            case "submit":
                return federation.trainer(job, me).counter == cycle_counter(rest[0])
            case "rejoin":
                state = federation.state(job)
                return state.rejoining or state.cycle != rest[0]
            case "claim":
                rounds = [int(claim[0]) for claim in rest[1]]
                return federation.claimed_rounds(job, me, rounds) == set(rounds)
        return federation.bond(job, me) == 0


def relays_of(urls: Sequence[str]) -> list[RelayEndpoint]:
    """FatalError where one can't be an address."""
    return [RelayEndpoint(url) for url in urls]


def _function(call: Call) -> Function:
    """Of federation or vault, which share no name with another meaning."""
    found = {**artifact("Vault").functions, **artifact("Federation").functions}
    return next(function for function in found.values() if function.selector == call.data[:4])


def _arguments(call: Call) -> tuple[Any, ...]:
    return _function(call).read(call.data[4:])


def _is_enrolment(call: Call) -> bool:
    return _function(call).name == "enrol"


def _is_hash(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == 32
    except ValueError:
        return False
