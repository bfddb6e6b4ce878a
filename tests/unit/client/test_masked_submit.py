"""A trainer of a masked job: one envelope over one model, in every job and after every reorganisation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from desks import JOB, GivenJob, desk_of
from masked_chain import BASE, MODEL, Given, given
from masked_world import LENGTH, SHAPES
from records import STATE

from client.guard_file import GuardFile
from client.masked_submit import MaskedSubmitter
from client.publish import publish_updates
from client.training import training_seed
from hansa.protocol import tensors
from hansa.protocol.cid import NO_DIGEST
from hansa.protocol.errors import FatalError
from hansa.protocol.masked import words
from hansa.protocol.masked.envelope import Masked
from hansa.protocol.masked.guard import weights_of
from hansa.protocol.types import BlockNumber, CycleId, Digest, JobId, Phase, Place, Timestamp, Wei
from hansa.runtime.history.records import Failed, Submitted

INTEGERS = {name: np.full(shape, 7, np.int8) for name, shape in SHAPES.items()}


class Trainer:
    """The trainer of a place, whose chain is `here`; a name of its own where it isn't in."""

    def __init__(self, path: Path, here: Given, place: int, **options: Any) -> None:
        self.here, self.sent = here, list[Any]()
        base = here.base
        spec = SimpleNamespace(**vars(base.spec), task="t")
        follower = cast(Any, GivenJob(path, here.cycles, SimpleNamespace(spec=spec, terms=base.terms)))
        follower.store, follower.base, follower.finalized = here.store, lambda: (BASE, MODEL), list
        follower.cycle = lambda: here.cycles[-1]
        follower.history = lambda: SimpleNamespace(cycles=tuple(here.cycles))
        follower.state = replace(STATE, phase=Phase.SUBMIT)
        follower.federation = SimpleNamespace(
            place=lambda job, cycle: base.place._replace(cycle=cycle),
            submit_call=lambda job, cycle, seed, digest: digest,
            chain=SimpleNamespace(close=lambda: None),
        )
        self.follower = follower
        (path / "journals").mkdir(exist_ok=True)
        self.desk = desk_of(path, follower, lambda call, *key: self.sent.append(call))
        self.desk.me = here.world.trainer(place)
        wanted = {"journal": path / "journals" / "t.sqlite", "repeat": False, "min_group": 0, "pinned_keys": None}
        config, nothing = cast(Any, SimpleNamespace(**{**wanted, **options})), cast(Any, None)
        self.submitter = cast(Any, MaskedSubmitter(self.desk, nothing, nothing, config))
        self.submitter.train = lambda base, model: self.desk.journal.put_blob(tensors.encode(INTEGERS, {}))
        self.guard = GuardFile(path / "masked.sqlite")

    def see(self, phase: Phase) -> None:
        self.follower.state = replace(STATE, phase=phase, cycle=self.here.cycles[-1].cycle)
        self.here.phase = phase

    def note_fixed(self) -> None:
        self.see(Phase.RELEASE)
        self.submitter.note_fixed()

    def publish(self) -> None:
        publish_updates(self.desk, self.follower.state, self.submitter.note_published)

    def submit(self) -> Digest:
        self.see(Phase.SUBMIT)
        self.submitter.submit()
        return self.sent[-1]


def fresh(here: Given) -> None:
    """Nothing is fixed: the cycle is in SUBMIT, and nobody has submitted."""
    acted = {phase: {} for phase in here.cycles[-1].acted}
    here.cycles[-1] = replace(here.cycles[-1], updates=(), acted=acted)
    here.phase = Phase.SUBMIT


def test_first_submission__is_an_envelope_that_the_committee_opens(tmp_path: Path) -> None:
    here = given(4, 2)
    fresh(here)
    alice = Trainer(tmp_path, here, 0)
    digest = alice.submit()
    ctx = here.base.context(here.cycles[0], alice.desk.me)
    sealed = Masked(alice.desk.journal.blob(digest), ctx, here.world.sharing, LENGTH)
    seeds: dict[int, bytes] = {}
    for seat in range(4):
        seeds |= sealed.open_own(seat, here.world.secrets[seat], here.world.members)
    assert np.array_equal(sealed.unmasked(seeds), words.words_of(INTEGERS))
    assert alice.submit() == digest, "the journal's, however often it is asked"


def test_retry_over_a_fixed_set__sends_the_same_digest_again(tmp_path: Path) -> None:
    here = given(4, 2)
    here.later()
    bob = Trainer(tmp_path, here, 1)
    bob.note_fixed()
    assert bob.submit() == here.cycles[0].updates[1].digest
    assert bob.guard.known(weights_of(MODEL), "elsewhere", bob.desk.me) is not None


def test_trainer_without_an_update_in__stands_by(tmp_path: Path) -> None:
    here = given(4, 2)
    here.later()
    assert Trainer(tmp_path, here, 9).submit() == NO_DIGEST


def test_reorganisation_that_takes_the_set__never_makes_it_seal_again(tmp_path: Path) -> None:
    here = given(4, 2)
    carol = Trainer(tmp_path, here, 2)
    carol.note_fixed()
    fresh(here)
    here.cycles[0] = replace(here.cycles[0], seed=b"\x77" * 32)
    assert carol.submit() == NO_DIGEST


def published(trainer: Trainer, here: Given) -> Digest:
    """Submits in the cycle of `here`, which has ended its SUBMIT since, and gives the bytes away."""
    fresh(here)
    digest = trainer.submit()
    here.cycles[-1] = replace(here.cycles[-1], updates=(Submitted(trainer.desk.me, digest),))
    trainer.see(Phase.ATTEST)
    trainer.follower.is_past = lambda phase, cycle: True
    trainer.publish()
    return digest


def test_published__is_written_down_before_the_bytes_go_out(tmp_path: Path) -> None:
    here = given(4, 2)
    alice, gone = Trainer(tmp_path, here, 0), list[Digest]()

    def publish(digest: Digest) -> None:
        known = alice.guard.known(weights_of(MODEL), "elsewhere", alice.desk.me)
        assert known is not None and known.digest == digest and not known.is_fixed
        gone.append(digest)

    alice.desk.publish = publish  # type: ignore[method-assign]
    assert [published(alice, here)] == gone


def test_published__never_seen_again__binds_in_other_jobs_and_on_other_forks(tmp_path: Path) -> None:
    here = given(4, 2)
    alice = Trainer(tmp_path, here, 0)
    published(alice, here)
    other = given(4, 2)
    fresh(other)
    other.world.place = other.world.place._replace(job=5)
    (tmp_path / "other").mkdir()
    elsewhere = Trainer(tmp_path / "other", other, 0)
    elsewhere.submitter._guard = alice.guard
    with pytest.raises(FatalError, match="made from elsewhere.*--repeat"):
        elsewhere.submitter.check_repeat()
    fresh(here)
    here.cycles[0] = replace(here.cycles[0], seed=b"\x77" * 32)
    assert alice.submit() == NO_DIGEST, "a fork on which its update was never registered"


def test_two_jobs_in_submit_at_once__the_second_gives_nothing_away(tmp_path: Path) -> None:
    here, other = given(4, 2), given(4, 2)
    other.world.place = other.world.place._replace(job=5)
    (tmp_path / "other").mkdir()
    alice, elsewhere = Trainer(tmp_path, here, 0), Trainer(tmp_path / "other", other, 0)
    elsewhere.submitter._guard = alice.guard
    fresh(other)
    digest = elsewhere.submit()
    published(alice, here)
    other.cycles[-1] = replace(other.cycles[-1], updates=(Submitted(elsewhere.desk.me, digest),))
    elsewhere.see(Phase.ATTEST)
    elsewhere.follower.is_past = lambda phase, cycle: True
    with pytest.raises(FatalError, match="made from elsewhere.*--repeat"):
        elsewhere.publish()
    assert not other.store.has(digest)
    elsewhere.submitter._repeat = True
    elsewhere.publish()
    assert other.store.has(digest)


def test_published_in_an_attempt_that_fixed_nothing__is_sealed_anew_in_the_next(tmp_path: Path) -> None:
    here = given(4, 2)
    alice = Trainer(tmp_path, here, 0)
    first = published(alice, here)
    here.later()
    here.cycles[-1] = replace(here.cycles[-1], updates=(), acted={phase: {} for phase in here.cycles[-1].acted})
    here.cycles[0] = replace(here.cycles[0], outcome=Failed(Phase.ATTEST, 1, Wei(0), Timestamp(1), BlockNumber(9)))
    assert alice.submit() not in (first, NO_DIGEST)


def test_other_job_from_the_same_weights__is_refused_before_a_bond_is_paid(tmp_path: Path) -> None:
    here = given(4, 2)
    dave = Trainer(tmp_path, here, 3)
    dave.note_fixed()
    other = given(4, 2)
    fresh(other)
    other.world.place = other.world.place._replace(job=5)
    (tmp_path / "other").mkdir()
    again = Trainer(tmp_path / "other", other, 3)
    again.submitter._guard = dave.guard
    with pytest.raises(FatalError, match="made from elsewhere.*--repeat"):
        again.submitter.check_repeat()
    again.submitter._repeat = True
    again.submitter.check_repeat()
    assert again.submit() not in (NO_DIGEST, here.cycles[0].updates[3].digest)


def test_smaller_sums_than_its_user_allows__are_refused(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="opens sums of 3 updates.*--min-group 3"):
        Trainer(tmp_path, given(4, 2), 0, min_group=5)


def test_training_seed__is_another_in_another_job() -> None:
    spec, trainer = cast(Any, SimpleNamespace(seed=0)), given(3, 2).world.trainer(0)
    here = Place(1, trainer, JOB, CycleId(0))
    places = [None, here, here._replace(job=JobId(2)), here._replace(chain_id=2)]
    assert len({training_seed(spec, trainer, 1, place) for place in places}) == 4
    assert training_seed(spec, trainer, 1, here) == training_seed(spec, trainer, 1, here._replace(cycle=CycleId(9)))
