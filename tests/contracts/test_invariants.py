"""Whole jobs with anybody silent or hostile, on chain and in a model of every balance.

After every step both agree on the job, its books and everybody's tokens. At the end each machine proves that whoever is
alone can end the job, that everybody leaves with what is theirs, and that nothing is left over.
`HANSA_RUNS=500 brownie test tests/contracts/test_invariants.py` plays more jobs, others each time.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest
from brownie import HybridCommittee, MockCommittee, StakedCommittee, TrainerCommittee
from chances import terms_and_escrow
from hypothesis import HealthCheck, Verbosity, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from node import call, now, rpc, send, skip_to, word
from outcomes import KINDS, Outcome, outcome_of
from pools import EPOCH, pool_terms, stake
from terms import BOND, DEAD, NO_WORD
from twin import Twin

from hansa.protocol.types import Phase

RUNS = int(os.environ.get("HANSA_RUNS", "0"))
STEPS, TURNS_A_STEP = 5, 12
TURNS = ["everybody"] * 16 + ["most", "stray"] * 3 + ["back", "claim"] * 2
TURNS += ["time", "nobody", "committee", "money", "key"]
MODES = {"reverts": 1, "nothing": 2, "garbage": 3, "burns gas": 4, "dirty": 6}
PLACES = range(5)
SEEDS = st.integers(0, 2**32 - 1)
METRICS = [-(2**63), -1, 0, 1, 2, 3, 2**63 - 2]


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
        announced = {who: bytes(call(house.federation.keyOf, who)) for who in self.people}
        self.keys = {who: key for who, key in announced.items() if key != NO_WORD}
        self.had = {who: call(house.token.balanceOf, who) for who in self.people}

    @initialize(seed=SEEDS)
    def post(self, seed: int) -> None:
        luck = Random(seed)
        lazy, filled = luck.choice([set(), set(), set(), {0}, {1}, {2}]), luck.random() < 0.8
        for committee in self.committees:
            terms, escrow = terms_and_escrow(luck)
            if committee is None:
                committee = self.house.committees[terms["seats"]]
            elif not hasattr(committee, "setMembers"):
                terms["keepCommittee"] = luck.random() < 0.1  # a pool serves no such job
            twin = Twin(self.house, committee, terms, escrow, self.keys)
            twin.lazy = lazy
            self.twins.append(twin)
            if filled:
                self._act(twin, set(), luck)

    # what may happen

    @rule(seed=SEEDS)
    def play(self, seed: int) -> None:
        """Some turns of chance. Hypothesis alone would mostly try short jobs with few choices, that come to nothing."""
        luck = Random(seed)
        for _ in range(TURNS_A_STEP):
            turn, twin = luck.choice(TURNS), luck.choice(self.twins)
            getattr(self, f"_{turn}")(twin, luck)
            self.agree()

    def _everybody(self, twin: Twin, luck: Random) -> None:
        for _ in range(luck.randint(1, 8)):
            self._act(twin, twin.lazy, luck)
            twin.compare()

    def _most(self, twin: Twin, luck: Random) -> None:
        self._act(twin, set(luck.sample(PLACES, luck.randint(1, 2))), luck)

    def _nobody(self, twin: Twin, _: Random) -> None:
        skip_to(twin.job.state.deadline)

    def _back(self, twin: Twin, _: Random) -> None:
        """Those who are not waited for ask to be."""
        absent = [who for who in self.people if twin.model.cycle and twin.model.is_absent(who)]
        for who in absent or self.people[:1]:
            twin.rejoin(who)

    def _time(self, twin: Twin, luck: Random) -> None:
        """To an edge of the phase: the next transaction is a second later."""
        ends = twin.job.state.deadline or (twin.model.outcome and min(self._ends_of_money(twin), default=0))
        skip_to((ends or now()) + luck.choice([-3, -2, -1, -1, 0, 50]))

    @staticmethod
    def _ends_of_money(twin: Twin) -> list[int]:
        return [end for end in (twin.model.slash_until, twin.model.claim_until) if end > now()]

    def _stray(self, twin: Twin, luck: Random) -> None:
        """Anybody calls anything, due or not."""
        who, step = luck.choice(self.people), luck.choice(sorted(Phase))
        if step == Phase.ENROL and who in self.house.trainers:
            twin.enrol(who, BOND + luck.randint(-1, 1))
        elif step == Phase.OPEN:
            twin.open(who)
        elif step == Phase.SUBMIT:
            twin.submit(who)
        elif step in (Phase.ATTEST, Phase.RELEASE, Phase.SCORE, Phase.REVEAL):
            twin.member_step(step, who)
        elif step == Phase.VOTE:
            twin.vote(who, self._outcome(twin, luck), luck.choice(METRICS))
        elif step == Phase.FINALIZE:
            twin.finalize(who, self._outcome(twin, luck))
        elif step == Phase.LAPSED:
            twin.fail(who)
        elif step in (Phase.NONE, Phase.ABORTED):
            twin.rejoin(who)
        elif step == Phase.CANCELLED:
            twin.stop(who)

    def _committee(self, twin: Twin, luck: Random) -> None:
        """The committee contract will answer something else, where it is a mock."""
        if not twin.is_told:
            return
        how = luck.choice([*["others"] * 12, *MODES, "short", "unsorted"])
        by, seats, everybody = {"from": self.house.sponsor}, twin.job.terms.seats, self.house.validators
        send(twin.committee.setMode, MODES.get(how, 0), by)
        if how == "others":
            places = luck.sample(PLACES, seats)
            twin.answer = [everybody[place] for place in sorted(places)]
            send(twin.committee.setMembers, twin.answer, by)
            return
        members = everybody[: seats - 1] if how == "short" else everybody[seats - 1 :: -1] if seats > 1 else []
        send(twin.committee.setMembers, members, by)
        twin.answer = None

    def _key(self, twin: Twin, luck: Random) -> None:
        """Some validators announce keys, anew or for the first time; what is open already keeps its own."""
        for place in luck.sample(PLACES, luck.randint(1, 3)):
            who = self.house.validators[place]
            twin.announce(who, word(f"key {luck.random()}") if luck.random() < 0.9 else NO_WORD)

    def _claim(self, twin: Twin, luck: Random) -> None:
        rounds = luck.choices(sorted(twin.outcomes), k=luck.randint(0, 4)) if twin.outcomes else []
        twin.claim(luck.choice(self.house.trainers), rounds, self.house.sponsor)

    def _money(self, twin: Twin, luck: Random) -> None:
        place, by = luck.choice(PLACES), luck.choice(self.people)
        (
            lambda: twin.claim_bond(self.house.trainers[place % 4], by),
            lambda: twin.claim_rest(by),
            lambda: twin.claim_fees(self.house.validators[place], by),
            lambda: twin.claim_seat(place % twin.job.terms.seats, by),
            lambda: twin.expire(by),
            lambda: twin.send_burnt(by),
        )[luck.randint(0, 5)]()

    def _act(self, twin: Twin, silent: set[int], luck: Random) -> None:
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
            self._vote(twin, members, luck)
        elif phase == Phase.FINALIZE:
            twin.finalize(self.house.sponsor, self._favourite(twin) or self._outcome(twin, luck))
        elif phase == Phase.LAPSED:
            twin.fail(self.house.sponsor)
        elif not phase.is_over:
            for who in members:
                twin.member_step(phase, who)
        if phase == twin.job.phase and not phase.is_over:
            skip_to(twin.job.state.deadline)

    def _vote(self, twin: Twin, members: list[Any], luck: Random) -> None:
        favourite, other = self._outcome(twin, luck), self._outcome(twin, luck)
        hostile = luck.sample(PLACES, luck.choice([0, 0, 0, 1]))
        for place, who in enumerate(members):
            twin.vote(who, other if place in hostile else favourite, luck.choice(METRICS))

    def _outcome(self, twin: Twin, luck: Random) -> Outcome:
        trainers, reward = sorted(twin.model.bonds, key=str), twin.job.terms.rewardPerRound
        return outcome_of(luck.choice(KINDS), twin.model.round, trainers, reward)

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
        if twin.is_told:
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


def play_out(house: Any, committees: list[Any], examples: int) -> None:
    """committees: of each job; None for one that appoints as many as it has seats."""
    Jobs.house, Jobs.committees = house, committees
    how_many = settings(
        max_examples=RUNS or examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not RUNS,
        database=None,
        verbosity=Verbosity.quiet,
        phases=(Stage.generate, Stage.shrink) if RUNS else (Stage.generate,),  # shrinking takes minutes
        suppress_health_check=HealthCheck.all(),
    )
    run_state_machine_as_test(Jobs, settings=how_many)


def test_jobs__whatever_anybody_does__balance_and_end(house):
    play_out(house, [MockCommittee.deploy([], {"from": house.sponsor}) for _ in range(2)], 25)


@pytest.fixture
def drawn(house, mallory):
    """Contracts that draw, or appoint one and draw the others, from the validators; that draw from the trainers."""
    terms, by = pool_terms(house, minFee=0), {"from": mallory}
    staked, hybrid = StakedCommittee.deploy(terms, by), HybridCommittee.deploy(terms, house.validators[:1], by)
    for pool in (staked, hybrid):
        stake(house, pool, {who: 5 + place for place, who in enumerate(house.validators)})
    skip_to((now() // EPOCH + 1) * EPOCH)
    return {"staked": staked, "hybrid": hybrid, "coupled": TrainerCommittee.deploy(by)}


@pytest.mark.parametrize("kinds", [("staked", "coupled"), ("hybrid", "appointed")], ids="-".join)
def test_jobs__of_every_kind_of_committee__balance_and_end(house, drawn, kinds):
    play_out(house, [drawn.get(kind) for kind in kinds], 6)
