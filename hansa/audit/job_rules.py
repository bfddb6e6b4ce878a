"""The life of a job as the contract lets it go: what every event allows, asks for, and leaves in the state.

`hansa.runtime.history.builder` checks what hashes bind; this checks what the rules of Federation.sol say besides: who
was due, which phase could be over, what a failure burns, when a job ends.
"""

from __future__ import annotations

from collections.abc import Callable

from hansa.audit.report import require_equal
from hansa.audit.vault_rules import Expected, Values, expect_vault
from hansa.protocol.hashes import cycle_counter, everybody_due, result_hash, sealed_vote
from hansa.protocol.phases import PHASES, STEP_OF, STEPS, PhaseRow, first_missed, step_before
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.types import Address, CycleId, JobId, Phase, Place, Seat
from hansa.runtime.chain.structs import JobTerms, address, from_tuple

BASIS_POINTS = 10_000
LOW_160 = 2**160 - 1


class JobRules:
    """A job's running state. Every method may raise Wrong; those named `on_…` return the events that must follow."""

    terms: JobTerms

    def __init__(self, chain_id: int, federation: Address, job: JobId) -> None:
        self._job = (chain_id, federation, job)
        self.sponsor = Address("")
        self.counters: dict[Address, int] = {}  # by trainer: the last cycle with an update
        self.committee: list[Address] = []
        self.matched: list[int] = []
        self.finalised: list[tuple[int, int]] = []  # matched bitmaps and metrics
        self.cycle = CycleId(0)
        self.attempts = self.failures = self.stale = self.submitted = self.pending = self.due = 0
        self.best, self.left = NO_METRIC, 0
        self.underway = self.stopping = self.rejoining = False
        self.outcome: Phase | None = None
        self.acted: dict[Phase, int] = dict.fromkeys((step.phase for step in STEPS), 0)
        self.votes: dict[Seat, int] = {}
        self.fees_booked: list[tuple[Address, int]] = []  # since the last event of the Federation
        self.updates, self.sheets = 0, bytes(32)  # the open cycle's accumulators; whoever drives this sets them
        self._reached = Phase.SUBMIT
        self._handlers: dict[str, Callable[[Values], list[Expected] | None]] = {
            "JobPosted": self._on_posted,
            "TrainerEnrolled": self._on_enrolled,
            "CycleOpened": self._on_opened,
            "UpdateSubmitted": self._on_submitted,
            "RoundFinalized": self._on_finalized,
            "CycleFailed": self._on_failed,
            "Rejoined": self._on_rejoined,
            "StopRequested": self._on_stopped,
            "JobEnded": self._on_ended,
            "KeysPublished": self._on_keys,
        }

    @property
    def at(self) -> dict[str, int | None]:
        """Round and cycle, as findings name them."""
        cycle = cycle_counter(self.cycle) if self.cycle else None
        return {"round": len(self.finalised) + 1 if self.cycle else None, "cycle": cycle}

    @property
    def awaited(self) -> Phase:
        """The first phase that has not what it needs, however much time has passed."""
        if self.underway:
            return first_missed(self.terms, self.submitted, self.acted)
        return Phase.OPEN if len(self.counters) >= self.terms.min_updates else Phase.ENROL

    @property
    def keeps_committee(self) -> bool:
        """Whether the next cycle has the last one's: a round's second, where the terms say so."""
        return self.attempts == 1 and self.terms.keep_committee

    def on(self, name: str, values: Values) -> list[Expected]:
        """The Federation's next event."""
        if name not in ("JobPosted", "JobEnded", "KeysPublished"):
            require_equal(f"{name} after the job's end", None, self.outcome, **self.at)
        if name != "CycleOpened":
            require_equal(f"fees booked before {name}", [], self.fees_booked, **self.at)
        if name not in STEP_OF:
            return self._handlers[name](values) or []
        self._on_step(STEP_OF[name], values)
        return []

    def on_fees_booked(self, member: Address, amount: int) -> list[Expected]:
        """The Vault's FeesBooked: of replaced members before a cycle opens, else by a claim after the end."""
        if self.outcome is None:
            self.fees_booked.append((member, amount))
            return []
        require_equal(f"fees booked for {member}, a member at the end", True, member in self.committee)
        seat = self.committee.index(member)
        require_equal(f"fees booked for {member}", self.matched[seat] * self.terms.fee_per_seat, amount)
        require_equal(f"{member} has earned fees", True, self.matched[seat] > 0)
        self.matched[seat] = 0
        return []

    # --- events

    def _on_posted(self, values: Values) -> list[Expected]:
        self.terms = from_tuple(JobTerms, values["terms"])
        self.sponsor, self.left = values["sponsor"], values["escrow"]
        require_equal("an escrow of a full round at least", True, self.left >= self.terms.full_round)
        return [expect_vault("Deposited", **{"from": self.sponsor, "amount": self.left})]

    def _on_enrolled(self, values: Values) -> list[Expected]:
        trainer, bond = values["trainer"], values["bond"]
        require_equal(f"a bond of {trainer} above the least one", True, bond >= self.terms.min_bond)
        known = trainer in self.counters, self.cycle
        require_equal(f"{trainer} enrols once, before the first cycle", (False, 0), known)
        self.counters[trainer] = 0
        fit = len(self.counters) <= self.terms.max_trainers
        require_equal("at most as many trainers as the terms allow", True, fit)
        return [expect_vault("Bonded", trainer=trainer, amount=bond)]

    def _on_opened(self, values: Values) -> None:
        terms, cycle = self.terms, values["cycle"]
        require_equal("a cycle is open already", False, self.underway, **self.at)
        require_equal("trainers enough to open", True, len(self.counters) >= terms.min_updates, **self.at)
        voters = self.acted[Phase.VOTE].bit_count()
        few = any(voters < step.least(terms) for step in STEPS if step.optional)
        everybody = self.rejoining or self.failures > 0 or self.cycle == 0 or few
        committee = [address(member) for member in values["committee"]]
        booked = self._seat(committee)
        self.cycle = cycle
        require_equal("everybody is due", everybody, everybody_due(cycle), **self.at)
        require_equal("seats of the committee", terms.seats, len(committee), **self.at)
        require_equal("a committee in ascending order", sorted(set(committee), key=str.lower), committee, **self.at)
        require_equal("fees booked for members that lost their seat", booked, self.fees_booked, **self.at)
        self.fees_booked = []
        self.pending = len(self.counters) if everybody else self.submitted
        if everybody:
            self.due = (1 << len(committee)) - 1
        self.acted, self.votes = dict.fromkeys((step.phase for step in STEPS), 0), {}
        self.submitted, self._reached, self.rejoining, self.underway = 0, Phase.SUBMIT, False, True
        self.attempts += 1

    def _seat(self, committee: list[Address]) -> list[tuple[Address, int]]:
        if self.keeps_committee:
            require_equal("the committee of a round's second cycle", self.committee, committee, **self.at)
        booked = []
        self.due = self.acted[Phase.VOTE]
        for seat, member in enumerate(committee):
            former = self.committee[seat] if self.committee else None
            if former == member:
                continue
            self.due |= 1 << seat
            if former is not None and self.matched[seat]:
                booked.append((former, self.matched[seat] * self.terms.fee_per_seat))
                self.matched[seat] = 0
        self.committee, self.matched = committee, self.matched or [0] * len(committee)
        return booked

    def _on_submitted(self, values: Values) -> None:
        self._in_order(PHASES[Phase.SUBMIT])
        trainer, counter = values["trainer"], cycle_counter(values["cycle"])
        require_equal(f"{trainer} is enrolled", True, trainer in self.counters, **self.at)
        if everybody_due(values["cycle"]) or self.counters[trainer] + 1 == counter:
            self.pending -= 1
        self.counters[trainer] = counter
        self.submitted += 1

    def _on_step(self, step: PhaseRow, values: Values) -> None:
        self._in_order(step)
        phase, seat, name = step.phase, values["seat"], step.event
        bit = 1 << seat
        require_equal(f"{name}: a seat of the committee that has not acted", (True, 0), (seat < len(self.committee),
               self.acted[phase] & bit), **self.at)  # fmt: skip
        self._require_minima(phase)
        if (before := step_before(step)) is not None:
            done = self.acted[before.phase] & bit
            require_equal(f"{name} of seat {seat}, which did what comes before", bit, done, **self.at)
        if "bitmap" in values:
            require_equal(f"bytes of {name}'s bitmap", (self.submitted + 7) // 8, len(values["bitmap"]), **self.at)
        if phase == Phase.VOTE:
            self.votes[seat] = values["sealedVote"]
        self.acted[phase] |= bit

    def _on_finalized(self, values: Values) -> list[Expected]:
        terms, matched, metric = self.terms, values["matched"], values["metric"]
        require_equal("a cycle is under way", True, self.underway, **self.at)
        self.underway = False
        self._require_minima(Phase.FINALIZE)
        require_equal("votes that match the result are a quorum", True, matched.bit_count() >= terms.quorum, **self.at)
        require_equal("a result has a model", True, values["model"] != bytes(32), **self.at)
        for seat in range(len(self.committee)):
            self.matched[seat] += matched >> seat & 1
        self.stale = 0 if metric > self.best else self.stale + 1
        self.best = max(self.best, metric)
        self.failures = self.attempts = 0
        self.left -= terms.full_round
        fees = terms.seats * terms.fee_per_seat
        root = int.from_bytes(values["rewards"], "big") & LOW_160
        number = len(self.finalised) + 1
        booked = expect_vault("RoundBooked", round=number, root=root, reward=terms.reward_per_round, fees=fees)
        self.finalised.append((matched, metric))
        out = terms.patience > 0 and self.stale >= terms.patience
        last = number >= terms.max_rounds or metric >= terms.target_metric or out
        return [booked, *self._ends(last or self.stopping or self.left < terms.full_round)]

    def _on_failed(self, values: Values) -> list[Expected]:
        terms, phase, burnt = self.terms, Phase(values["phase"]), values["burnt"]
        require_equal("the cycle that failed", self.cycle, values["cycle"], **self.at)
        require_equal("a cycle is under way", phase != Phase.OPEN, self.underway, **self.at)
        full = terms.full_round * terms.failure_burn // BASIS_POINTS
        agreed = phase == Phase.VOTE and self.acted[Phase.VOTE].bit_count() >= terms.quorum
        at_fault = terms.attest_time == 0 if agreed else phase not in (Phase.OPEN, Phase.SUBMIT)
        if phase != Phase.OPEN:
            missed = Phase.VOTE if agreed else first_missed(self.terms, self.submitted, self.acted)
            require_equal("the phase that ran out", missed, phase, **self.at)
        if agreed:
            self._agreed_on_nothing(values)
        require_equal("what a failed cycle burns", full if at_fault else 0, burnt, **self.at)
        self.underway = False
        self.failures += 1
        require_equal("failures in a row", self.failures, values["failures"], **self.at)
        self.left -= burnt
        followed = [expect_vault("Burnt", amount=burnt)] if burnt else []
        if self.failures >= terms.max_failures:
            return [*followed, Expected("Federation", "JobEnded", {"outcome": Phase.ABORTED})]
        return followed + self._ends(self.stopping or (burnt > 0 and self.left < terms.full_round))

    def _agreed_on_nothing(self, values: Values) -> None:
        """A quorum voted that nothing could be aggregated: model and rewards 0."""
        place = Place(*self._job, CycleId(values["cycle"]))
        result = result_hash(place, self.updates, self.sheets, bytes(32), bytes(32))
        same = sum(vote == sealed_vote(result, seat) for seat, vote in self.votes.items())
        require_equal("votes that nothing could be aggregated are a quorum", True, same >= self.terms.quorum, **self.at)

    def _on_rejoined(self, values: Values) -> None:
        account = values["account"]
        known, awaited = account in self.counters or account in self.committee, self.cycle == 0 or bool(self.cycle & 1)
        require_equal(f"{account}, who rejoins, takes part", True, known)
        require_equal("rejoining a cycle that waits for everybody", False, awaited, **self.at)
        absent = account in self.counters and self.counters[account] + 1 < cycle_counter(self.cycle)
        if not absent and account in self.committee:
            absent = not (self.due | self.acted[Phase.VOTE]) >> self.committee.index(account) & 1
        require_equal(f"{account}, who rejoins, was absent", True, absent, **self.at)
        self.rejoining = True

    def _on_stopped(self, values: Values) -> list[Expected]:
        self.stopping = True
        if self.underway:
            return []
        if self.cycle == 0 and self.failures == 0:
            return [Expected("Federation", "JobEnded", {})]  # CANCELLED in ENROL, ABORTED in OPEN
        return self._ends(True)

    def _on_ended(self, values: Values) -> None:
        outcome = Phase(values["outcome"])
        require_equal("the job ends once", None, self.outcome)
        if not self.finalised and self.failures < self.terms.max_failures and outcome == Phase.CANCELLED:
            lapsed = self.stopping or len(self.counters) < self.terms.min_updates
            require_equal("a cancelled job was stopped, or had too few trainers", (0, True), (self.cycle, lapsed))
        else:
            completed = self.finalised and self.failures < self.terms.max_failures
            expected = Phase.COMPLETED if completed else Phase.ABORTED
            require_equal("the job's outcome", expected.name, outcome.name)
        self.outcome = outcome

    def _on_keys(self, values: Values) -> None:
        require_equal("content keys are published after the job's end", True, self.outcome is not None, **self.at)

    # --- helpers

    def _ends(self, now: bool) -> list[Expected]:
        if not now:
            return []
        outcome = Phase.COMPLETED if self.finalised else Phase.ABORTED
        return [Expected("Federation", "JobEnded", {"outcome": outcome})]

    def _in_order(self, row: PhaseRow) -> None:
        require_equal(f"{row.event} in a cycle under way", True, self.underway, **self.at)
        last = PHASES[self._reached].event
        require_equal(f"{row.event} after {last}", True, row.phase >= self._reached, **self.at)
        self._reached = row.phase

    def _require_minima(self, before: Phase) -> None:
        """Every phase before this one had its minimum."""
        reached = first_missed(self.terms, self.submitted, self.acted) >= before
        require_equal(f"the phases before {before.name} had their minimum", True, reached, **self.at)
