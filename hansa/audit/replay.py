"""A walk through a job's events, oldest first: hashes by HistoryBuilder, rules by JobRules, amounts by
VaultRules."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from eth_abi.abi import encode

from hansa.audit.evidence import Evidence, fixed_questions, question_key, questions
from hansa.audit.job_rules import JobRules
from hansa.audit.report import Finding, Wrong, require_equal, shown
from hansa.audit.vault_rules import Expected, VaultRules
from hansa.protocol.merkle import Leaf
from hansa.protocol.phases import STEPS
from hansa.protocol.types import Address, Digest, Phase
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

    def __init__(self, evidence: Evidence, leaves: Leaves = lambda history, cycle: None) -> None:
        self.evidence = evidence
        self.rules = JobRules(evidence.chain_id, evidence.federation, evidence.job)
        self.vault = VaultRules()
        self.builder = HistoryBuilder(evidence.chain_id, evidence.federation, evidence.job)
        self.published: dict[Address, Digest] = {}  # the last file of content keys that each account named
        self.counts: Counter[str] = Counter()
        self.opened_at = 0  # time
        self._leaves = leaves
        self._due: deque[tuple[Expected, int]] = deque()

    @property
    def history(self) -> JobHistory:
        try:
            return self.builder.history
        except HistoryError as error:
            raise Wrong(Finding("the job's events", "all of them", str(error))) from error

    def events(self) -> None:
        """Every event. Raises Wrong at the first that can't be."""
        last = (-1, -1)
        for log in self.evidence.logs:
            after = (log.block, log.index) > last
            require_equal("an event's place is after the one before", True, after, block=log.block)
            known = log.block in self.evidence.blocks and log.block <= self.evidence.at.number
            require_equal("an event's block is known, and not after the end", True, known, block=log.block)
            last = (log.block, log.index)
            try:
                self._apply(log)
            except Wrong as error:
                raise Wrong(_placed(error.finding, log.block)) from None
        if self._due:
            raise Wrong(Finding("the event that must come next", _describe(self._due[0][0]), "none", **self.rules.at))
        require_equal("fees booked, and no cycle opened", [], self.rules.fees_booked)
        unused = set(self.evidence.blocks) - {log.block for log in self.evidence.logs}
        require_equal("blocks that hold an event", set(), unused)
        self._check_blocks()

    def _check_blocks(self) -> None:
        known = [*self.evidence.blocks.values(), self.evidence.at]
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
        require_equal(f"{event.name}'s job", self.evidence.job, values["job"])
        asked = self._was_asked(contract, event, values, log)
        time = self.evidence.blocks[log.block].timestamp
        if contract == "Federation":
            if event.name == "JobEnded" and not asked:
                require_equal("a job that ends by itself", Phase.CANCELLED.name, _phase_name(values["outcome"]))
            require_equal(f"{event.name}'s time", time, values.get("time", time), block=log.block)
            follow = self._federation(event.name, values, log, time)
        else:
            follow = self.vault.on(event.name, values, time, asked)
            if event.name == "FeesBooked":
                follow = follow + self.rules.on_fees_booked(values["member"], int(values["amount"]))
        self._due.extendleft((item, log.block) for item in reversed(follow))

    def _decode(self, log: Log) -> tuple[str, Event, dict[str, Any]]:
        contracts = {self.evidence.federation.lower(): "Federation", self.evidence.vault.lower(): "Vault"}
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
            raise Wrong(Finding("the event that must come next", f"{_describe(expected)} in block {block}", found,
                                **self.rules.at))  # fmt: skip
        return True

    def _federation(self, name: str, values: dict[str, Any], log: Log, time: int) -> list[Expected]:
        last = self.builder.last
        if name == "CycleFailed" and last is not None:
            self.rules.updates, self.rules.sheets = last.updates_acc, last.sheets_acc
        if name != "JobPosted" and not hasattr(self.rules, "terms"):
            raise Wrong(Finding("the job's first event", "JobPosted", name))
        place = self.rules.at
        follow = self.rules.on(name, values)
        try:
            self.builder.apply(log)
        except HistoryError as error:
            raise Wrong(Finding(name, "what the hashes bind", str(error), **place)) from error
        self.counts[COUNTED.get(name, name)] += 1
        if name == "JobPosted":
            self.vault.terms = self.rules.terms
        elif name == "CycleOpened":
            self.opened_at = time
        elif name == "JobEnded":
            self.vault.close(time, bool(self.rules.finalised))
        elif name == "KeysPublished":
            self.published[values["account"]] = Digest(values["digest"])
        elif name == "RoundFinalized":
            history = self.history
            self.vault.leaves[int(values["round"])] = self._leaves(history, history.cycles[-1])
        return follow

    # --- where it must have led

    def agrees(self) -> None:
        """Raises Wrong unless the contracts' answers are those that the events lead to, and no others."""
        evidence, history = self.evidence, self.history
        state, terms = evidence.state(), evidence.terms()
        require_equal("the terms that the contract holds", shown(vars(terms)), shown(vars(history.posted.terms)))
        try:
            self.builder.agrees(state)
        except HistoryError as error:
            raise Wrong(Finding("the contract's state", "what the events lead to", str(error))) from error
        for name, value in self._state().items():
            require_equal(f"the state's {name}", value, getattr(state, name))
        self._same_books()
        all_asked = *fixed_questions(evidence.job, evidence.at), *questions(history, len(self.vault.pools))
        asked = set(map(question_key, all_asked))
        require_equal("answers of the contracts", len(asked), len(set(evidence.answers) & asked))
        require_equal("answers that nobody asked for", 0, len(set(evidence.answers) - asked))

    def _state(self) -> dict[str, Any]:
        """What follows of JobState besides what HistoryBuilder knows."""
        rules = self.rules
        follows: dict[str, Any] = {
            "sponsor": rules.sponsor,
            "opened_at": self.opened_at,
            "ended_at": self.vault.ended_at,
            "pending": rules.pending,
            "stale": rules.stale,
            "stopping": rules.stopping,
            "rejoining": rules.rejoining,
            "committee_kept": rules.keeps_committee,
            "best_metric": rules.best,
            "due": rules.due,
            "committee": tuple(rules.committee),
            "matched": tuple(rules.matched),
            **{str(step.acted): rules.acted[step.phase] for step in STEPS},
        }
        if rules.outcome is not None:
            follows |= {"phase": rules.outcome, "deadline": 0}
        return follows

    def _same_books(self) -> None:
        evidence, vault, job = self.evidence, self.vault, self.evidence.job
        found = evidence.books()
        for name, value in vars(found).items():
            require_equal(f"the vault's {name}", getattr(vault, name), value)
        total = found.left + found.booked + (found.burnt - found.forfeited) + found.refunded
        require_equal("escrowed = left + booked + (burnt − forfeited) + refunded", found.escrowed, total)
        enrolled = {item.trainer: item.bond for item in self.history.enrolled}
        for trainer, bond in vault.bonds.items():
            require_equal(f"the bond held for {trainer}", (bond,), evidence.answer("Vault", "bondOf", job, trainer))
            held = evidence.answer("Federation", "trainerOf", job, trainer)
            known = (True, self.rules.counters[trainer], enrolled[trainer])
            require_equal(f"the enrolment, last cycle and bond of {trainer}", known, held)
        for member in dict.fromkeys(m for cycle in self.history.cycles for m in cycle.committee):
            fees = (vault.fees.get(member, 0),)
            require_equal(f"the fees booked for {member}", fees, evidence.answer("Vault", "feesOf", job, member))
        for round_, pool in vault.pools.items():
            held = evidence.answer("Vault", "roundOf", job, round_)
            require_equal("the round's root and unpaid rest", pool, held, round=round_)
        for question in questions(self.history, len(vault.pools)):
            if question[1] == "isClaimed":
                _, trainer, round_ = question[2]
                held, done = evidence.answer(*question[:2], *question[2]), ((trainer, round_) in vault.claimed,)
                require_equal(f"{trainer} has claimed", done, held, round=round_)


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


def _describe(expected: Expected) -> str:
    return f"{expected.contract}'s {expected.name}" + (f" of {shown(expected.values)}" if expected.values else "")
