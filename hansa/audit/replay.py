"""A walk through a job's events, oldest first: hashes by HistoryBuilder, rules by JobRules, amounts by VaultRules.

What the contracts must hold where these are all of its events: `hansa.audit.storage`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from eth_abi.abi import encode

from hansa.audit.facts import Facts
from hansa.audit.job_rules import JobRules
from hansa.audit.report import Finding, Wrong, require_equal, shown
from hansa.audit.signatures import SIGNED, Act
from hansa.audit.vault_rules import Expected, VaultRules
from hansa.protocol.merkle import Leaf
from hansa.protocol.phases import STEP_OF
from hansa.protocol.types import Address, Digest, Phase
from hansa.runtime.chain.abi import BadEncoding, Event, artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import address
from hansa.runtime.history.builder import HistoryBuilder
from hansa.runtime.history.cycle import HistoryError
from hansa.runtime.history.records import CycleRecord, JobHistory
from hansa.runtime.transactions.strict_rlp import BadRlp

ADDRESSES = frozenset({"from", "trainer", "member", "sponsor", "account"})

Leaves = Callable[[JobHistory, CycleRecord], dict[Address, Leaf] | None]
Acts = Callable[[Act, Log], None]


class EventReplay:
    """leaves: what a round owes, by trainer, once it is finalised; None where that is not known.

    acts: is told what each event says that somebody did.
    since: the contract's word of that name, as the events lead to it: the time at which the last OPEN began, or the job
    ended; None where no event tells it.
    """

    def __init__(
        self,
        facts: Facts,
        leaves: Leaves = lambda history, cycle: None,
        acts: Acts = lambda act, log: None,
    ) -> None:
        self.facts = facts
        self.rules = JobRules(facts.chain_id, facts.federation, facts.job)
        self.vault = VaultRules()
        self.builder = HistoryBuilder(facts.chain_id, facts.federation, facts.job)
        self.published: dict[Address, Digest] = {}  # the last file of content keys that each account named
        self.counts: Counter[str] = Counter()
        self.since: int | None = None
        self._leaves = leaves
        self._acts = acts
        self._seed = self._terms_hash = bytes(32)
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
        for log in self._logs():
            after = (log.block, log.index) > last and log.block <= self.facts.at.number
            require_equal("an event's place is after the one before, up to the end", True, after, block=log.block)
            last = (log.block, log.index)
            try:
                self._apply(log)
            except Wrong as error:
                raise Wrong(_placed(error.finding, log.block)) from None
        if self._due:
            raise Wrong(Finding("the event that must come next", _describe(self._due[0][0]), "none", **self.rules.at))
        require_equal("fees booked, and no cycle opened", [], self.rules.fees_booked)

    def _logs(self) -> Iterator[Log]:
        try:
            yield from self.facts.events
        except BadRlp as error:
            raise Wrong(Finding("an event", "one of a contract", str(error))) from error

    def _apply(self, log: Log) -> None:
        contract, event, values = self._decode(log)
        self.counts["events"] += 1
        require_equal(f"{event.name}'s job", self.facts.job, values["job"])
        asked = self._was_asked(contract, event, values, log)
        if contract == "Federation":
            if event.name == "JobEnded" and not asked:
                require_equal("a job that ends by itself", Phase.CANCELLED.name, _phase_name(values["outcome"]))
                self.since = None
            follow = self._federation(event.name, values, log)
        else:
            follow = self.vault.on(event.name, values, asked)
            if event.name == "FeesBooked":
                follow = follow + self.rules.on_fees_booked(values["member"], int(values["amount"]))
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
            raise Wrong(Finding("the event that must come next", f"{_describe(expected)} in block {block}", found,
                                **self.rules.at))  # fmt: skip
        return True

    def _federation(self, name: str, values: dict[str, Any], log: Log) -> list[Expected]:
        last = self.builder.last
        if name == "CycleFailed" and last is not None:
            self.rules.updates, self.rules.sheets = last.updates_acc, last.sheets_acc
        if name != "JobPosted" and not hasattr(self.rules, "terms"):
            raise Wrong(Finding("the job's first event", "JobPosted", name))
        place, act = self.rules.at, self._act(name, values)
        follow = self.rules.on(name, values)
        try:
            self.builder.apply(log)
        except HistoryError as error:
            raise Wrong(Finding(name, "what the hashes bind", str(error), **place)) from error
        if act is not None:
            self._acts(act, log)
        self.counts[COUNTED.get(name, name)] += 1
        self._note(name, values, follow)
        return follow

    def _note(self, name: str, values: dict[str, Any], follow: list[Expected]) -> None:
        """What an event, once it is checked, means for what comes after it."""
        match name:
            case "JobPosted":
                self.vault.terms, self._terms_hash = self.rules.terms, values["termsHash"]
            case "CycleOpened":
                self._seed = values["seed"]
            case "CycleFailed":
                self.since = values["time"]
            case "StopRequested" if follow:
                self.since = None
            case "JobEnded":
                self.vault.close(bool(self.rules.finalised))
            case "KeysPublished":
                self.published[values["account"]] = Digest(values["digest"])
            case "RoundFinalized":
                self.since, history = values["time"], self.history
                self.vault.leaves[int(values["round"])] = self._leaves(history, history.cycles[-1])

    def _act(self, name: str, values: dict[str, Any]) -> Act | None:
        """Who must have signed what, where an event says so."""
        if name not in SIGNED:
            return None
        last, rules = self.builder.last, self.rules
        known = {
            "seed": self._seed,
            "sheets": last.sheets_acc if last is not None else bytes(32),
            "cycle": rules.cycle,
            "termsHash": self._terms_hash,
        } | values
        if name in STEP_OF:
            seat = values["seat"]
            account = rules.committee[seat] if seat < len(rules.committee) else Address("")
        else:
            account = next(
                (values[role] for role in ("trainer", "account", "sponsor") if role in values), rules.sponsor
            )
        names = (field.name for field in artifact("Federation").functions[SIGNED[name]].inputs)
        return Act(account, SIGNED[name], {key: known[key] for key in names if key in known})


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
