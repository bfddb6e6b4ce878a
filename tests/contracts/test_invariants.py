"""Whole jobs with anybody silent or hostile, on chain and in a model of every balance.

After every step both agree on the job, its books and everybody's tokens. At the end each machine proves that whoever is
alone can end the job, that everybody leaves with what is theirs, and that nothing is left over.
`HANSA_RUNS=500 brownie test tests/contracts/test_invariants.py` plays more jobs, others each time.
"""

from __future__ import annotations

import os
from typing import Any

from brownie import MockCommittee
from hypothesis import HealthCheck, Verbosity, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from node import call, now, rpc, send, skip_to
from terms import BOND, DEAD
from twin import Outcome, Twin

from protocol.types import Phase

RUNS = int(os.environ.get("HANSA_RUNS", "0"))
STEPS = 45
TURNS = ["everybody"] * 14 + ["most"] * 4 + ["stray"] * 4 + ["time"] * 2 + ["claim"] * 2 + ["committee", "money"]
MODES = {"reverts": 1, "nothing": 2, "garbage": 3, "burns gas": 4, "dirty": 6}
KINDS = ["fair", "fair", "greedy", "greedy", "strikes", "strikes", "nobody", "nothing"]
PLACES = st.integers(0, 4)
METRICS = st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 2**63 - 2])


@st.composite
def terms_and_escrow(draw: Any) -> tuple[dict[str, Any], int]:
    seats = draw(st.integers(1, 4))
    trainers = draw(st.integers(1, 4))
    terms = {
        "seats": seats,
        "quorum": draw(st.integers(seats // 2 + 1, seats)),
        "threshold": draw(st.integers(1, seats)),
        "attestTime": draw(st.sampled_from([0, 100])),
        "releaseTime": draw(st.sampled_from([0, 100])),
        "maxTrainers": trainers,
        "minUpdates": draw(st.integers(1, trainers)),
        "maxRounds": draw(st.integers(1, 5)),
        "maxFailures": draw(st.sampled_from([1, 2, 3, 3, 4, 4])),
        "patience": draw(st.sampled_from([0, 0, 0, 1, 2])),
        "failureBurn": draw(st.sampled_from([0, 3333, 5000, 10_000])),
        "rewardPerRound": draw(st.sampled_from([0, 1, 900, 901])),
        "feePerSeat": draw(st.sampled_from([0, 1, 10])),
        "strikePenalty": draw(st.sampled_from([0, 40, 1000])),
        "targetMetric": draw(st.sampled_from([3, *[2**63 - 1] * 4])),
    }
    full = terms["rewardPerRound"] + seats * terms["feePerSeat"]
    return terms, full * draw(st.integers(1, 6)) + draw(st.integers(0, 50))


class Jobs(RuleBasedStateMachine):
    """Two jobs of one sponsor, with the same trainers and validators."""

    house: Any = None
    committees: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = rpc("evm_snapshot")
        self.twins: list[Twin] = []
        house = self.house
        self.people = [house.sponsor, *house.trainers, *house.validators]
        self.had = {who: call(house.token.balanceOf, who) for who in self.people}

    @initialize(first=terms_and_escrow(), second=terms_and_escrow(), filled=st.sampled_from([True, True, False]))
    def post(self, first: Any, second: Any, filled: bool) -> None:
        for committee, (terms, escrow) in zip(self.committees, (first, second), strict=True):
            twin = Twin(self.house, committee, terms, escrow)
            self.twins.append(twin)
            if filled:
                self._act(twin, set(), None)

    # what may happen

    @rule(which=st.booleans(), turn=st.sampled_from(TURNS), data=st.data())
    def take_turn(self, which: bool, turn: str, data: st.DataObject) -> None:
        """One rule for all: hypothesis would leave out some of several, and no job comes far without the first."""
        getattr(self, f"_{turn}")(self.twins[which], data)

    def _everybody(self, twin: Twin, data: st.DataObject) -> None:
        for _ in range(data.draw(st.integers(1, 8))):
            self._act(twin, set(), data)
            twin.compare()

    def _most(self, twin: Twin, data: st.DataObject) -> None:
        self._act(twin, data.draw(st.sets(PLACES, min_size=1, max_size=2)), data)

    def _time(self, twin: Twin, data: st.DataObject) -> None:
        """To an edge of the phase: the next transaction is a second later."""
        ends = twin.job.state.deadline or (twin.model.outcome and min(self._ends_of_money(twin), default=0))
        skip_to((ends or now()) + data.draw(st.sampled_from([-3, -2, -1, -1, 0, 50])))

    @staticmethod
    def _ends_of_money(twin: Twin) -> list[int]:
        return [end for end in (twin.model.slash_until, twin.model.claim_until) if end > now()]

    def _stray(self, twin: Twin, data: st.DataObject) -> None:
        """Anybody calls anything, due or not."""
        who, step = data.draw(st.sampled_from(self.people)), data.draw(st.sampled_from(sorted(Phase)))
        if step == Phase.ENROL and who in self.house.trainers:
            twin.enrol(who, BOND + data.draw(st.integers(-1, 1)))
        elif step == Phase.OPEN:
            twin.open(who)
        elif step == Phase.SUBMIT:
            twin.submit(who)
        elif step in (Phase.ATTEST, Phase.RELEASE, Phase.SCORE, Phase.REVEAL):
            twin.member_step(step, who)
        elif step == Phase.VOTE:
            twin.vote(who, self._outcome(twin, data), data.draw(METRICS))
        elif step == Phase.FINALIZE:
            twin.finalize(who, self._outcome(twin, data))
        elif step == Phase.LAPSED:
            twin.fail(who)
        elif step in (Phase.NONE, Phase.ABORTED):
            twin.rejoin(who)
        elif step == Phase.CANCELLED:
            twin.stop(who)

    def _committee(self, twin: Twin, data: st.DataObject) -> None:
        """The committee contract will answer something else."""
        how = data.draw(st.sampled_from([*["others"] * 8, *MODES, "short", "unsorted"]))
        by, seats, everybody = {"from": self.house.sponsor}, twin.job.terms.seats, self.house.validators
        send(twin.committee.setMode, MODES.get(how, 0), by)
        if how == "others":
            places = data.draw(st.sets(PLACES, min_size=seats, max_size=seats))
            twin.answer = [everybody[place] for place in sorted(places)]
            send(twin.committee.setMembers, twin.answer, by)
            return
        members = everybody[: seats - 1] if how == "short" else everybody[seats - 1 :: -1] if seats > 1 else []
        send(twin.committee.setMembers, members, by)
        twin.answer = None

    def _claim(self, twin: Twin, data: st.DataObject) -> None:
        rounds = data.draw(st.lists(st.sampled_from(sorted(twin.outcomes)), max_size=4)) if twin.outcomes else []
        twin.claim(data.draw(st.sampled_from(self.house.trainers)), rounds, self.house.sponsor)

    def _money(self, twin: Twin, data: st.DataObject) -> None:
        place, by = data.draw(PLACES), data.draw(st.sampled_from(self.people))
        (
            lambda: twin.claim_bond(self.house.trainers[place % 4], by),
            lambda: twin.claim_rest(by),
            lambda: twin.claim_fees(self.house.validators[place], by),
            lambda: twin.claim_seat(place % twin.job.terms.seats, by),
            lambda: twin.expire(by),
            lambda: twin.send_burnt(by),
        )[data.draw(st.integers(0, 5))]()

    def _act(self, twin: Twin, silent: set[int], data: Any) -> None:
        """Everybody but the silent does what the phase asks for; then it is over, by time where it must be."""
        phase = twin.job.state.phase
        trainers = [who for i, who in enumerate(self.house.trainers) if i not in silent]
        members = [who for i, who in enumerate(twin.model.committee) if i not in silent]
        if phase == Phase.ENROL:
            for who in trainers[: twin.job.terms.maxTrainers]:
                if who not in twin.model.bonds:
                    twin.enrol(who, BOND + len(trainers))
        elif phase == Phase.OPEN:
            twin.open(self.house.sponsor)
        elif phase == Phase.SUBMIT:
            for who in trainers:
                if who in twin.model.bonds:
                    twin.submit(who)
        elif phase == Phase.VOTE:
            self._vote(twin, members, data)
        elif phase == Phase.FINALIZE:
            twin.finalize(self.house.sponsor, self._favourite(twin) or self._outcome(twin, data))
        elif phase == Phase.LAPSED:
            twin.fail(self.house.sponsor)
        elif not phase.is_over:
            for who in members:
                twin.member_step(phase, who)
        if phase == twin.job.phase and not phase.is_over:
            skip_to(twin.job.state.deadline)

    def _vote(self, twin: Twin, members: list[Any], data: st.DataObject) -> None:
        favourite, other = self._outcome(twin, data), self._outcome(twin, data)
        hostile = data.draw(st.sets(PLACES, max_size=1))
        for place, who in enumerate(members):
            twin.vote(who, other if place in hostile else favourite, data.draw(METRICS))

    def _outcome(self, twin: Twin, data: st.DataObject) -> Outcome:
        """A fair round, or what a dishonest quorum may think of."""
        kind = data.draw(st.sampled_from(KINDS))
        name = f"{kind} {twin.model.round}"
        trainers, reward = sorted(twin.model.bonds, key=str), twin.job.terms.rewardPerRound
        if kind == "nothing":
            return Outcome(name, failed=True)
        if kind == "nobody" or not trainers:
            return Outcome(name)
        if kind == "greedy":
            return Outcome(name, tuple((who, reward + 2**200 * i, 0) for i, who in enumerate(trainers)))
        struck = kind == "strikes"
        share = reward // len(trainers)
        return Outcome(name, tuple((who, share, int(struck and i % 2 == 0)) for i, who in enumerate(trainers)))

    @staticmethod
    def _favourite(twin: Twin) -> Outcome | None:
        voted = [outcome for outcome, _ in twin.model.live.votes.values()]
        return max(voted, key=voted.count) if voted else None

    # what must hold

    @invariant()
    def agree(self) -> None:
        for twin in self.twins:
            twin.compare()
        house = self.house
        for who in self.people:
            gained = call(house.token.balanceOf, who) - self.had[who]
            assert gained == sum(twin.model.gains[who] for twin in self.twins), f"tokens of {who}"
        held = call(house.token.balanceOf, house.vault)
        assert held == sum(twin.model.holding for twin in self.twins), "the vault holds what both books say"
        assert call(house.token.balanceOf, DEAD) == sum(twin.model.burn_sent for twin in self.twins), "burnt"

    def teardown(self) -> None:
        try:
            for twin in self.twins:
                self._end_alone(twin)
                self._leave(twin)
            self._all_is_gone()
        finally:
            rpc("evm_revert", self.snapshot)

    def _end_alone(self, twin: Twin) -> None:
        """Nobody acts any more, the committee contract fails: one account ends the job, in bounded time."""
        send(twin.committee.setMode, 1, {"from": self.house.sponsor})
        terms, began, calls = twin.job.terms, now(), 0
        while not twin.job.phase.is_over:
            if twin.job.phase == Phase.LAPSED:
                twin.fail(self.house.trainers[0])
                calls += 1
            else:
                skip_to(twin.job.state.deadline)
        cycle = sum(getattr(terms, f"{name}Time") for name in CYCLE)
        assert now() - began <= terms.enrolTime + cycle + terms.maxFailures * terms.openTime + 2 * calls + 2
        assert calls <= terms.maxFailures

    def _leave(self, twin: Twin) -> None:
        by = self.house.sponsor
        if not twin.model.outcome or now() + 20 < twin.model.claim_until:
            for who in self.house.trainers:
                twin.claim(who, twin.outcomes, by)
            for seat in range(twin.job.terms.seats):
                twin.claim_seat(seat, by)
            for member in sorted(twin.seen, key=str):
                twin.claim_fees(member, by)
        skip_to(twin.model.slash_until)
        for who in self.house.trainers:
            twin.claim_bond(who, by)
        twin.claim_rest(by)
        skip_to(twin.model.claim_until)
        twin.expire(by)
        twin.send_burnt(by)
        self.agree()

    def _all_is_gone(self) -> None:
        for twin in self.twins:
            books = twin.job.books
            burnt = books.burnSent - books.forfeited
            gone = books.paid + books.refunded + burnt + books.left
            assert books.escrowed == gone, "escrowed = paid + refunded + burnt + left"
            assert (books.left, books.bonded, twin.job.holding) == (0, 0, 0), "everybody has left"
        if self.twins:
            assert call(self.house.token.balanceOf, self.house.vault) == 0, "the vault is empty"
            strikes = sum(twin.model.forfeited for twin in self.twins)
            lost = sum(max(0, -sum(twin.model.gains[who] for twin in self.twins)) for who in self.house.trainers)
            assert lost <= strikes, "no trainer has lost more than its penalties"


CYCLE = ("submit", "attest", "release", "score", "reveal", "vote", "finalize")


def test_jobs__whatever_anybody_does__balance_and_end(house):
    Jobs.house = house
    Jobs.committees = [MockCommittee.deploy([], {"from": house.sponsor}) for _ in range(2)]
    how_many = settings(
        max_examples=RUNS or 20,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not RUNS,
        database=None,
        verbosity=Verbosity.quiet,
        phases=(Stage.generate, Stage.shrink) if RUNS else (Stage.generate,),  # shrinking takes minutes
        suppress_health_check=HealthCheck.all(),
    )
    run_state_machine_as_test(Jobs, settings=how_many)
