"""Who signed what a job's events say that they did: each act has its transaction, each transaction its act."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansa.audit.facts import Facts
from hansa.audit.report import Finding, Wrong, shown
from hansa.protocol.phases import PHASES
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import BadEncoding, artifact
from hansa.runtime.transactions.asked import ReadCall, read_calls
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


class Signatures:
    """Takes a job's acts in order, and each with it the transaction that it stands in. Wrong where one has no act.

    unsigned: acts without a transaction, by account. odd: acts whose transaction is signed by their account, but
    written otherwise than the ABI's only encoding; what it asks for is not read.
    """

    def __init__(self, facts: Facts) -> None:
        self.signed = 0
        self.unsigned: Counter[Address] = Counter()
        self.odd: Counter[Address] = Counter()
        self._facts = facts
        self._transactions = _read(facts)
        self._next: SignedTransaction | None = None
        self._open: deque[ReadCall] = deque()  # what the last transaction asks for besides
        self._signer = Address("")
        self._posted = False
        self._seen: set[bytes] = set()  # hashes

    def take(self, act: Act) -> None:
        """The next act."""
        if self._open and act.account == self._signer:
            if not act.fits(self._open[0]):
                raise Wrong(Finding(f"an act of {act.account}", _described(self._open[0]), f"{act.call}, another one"))
            self._open.popleft()
            self._sign(act)
            return
        sent = self._peek()
        if self._open or sent is None or sent.signer != act.account or not is_for(sent, self._facts):
            self.unsigned[act.account] += 1
            return
        calls = calls_of(sent, self._facts.job, None if self._posted else act)
        if calls is None:
            self.odd[act.account] += 1
        elif calls and act.fits(calls[0]):
            self._open = deque(call for call in calls[1:] if call.name != "post")  # another one posts another job
            self._signer = sent.signer
            if sent.hash in self._seen:
                raise Wrong(Finding("a transaction", "one that was not mined before", f"0x{sent.hash.hex()}, again"))
            self._seen.add(sent.hash)
            self._sign(act)
        else:
            self.unsigned[act.account] += 1
            return
        self._next = None

    def close(self) -> None:
        """Wrong where a transaction is left."""
        if self._open:
            raise Wrong(Finding(f"a call of {self._signer}", "an event that it left", _described(self._open[0])))
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


def calls_of(sent: SignedTransaction, job: JobId, act: Act | None) -> list[ReadCall] | None:
    """What a transaction asks for in a job, in order; what leaves no name, and other jobs' calls, are passed over. None
    where it is not in its only encoding.

    act: where the job is yet to be posted, the act that posts it; another posting is another job's.
    """
    try:
        found = list(read_calls(artifact("Federation"), sent.data))
    except BadEncoding:
        return None
    names = set(SIGNED.values())
    return [
        call
        for call in found
        if (call.name in names and call.arguments.get("job") == job)
        or (call.name == "post" and act is not None and act.fits(call))
    ]


def _read(facts: Facts) -> Iterator[SignedTransaction]:
    try:
        for raw in facts.transactions:
            yield read_transaction(raw)
    except (BadTransaction, BadRlp) as error:
        raise Wrong(Finding("a transaction", "one as it was signed", str(error))) from error


def _described(call: ReadCall) -> str:
    return f"{call.name} of {shown(call.arguments)}"
