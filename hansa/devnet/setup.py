"""What a federation on one machine consists of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hansa.protocol.privacy import COMMITTEE, MODES
from hansa.protocol.text import counted
from hansa.protocol.types import Wei
from hansa.sponsor.committees import APPOINTED, COUPLED, FILLED, HYBRID, LEAST_FAILURES, STAKED
from hansa.sponsor.post import PreparedJob
from hansa.sponsor.privacy import with_privacy
from hansa.sponsor.rehearse import rehearse
from hansa.sponsor.terms import JobOffer, usual_quorum
from hansa.sponsor.validation import DEALT, OWN
from hansa.tasks import consent, defaults

TOKEN = 10**18
TIMES: Mapping[str, int] = {
    "enrol": 120,
    "open": 30,
    "submit": 30,
    "score": 30,
    "reveal": 20,
    "vote": 20,
    "finalize": 20,
    "slash": 2,
}
"""Seconds. Phases end early when all who are due have acted; these are what a dead daemon costs, once."""

SHARING_SECONDS = 30  # of a phase that some privacy modes alone have


@dataclass(frozen=True)
class Setup:
    """What a federation consists of."""

    task: str = "heart"
    trainers: int = 4
    validators: int = 3  # seats of the committee
    consensus: str = APPOINTED  # how they are filled
    rounds: int | None = None  # None: as many as the task recommends
    seed: int = 0
    store: str = "local"
    chain: str = "anvil"
    steps: int | None = None
    quorum: int | None = None
    failures: int | None = None  # None: 3, and 5 where committees are drawn
    publish_keys: bool = False
    privacy: str = COMMITTEE
    validation_rows: str = DEALT
    times: Mapping[str, int] = field(default_factory=dict)  # over TIMES
    settings: Mapping[str, Any] = field(default_factory=dict)
    idle_chain: bool = False  # no block without a transaction
    shuffle: int | None = None  # seed of the order in which daemons start; None: by name
    validator_threads: tuple[int, ...] = ()  # torch threads by validator; 1 by default
    trainer_options: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[str, ...] = ()  # each trainer's source; none: the task has their rows, by number
    validation: str | None = None  # the validators' rows; None: the task has them
    gasless: bool = False  # trainers have no coin: validators relay for them
    admission: str = "open"  # who may train: open, credential (the sponsor vouches), reputation (of an earlier job)
    rehearsed: bool = False  # phases as long as the task's own rehearsal asks for, where that is more than TIMES

    @property
    def appointed(self) -> int:
        """Members who sit in every cycle."""
        quorum = self.quorum if self.quorum is not None else usual_quorum(self.validators)
        usual = {APPOINTED: self.validators, HYBRID: self.validators - quorum}
        return usual.get(self.consensus, 0)

    @property
    def stakers(self) -> int:
        """Accounts in the pool."""
        return FILLED * (self.validators - self.appointed) if self.consensus in (STAKED, HYBRID) else 0

    @property
    def min_updates(self) -> int | None:
        return self.validators + 1 if self.consensus == COUPLED else None

    @property
    def most_failures(self) -> int:
        return self.failures or (3 if self.consensus == APPOINTED else LEAST_FAILURES)

    @property
    def committee(self) -> str:
        """In words."""
        seats = counted(self.validators, "seat")
        return {
            APPOINTED: counted(self.validators, "validator"),
            STAKED: f"{seats} drawn from {self.stakers} stakers",
            HYBRID: f"{seats}, {self.appointed} appointed and the others drawn from {self.stakers} stakers",
        }.get(self.consensus, f"{seats} drawn from them")

    @property
    def sources(self) -> list[str]:
        """By trainer, where its rows are."""
        return list(self.data) or [str(number) for number in range(self.trainers)]

    def validation_of(self, member: int) -> str | None:
        """What the member of this number, from 0, is told of its rows: in a job of rows of its own, a file or the
        party of its number."""
        if self.validation is not None or self.validation_rows != OWN:
            return self.validation
        return self.sources[member % self.trainers]


def phase_times(setup: Setup, prepared: PreparedJob) -> dict[str, int]:
    """Seconds by phase; all parties share this machine's processors."""
    times = dict(TIMES) | dict.fromkeys(MODES[setup.privacy].times, SHARING_SECONDS)
    if setup.rehearsed:
        prepared, _ = with_privacy(prepared, offer_of(setup, prepared, times), setup.privacy)
        found = rehearse(
            prepared, setup.validators, setup.sources[0], None if setup.validation_rows == OWN else setup.validation
        )
        crowd = max(1.0, max(setup.trainers, setup.validators) / (os.cpu_count() or 1))
        times |= found.proposed(setup.trainers, prepared.spec.steps, times, crowd)
    return {**times, **setup.times}


def settings_of(setup: Setup) -> dict[str, Any]:
    """The task's settings: as many parties as there are trainers, where it has parties, and what the set-up gives."""
    name, place = consent(setup.task)
    usual = defaults(name, **place)
    parties = {"parties": setup.trainers} if "parties" in usual["settings"] else {}
    return {**parties, **setup.settings}


def offer_of(setup: Setup, prepared: PreparedJob, times: Mapping[str, int]) -> JobOffer:
    """What the sponsor offers; every amount is small change of a test token."""
    offer = JobOffer(
        trainers=setup.trainers,
        seats=setup.validators,
        rounds=setup.rounds if setup.rounds is not None else prepared.rounds,
        reward=Wei(100 * TOKEN),
        fee=Wei(5 * TOKEN),
        bond=Wei(100 * TOKEN),
        penalty=Wei(25 * TOKEN),
        min_updates=setup.min_updates,
        quorum=setup.quorum,
        failures=setup.most_failures,
        times=times,
    )
    return with_privacy(prepared, offer, setup.privacy)[1]
