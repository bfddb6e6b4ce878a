"""Makes another job of a recorded one, as a forger would: everything that the rules ask for holds in it.

Whoever can write a file can write every event, hash and amount of it anew. What nobody can write anew is what stands
under a block's hash.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi.abi import encode

from hansa.audit.facts import Facts
from hansa.protocol.hashes import (
    draw,
    everybody_due,
    make_cycle,
    result_hash,
    sealed_vote,
    sheets_acc,
    updates_acc,
    updates_start,
)
from hansa.protocol.links import Board, finalised, link, opened, vote_word, votes_hash
from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.sheet import commitment
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.structs import JobTerms, address, from_tuple
from hansa.runtime.history.builder import HistoryBuilder
from hansa.runtime.job import JobContext
from hansa.runtime.replay import Replay


@dataclass
class Told:
    """One event: what it says can be changed."""

    block: int
    contract: str
    name: str
    values: dict[str, Any]


def told(facts: Facts) -> list[Told]:
    found = []
    for log in facts.events:
        contract = "Federation" if log.address == facts.federation.lower() else "Vault"
        event = artifact(contract).events[log.topics[0]]
        values = event.decode(log.topics, log.data)
        found.append(Told(log.block, contract, event.name, values))
    return found


@dataclass
class Forger:
    """Writes events, one after another, so that all that is hashed and summed of them holds."""

    facts: Facts
    spec: JobSpec
    logs: list[Log] = field(default_factory=list)
    cycles: dict[int, int] = field(default_factory=dict)  # as recorded: as written here
    history: bytes = bytes(32)
    sheets: bytes = bytes(32)
    updates: int = 0
    fees: dict[str, int] = field(default_factory=dict)

    def write(self, events: list[Told]) -> Facts:
        self.builder = HistoryBuilder(self.facts.chain_id, self.facts.federation, self.facts.job)
        self.salts = {(e.values["cycle"], e.values["seat"]): e.values for e in events if e.name == "ScoresRevealed"}
        self.results = {e.values["cycle"]: e.values for e in events if e.name == "RoundFinalized"}
        for place, event in enumerate(events):
            values = dict(event.values)
            if "cycle" in values and event.name != "CycleOpened":
                values["cycle"] = self.cycles[values["cycle"]]
            change = getattr(self, f"_{event.name}", None)
            if change is not None:
                change(values, event.values, events[place:])
            self._emit(event, values)
        return replace(self.facts, events=self.logs)

    def _emit(self, event: Told, values: dict[str, Any]) -> None:
        kind = artifact(event.contract).event(event.name)
        topics = [kind.topic, *(encode([f.type], [values[f.name]]) for f in kind.fields if f.indexed)]
        plain = [f for f in kind.fields if not f.indexed]
        data = encode([f.type for f in plain], [values[f.name] for f in plain])
        of = self.facts.federation if event.contract == "Federation" else self.facts.vault
        log = Log(event.block, len(self.logs), of.lower(), tuple(topics), data)  # type: ignore[arg-type]
        if event.contract == "Federation":
            self.builder.apply(log)
        self.logs.append(log)

    def _place(self, cycle: int) -> Any:
        return self.facts.place(cycle)  # type: ignore[arg-type]

    # --- what each event's values must be

    def _JobPosted(self, values: Any, old: Any, rest: Any) -> None:
        self.terms = from_tuple(JobTerms, values["terms"])
        self.history = values["termsHash"] = self.terms.hash(values["escrow"], address(values["sponsor"]))
        self.matched = [0] * self.terms.seats
        self.committee: list[str] = [""] * self.terms.seats
        self.left = values["escrow"]
        self.bonds: dict[str, int] = {}

    def _TrainerEnrolled(self, values: Any, old: Any, rest: Any) -> None:
        self.bonds[values["trainer"]] = values["bond"]

    def _CycleOpened(self, values: Any, old: Any, rest: Any) -> None:
        chain, federation, job = self.facts.chain_id, self.facts.federation, self.facts.job
        drawn = draw(chain, federation, job, self.sheets, self.updates, values["randomness"])
        self.history = link(self.history, opened(drawn, values["committee"], values["keys"]))
        number = len(self.cycles) + 1
        values["round"] = len(self.builder.history.finalised) + 1
        values["seed"] = self.sheets = self.history
        self.updates = updates_start(self.history)
        cycle = make_cycle(self.history, number, everybody_due(old["cycle"]))
        self.cycles[old["cycle"]] = values["cycle"] = cycle
        self.committee = list(values["committee"])
        self.acted: dict[Phase, dict[int, Any]] = {phase: {} for phase in (Phase.SCORE, Phase.REVEAL, Phase.VOTE)}

    def _UpdateSubmitted(self, values: Any, old: Any, rest: Any) -> None:
        self.updates = updates_acc(self.updates, address(values["trainer"]), values["digest"])

    def _ScoresCommitted(self, values: Any, old: Any, rest: Any) -> None:
        shown = self.salts[old["cycle"], old["seat"]]
        member = address(self.committee[values["seat"]])
        values["commitment"] = commitment(self._place(values["cycle"]), member, shown["sheet"], shown["salt"])
        self.acted[Phase.SCORE][values["seat"]] = True

    def _ScoresRevealed(self, values: Any, old: Any, rest: Any) -> None:
        self.sheets = sheets_acc(self.sheets, values["seat"], values["sheet"], values["salt"])
        self.acted[Phase.REVEAL][values["seat"]] = True

    def _ledger(self) -> Any:
        context = JobContext(self.facts.job, self.terms, self.spec)
        history = self.builder.history
        replay = Replay(context, context.weights(history.enrolled))
        replay.follow(history)
        return replay.attempt(history.cycles[-1])

    def _ResultVoted(self, values: Any, old: Any, rest: Any) -> None:
        model = self.results[old["cycle"]]["model"]
        root = RewardsTree(self._ledger().leaves).root
        self.result = result_hash(self._place(values["cycle"]), self.updates, self.sheets, model, root)
        values["sealedVote"] = sealed_vote(self.result, values["seat"])
        self.acted[Phase.VOTE][values["seat"]] = (values["sealedVote"], values["metric"])

    def _RoundFinalized(self, values: Any, old: Any, rest: Any) -> None:
        ledger, votes = self._ledger(), self.acted[Phase.VOTE]
        self.leaves: dict[int, dict[str, Leaf]] = getattr(self, "leaves", {})
        values["round"] = len(self.builder.history.finalised) + 1
        self.leaves[values["round"]] = {leaf.trainer: leaf for leaf in ledger.leaves}
        values["rewards"], values["resultHash"] = RewardsTree(ledger.leaves).root, self.result
        values["matched"] = sum(1 << seat for seat in votes)
        metrics = sorted(metric for _, metric in votes.values())
        values["metric"] = metrics[(len(metrics) - 1) // 2]
        last = self.builder.last
        assert last is not None
        words = votes_hash({s: vote_word(*v) for s, v in votes.items()}, self.terms.seats)  # type: ignore[misc]
        board: Board = last.board
        self.history = link(self.history, finalised(self.result, board, words, values["time"]))
        for seat in votes:
            self.matched[seat] += 1
        self.left -= self.terms.full_round
        self.rewards = values["rewards"]

    def _RoundBooked(self, values: Any, old: Any, rest: Any) -> None:
        values["round"] = len(self.builder.history.finalised)
        values["root"] = int.from_bytes(self.rewards, "big") & 2**160 - 1
        values["reward"] = self.terms.reward_per_round
        values["fees"] = self.terms.seats * self.terms.fee_per_seat

    def _FeesBooked(self, values: Any, old: Any, rest: Any) -> None:
        seat = [member.lower() for member in self.committee].index(values["member"].lower())
        values["amount"] = self.matched[seat] * self.terms.fee_per_seat
        self.matched[seat] = 0
        self.fees[values["member"]] = values["amount"]

    def _FeesClaimed(self, values: Any, old: Any, rest: Any) -> None:
        values["amount"] = self.fees[values["member"]]

    def _RewardClaimed(self, values: Any, old: Any, rest: Any) -> None:
        values["amount"] = self.leaves[values["round"]][address(values["trainer"])].pay

    def _Bonded(self, values: Any, old: Any, rest: Any) -> None:
        values["amount"] = self.bonds[values["trainer"]]

    def _BondReturned(self, values: Any, old: Any, rest: Any) -> None:
        values["amount"] = self.bonds[values["trainer"]]

    def _Deposited(self, values: Any, old: Any, rest: Any) -> None:
        values["amount"] = self.left

    def _RestReturned(self, values: Any, old: Any, rest: Any) -> None:
        values["amount"] = self.left
