"""Who signed what a job's events say that they did: each act has its transaction, each transaction its act."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from hansa.audit.facts import Facts
from hansa.audit.report import Finding, Wrong, shown
from hansa.protocol.phases import PHASES
from hansa.protocol.typed_data import SIGNED_CALLS, BadSignature, digest, domain, signer_of
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.chain.structs import address
from hansa.runtime.transactions.asked import ReadCall, read_calls, signed_calls
from hansa.runtime.transactions.signed import BadTransaction, SignedTransaction, read_transaction
from hansa.runtime.transactions.strict_rlp import BadRlp

SIGNED: Final[Mapping[str, str]] = {
    "JobPosted": "post",
    **{
        row.event: row.call
        for row in PHASES
        if row.event and row.call and row.event not in ("CycleOpened", "RoundFinalized", "CycleFailed")
    },
    "Rejoined": "rejoin",
    "StopRequested": "stop",
    "KeysPublished": "publishKeys",
}
"""The functions by the events that they leave, of those whose event names its sender. Nothing names who sent `open`,
`finalize`, `failRound` or a claim: another signature under one of these would be another sender's."""


@dataclass(frozen=True)
class Act:
    """A call that an event tells of: by whom, of which function, with which arguments (those that are known)."""

    account: Address
    call: str
    arguments: Mapping[str, Any]

    def fits(self, call: ReadCall) -> bool:
        return call.name == self.call and all(call.arguments[name] == value for name, value in self.arguments.items())


class SignedCall(NamedTuple):
    """A call, and who signed it: the transaction, or what somebody else's transaction carries."""

    account: Address
    call: ReadCall


class Signatures:
    """Takes a job's acts in order, and each with it the transaction that it stands in. Wrong where one has no act.

    unsigned: acts without a transaction, by account. odd: acts of who signed a transaction that is written otherwise
    than the ABI's only encoding; what it asks for itself is not read.
    """

    def __init__(self, facts: Facts) -> None:
        self.signed = 0
        self.unsigned: Counter[Address] = Counter()
        self.odd: Counter[Address] = Counter()
        self._facts = facts
        self._transactions = _read(facts)
        self._next: SignedTransaction | None = None
        self._open: deque[SignedCall] = deque()  # what the last transaction asks for besides
        self._odd_signer: Address | None = None  # of the last transaction, where something in it was not read
        self._posted = False
        self._seen: set[bytes] = set()  # hashes

    def take(self, act: Act) -> None:
        """The next act."""
        if self._open and act.account == self._open[0].account and self._fits(act, self._open[0].call):
            self._open.popleft()
            self._sign(act)
        elif not self._open and (sent := self._peek()) is not None and self._begin(act, sent):
            self._next = None
        elif act.account == self._odd_signer:
            self.odd[act.account] += 1
        else:
            self.unsigned[act.account] += 1

    def _fits(self, act: Act, call: ReadCall) -> bool:
        """Whether a call is what asked for an act of its account. Wrong where nothing else can be."""
        if act.fits(call):
            return True
        if act.account != self._odd_signer:
            raise Wrong(Finding(f"an act of {act.account}", _described(call), f"{act.call}, another one"))
        return False

    def _begin(self, act: Act, sent: SignedTransaction) -> bool:
        """Takes the next transaction, where it asks for an act; whether it does."""
        if not is_for(sent, self._facts):
            return False
        calls, is_whole = calls_of(sent, self._facts, None if self._posted else act)
        is_first = bool(calls) and calls[0].account == act.account and act.fits(calls[0].call)
        if not is_first and (is_whole or sent.signer != act.account):
            return False
        if sent.hash in self._seen:
            raise Wrong(Finding("a transaction", "one that was not mined before", f"0x{sent.hash.hex()}, again"))
        self._seen.add(sent.hash)
        self._odd_signer = None if is_whole else sent.signer
        left = calls[1:] if is_first else calls
        self._open = deque(one for one in left if one.call.name != "post")  # another one posts another job
        if is_first:
            self._sign(act)
        else:
            self.odd[act.account] += 1
        return True

    def close(self) -> None:
        """Wrong where a transaction is left."""
        if self._open:
            account, call = self._open[0]
            raise Wrong(Finding(f"a call of {account}", "an event that it left", _described(call)))
        if (left := self._peek()) is not None:
            what = f"transaction 0x{left.hash.hex()} of {left.signer}"
            raise Wrong(Finding(what, "an event that it left, in order", "none"))

    def _peek(self) -> SignedTransaction | None:
        """The next transaction; None after the last."""
        self._next = self._next or next(self._transactions, None)
        return self._next

    def _sign(self, act: Act) -> None:
        self._posted = self._posted or act.call == "post"
        self.signed += 1


def is_for(sent: SignedTransaction, facts: Facts) -> bool:
    """Whether a transaction was signed for a job's contract."""
    return sent.to == facts.federation and sent.chain_id == facts.chain_id


def calls_of(sent: SignedTransaction, facts: Facts, act: Act | None) -> tuple[list[SignedCall], bool]:
    """What a transaction asks for in a job, in order, and who signed that; what leaves no name, and other jobs' calls,
    are passed over. And whether that is all: of what is not in its only encoding only others' signatures are read.

    act: where the job is yet to be posted, the act that posts it; another posting is another job's.
    """
    contract, is_whole = artifact("Federation"), True
    try:
        found = list(read_calls(contract, sent.data))
    except BadEncoding:
        found, is_whole = list(signed_calls(contract, sent.data)), False
    names = {*SIGNED.values(), *SIGNED_CALLS}
    asked = [
        _signed(call, sent.signer, facts)
        for call in found
        if (call.name in names and call.arguments.get("job") == facts.job)
        or (call.name == "post" and act is not None and act.fits(call))
    ]
    return asked, is_whole


def _signed(call: ReadCall, sender: Address, facts: Facts) -> SignedCall:
    """A call by whoever signed it, under the name that it has where its account sends it."""
    if call.name not in SIGNED_CALLS:
        return SignedCall(sender, call)
    name, kind = SIGNED_CALLS[call.name]
    hashed = digest(domain(facts.chain_id, facts.federation), kind, call.arguments)
    try:
        signer = signer_of(hashed, call.arguments["signature"])
    except BadSignature:
        signer = Address("nobody")
    if signer != address(call.arguments["account"]):
        what = f"the signature in {_described(call)}"
        raise Wrong(Finding(what, f"one of {address(call.arguments['account'])}", f"one of {signer}"))
    return SignedCall(signer, ReadCall(name, call.arguments))


def _read(facts: Facts) -> Iterator[SignedTransaction]:
    try:
        for raw in facts.transactions:
            yield read_transaction(raw)
    except (BadTransaction, BadRlp) as error:
        raise Wrong(Finding("a transaction", "one as it was signed", str(error))) from error


def _described(call: ReadCall) -> str:
    return f"{call.name} of {shown(call.arguments)}"
