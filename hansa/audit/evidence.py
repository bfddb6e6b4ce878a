"""What an audit starts from: a job's raw events and the contracts' answers at one block, from chain or archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode

from hansa.audit.report import Finding, Wrong
from hansa.protocol.types import Address, CycleId, JobId, Place
from hansa.runtime.chain.abi import BadEncoding, Function, artifact
from hansa.runtime.chain.client import Block, Log
from hansa.runtime.chain.structs import Books, JobState, JobTerms, T, from_tuple
from hansa.runtime.history.records import JobHistory

MOST_MARKS = 5000  # trainers × rounds up to which every claim mark is asked for

Question = tuple[str, str, tuple[Any, ...]]  # contract, function, arguments


@dataclass(frozen=True)
class Evidence:
    """Nothing in here is believed: `hansa.audit` works out what must follow from what.

    at: the block that the answers are of. logs: of Federation and Vault about this job,
    in order. blocks: those that hold them. answers: by `question_key`, as ABI bytes. headers,
    receipts: of these blocks, as they are hashed; headers of `at` too. Empty where the chain hashes blocks otherwise.
    """

    chain_id: int
    federation: Address
    vault: Address
    job: JobId
    at: Block
    logs: tuple[Log, ...]
    blocks: Mapping[int, Block]
    answers: Mapping[bytes, bytes]
    headers: Mapping[int, bytes] = field(default_factory=dict)
    receipts: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)

    def place(self, cycle: CycleId) -> Place:
        return Place(self.chain_id, self.federation, self.job, cycle)

    def answer(self, contract: str, name: str, *arguments: Any) -> tuple[Any, ...]:
        """What a contract answered. Wrong where it is not there, or not what the function returns."""
        key = question_key((contract, name, arguments))
        what = f"answer of {contract}.{name}({', '.join(map(str, arguments))})"
        if key not in self.answers:
            raise Wrong(Finding(what, "one", "none"))
        data = self.answers[key]
        function = artifact(contract).functions[name]
        try:
            values = function.decode(data)
        except BadEncoding as error:
            raise Wrong(Finding(what, "an ABI encoding", f"0x{data.hex()[:128]} ({error})")) from error
        if answer_bytes(function, values) != data:
            raise Wrong(Finding(what, "its only encoding", f"0x{data.hex()[:128]}"))
        return values

    def state(self) -> JobState:
        return self._record(JobState, self.answer("Federation", "stateAt", self.job, self.at.timestamp)[0])

    def terms(self) -> JobTerms:
        return self._record(JobTerms, self.answer("Federation", "termsOf", self.job)[0])

    def books(self) -> Books:
        return self._record(Books, self.answer("Vault", "booksOf", self.job)[0])

    @staticmethod
    def _record(kind: type[T], values: Sequence[Any]) -> T:
        try:
            return from_tuple(kind, values)
        except ValueError as error:
            raise Wrong(Finding(f"the contract's {kind.__name__}", "one that makes sense", str(error))) from error


def fixed_questions(job: JobId, at: Block) -> Iterator[Question]:
    """What is asked of every job."""
    yield "Federation", "stateAt", (job, at.timestamp)
    yield "Federation", "termsOf", (job,)
    yield "Vault", "booksOf", (job,)


def questions(history: JobHistory, finalised: int) -> Iterator[Question]:
    """What is asked besides, once the events are known: every account of the job, every pool, every claim."""
    job = history.job
    trainers = [enrolment.trainer for enrolment in history.enrolled]
    for trainer in trainers:
        yield "Federation", "trainerOf", (job, trainer)
        yield "Vault", "bondOf", (job, trainer)
    for member in dict.fromkeys(member for cycle in history.cycles for member in cycle.committee):
        yield "Vault", "feesOf", (job, member)
    for round_ in range(1, finalised + 1):
        yield "Vault", "roundOf", (job, round_)
    if len(trainers) * finalised <= MOST_MARKS:
        for trainer in trainers:
            for round_ in range(1, finalised + 1):
                yield "Vault", "isClaimed", (job, trainer, round_)


def question_key(question: Question) -> bytes:
    """The contract's first letter and the call's data."""
    contract, name, arguments = question
    return contract[:1].encode() + artifact(contract).functions[name].encode(*arguments)


def answer_bytes(function: Function, values: Sequence[Any]) -> bytes:
    """What the contract returned, from what was decoded."""
    return encode([field.type for field in function.outputs], values)
