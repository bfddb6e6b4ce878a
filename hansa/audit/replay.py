"""A walk through a job's events, oldest first: hashes by HistoryBuilder, rules by JobRules, amounts by
VaultRules."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from eth_abi.abi import encode

from hansa.audit.evidence import Evidence, question_key, questions
from hansa.audit.evidence import fixed_questions as fixed
from hansa.audit.expected import Expected
from hansa.audit.job_rules import JobRules
from hansa.audit.report import Finding, Wrong, require_equal, shown
from hansa.audit.vault_rules import VaultRules
from hansa.protocol.merkle import Leaf
from hansa.protocol.phases import STEPS
from hansa.protocol.types import Address, BlockNumber, Digest, Phase
from hansa.runtime.chain.abi import BadEncoding, Event, artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import address
from hansa.runtime.history.builder import HistoryBuilder
from hansa.runtime.history.cycle import HistoryError
from hansa.runtime.history.records import CycleRecord, JobHistory

ADDRESSES = frozenset({"from", "trainer", "member", "sponsor", "account"})

Leaves = Callable[[JobHistory, CycleRecord], dict[Address, Leaf] | None]


class EventReplay:
    """leaves: what a round owes, by trainer, once it is finalised; None where that is not known."""

    def __init__(self, facts: Evidence, leaves: Leaves = lambda history, cycle: None) -> None:
        self.facts = facts
        self.course = JobRules(facts.chain_id, facts.federation, facts.job)
        self.till = VaultRules()
        self.fold = HistoryBuilder(facts.chain_id, facts.federation, facts.job, self._parent_of)
        self.keys: dict[Address, list[tuple[int, bytes]]] = {}  # announced, with their blocks
        self.published: dict[Address, Digest] = {}  # the last file of content keys that each account named
        self.counts: Counter[str] = Counter()
        self.opened_at = 0  # time
        self._leaves = leaves
        self._due: deque[tuple[Expected, int]] = deque()

    @property
    def history(self) -> JobHistory:
        try:
            return self.fold.history
        except HistoryError as error:
            raise Wrong(Finding("the job's events", "all of them", str(error))) from error

    def member_keys(self, cycle: CycleRecord) -> tuple[bytes | None, ...]:
        """The encryption keys in force for a cycle, by seat: the last announced before the block that opened it."""
        return tuple(
            next((key for block, key in reversed(self.keys.get(member, [])) if block < cycle.opened_at), None)
            for member in cycle.committee
        )

    def events(self) -> None:
        """Every event. Raises Wrong at the first that can't be."""
        last = (-1, -1)
        for log in self.facts.logs:
            require_equal(
                "an event's place is after the one before", True, (log.block, log.index) > last, block=log.block
            )
            require_equal("an event's block is known, and not after the end", True,
                   log.block in self.facts.blocks and log.block <= self.facts.at.number, block=log.block)  # fmt: skip
            last = (log.block, log.index)
            try:
                self._apply(log)
            except Wrong as error:
                raise Wrong(_placed(error.finding, log.block)) from None
        if self._due:
            raise Wrong(Finding("the event that must come next", _told(self._due[0][0]), "none", **self.course.at))
        require_equal("fees booked, and no cycle opened", [], self.course.fees_booked)
        unused = set(self.facts.blocks) - {log.block for log in self.facts.logs}
        require_equal("blocks that hold an event", set(), unused)
        self._check_blocks()

    def _check_blocks(self) -> None:
        known = [*self.facts.blocks.values(), self.facts.at]
        for one, other in zip(known, known[1:], strict=False):
            if one.number == other.number:
                require_equal("a block", one, other, block=one.number)
            else:
                rising = (one.number < other.number, one.timestamp <= other.timestamp)
                require_equal("numbers and times of blocks rise", (True, True), rising, block=other.number)
            if one.number + 1 == other.number:
                require_equal("the parent of a block", one.hash, other.parent, block=other.number)

    def _apply(self, log: Log) -> None:
        contract, event, values = self._decode(log)
        self.counts["events"] += 1
        if event.name == "KeyAnnounced":
            self.keys.setdefault(values["account"], []).append((log.block, values["key"]))
            return
        require_equal(f"{event.name}'s job", self.facts.job, values["job"])
        asked = self._was_asked(contract, event, values, log)
        time = self.facts.blocks[log.block].timestamp
        if contract == "Federation":
            if event.name == "JobEnded" and not asked:
                require_equal("a job that ends by itself", Phase.CANCELLED.name, _phase_name(values["outcome"]))
            follow = self._federation(event.name, values, log, time)
        else:
            follow = self.till.on(event.name, values, time, asked)
            if event.name == "FeesBooked":
                follow = follow + self.course.on_fees_booked(values["member"], int(values["amount"]))
        self._due.extendleft((item, log.block) for item in reversed(follow))

    def _decode(self, log: Log) -> tuple[str, Event, dict[str, Any]]:
        contracts = {self.facts.federation.lower(): "Federation", self.facts.vault.lower(): "Vault"}
        contract = contracts.get(log.address)
        event = artifact(contract).events.get(log.topics[0]) if contract and log.topics else None
        if contract is None or event is None:
            topic = shown(log.topics[0]) if log.topics else "none"
            raise Wrong(Finding("an event", "one of the contracts'", f"{topic} of {log.address}"))
        try:
            values = event.decode(log.topics, log.data)
        except BadEncoding as error:
            raise Wrong(Finding(event.name, "its encoding", str(error))) from error
        require_equal(f"{event.name}'s data", _data_of(event, values), log.data)
        return contract, event, {n: address(v) if n in ADDRESSES else v for n, v in values.items()}

    def _was_asked(self, contract: str, event: Event, values: dict[str, Any], log: Log) -> bool:
        if not self._due:
            return False
        expected, block = self._due.popleft()
        told = {name: values.get(name) for name in expected.values}
        same = (contract, event.name, log.block) == (expected.contract, expected.name, block)
        if not same or told != expected.values:
            found = f"{contract}'s {event.name} of {shown(told if same else values)} in block {log.block}"
            raise Wrong(Finding("the event that must come next", f"{_told(expected)} in block {block}", found,
                                **self.course.at))  # fmt: skip
        return True

    def _federation(self, name: str, values: dict[str, Any], log: Log, time: int) -> list[Expected]:
        last = self.fold.last
        if name == "CycleFailed" and last is not None:
            self.course.updates, self.course.sheets = last.updates_acc, last.sheets_acc
        if name != "JobPosted" and not hasattr(self.course, "terms"):
            raise Wrong(Finding("the job's first event", "JobPosted", name))
        place = self.course.at
        follow = self.course.on(name, values)
        try:
            self.fold.apply(log)
        except HistoryError as error:
            raise Wrong(Finding(name, "what the hashes bind", str(error), **place)) from error
        self.counts[COUNTED.get(name, name)] += 1
        if name == "JobPosted":
            self.till.terms = self.course.terms
        elif name == "CycleOpened":
            self.opened_at = time
        elif name == "JobEnded":
            self.till.close(time, bool(self.course.finalised))
        elif name == "KeysPublished":
            self.published[values["account"]] = Digest(values["digest"])
        elif name == "RoundFinalized":
            history = self.history
            self.till.leaves[int(values["round"])] = self._leaves(history, history.cycles[-1])
        return follow

    def _parent_of(self, number: int) -> bytes:
        return self.facts.blocks[BlockNumber(number)].parent

    # --- where it must have led

    def agrees(self) -> None:
        """Raises Wrong unless the contracts' answers are those that the events lead to, and no others."""
        facts, history = self.facts, self.history
        state, terms = facts.state(), facts.terms()
        require_equal("the terms that the contract holds", shown(vars(terms)), shown(vars(history.posted.terms)))
        try:
            self.fold.agrees(state)
        except HistoryError as error:
            raise Wrong(Finding("the contract's state", "what the events lead to", str(error))) from error
        for name, value in self._state().items():
            require_equal(f"the state's {name}", value, getattr(state, name))
        self._same_books()
        asked = {question_key(q) for q in [*fixed(facts.job, facts.at), *questions(history, len(self.till.pools))]}
        require_equal("answers of the contracts", len(asked), len(set(facts.answers) & asked))
        require_equal("answers that nobody asked for", 0, len(set(facts.answers) - asked))

    def _state(self) -> dict[str, Any]:
        """What follows of JobState besides what HistoryBuilder knows."""
        course, ended = self.course, self.course.outcome is not None
        follows: dict[str, Any] = {
            "sponsor": course.sponsor,
            "opened_at": self.opened_at,
            "ended_at": self.till.ended_at,
            "pending": course.pending,
            "stale": course.stale,
            "stopping": course.stopping,
            "rejoining": course.rejoining,
            "committee_kept": course.attempts == 1,
            "best_metric": course.best,
            "due": course.due,
            "committee": tuple(course.committee),
            "matched": tuple(course.matched),
            **{str(step.acted): course.acted[step.phase] for step in STEPS},
        }
        if ended:
            follows |= {"phase": course.outcome, "deadline": 0}
        return follows

    def _same_books(self) -> None:
        facts, till, job = self.facts, self.till, self.facts.job
        found, follows = facts.books(), till.books()
        for field in fields(follows):
            require_equal(f"the vault's {field.name}", getattr(follows, field.name), getattr(found, field.name))
        total = found.left + found.booked + (found.burnt - found.forfeited) + found.refunded
        require_equal("escrowed = left + booked + (burnt − forfeited) + refunded", found.escrowed, total)
        for trainer, bond in till.bonds.items():
            require_equal(f"the bond held for {trainer}", (bond,), facts.answer("Vault", "bondOf", job, trainer))
            last = (True, self.course.counters[trainer])
            require_equal(f"the last cycle of {trainer}", last, facts.answer("Federation", "trainerOf", job, trainer))
        for member in dict.fromkeys(m for cycle in self.history.cycles for m in cycle.committee):
            fees = (till.fees.get(member, 0),)
            require_equal(f"the fees booked for {member}", fees, facts.answer("Vault", "feesOf", job, member))
        for round_, pool in till.pools.items():
            held = facts.answer("Vault", "roundOf", job, round_)
            require_equal("the round's root and unpaid rest", pool, held, round=round_)
        for question in questions(self.history, len(till.pools)):
            if question[1] == "isClaimed":
                _, trainer, round_ = question[2]
                done = ((trainer, round_) in till.claimed,)
                require_equal(f"{trainer} has claimed", done, facts.answer(*question[:2], *question[2]), round=round_)


COUNTED = {
    "UpdateSubmitted": "updates registered",
    "ScoresCommitted": "commitments",
    "ScoresRevealed": "sheets",
    "ResultVoted": "votes",
    "RoundFinalized": "results",
    "CycleFailed": "failures",
}


def _data_of(event: Event, values: dict[str, Any]) -> bytes:
    plain = [field for field in event.fields if not field.indexed]
    return encode([field.type for field in plain], [values[field.name] for field in plain])


def _phase_name(value: int) -> str:
    return Phase(value).name if value in set(Phase) else str(value)


def _placed(finding: Finding, block: int) -> Finding:
    return finding if finding.block is not None else replace(finding, block=block)


def _told(expected: Expected) -> str:
    return f"{expected.contract}'s {expected.name}" + (f" of {shown(expected.values)}" if expected.values else "")
