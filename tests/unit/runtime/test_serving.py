"""What a daemon gives away, and when: models that a finaliser kept back, updates only once they can't be copied."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog

from aggregator.validator import Validator
from client.trainer import Trainer
from hansa.protocol.cid import digest_of
from hansa.protocol.hashes import make_cycle
from hansa.protocol.types import Address, CycleId, Phase, Round
from hansa.runtime.history.reader import Failed, Finalized, Submitted
from hansa.runtime.journal import Journal
from hansa.runtime.store.local import LocalStore

ME = Address("0x" + "a1" * 20)
FILE = b"a file of this daemon"
DIGEST = digest_of(FILE)
FIRST, SECOND = (make_cycle(bytes(32), bytes(32), counter, True) for counter in (1, 2))


def finalized() -> Finalized:
    return Finalized(Round(1), DIGEST, bytes(32), 0, 1, bytes(32), cast(Any, 5))


def failed(phase: Phase) -> Failed:
    return Failed(phase, 1, cast(Any, 0), cast(Any, 5))


def daemon(kind: type[Any], path: Path, cycle: Any, deep: tuple[CycleId, Phase]) -> Any:
    """A daemon without a chain: `cycle` is the only one of its history, `deep` what is `confirmations` deep."""
    made = object.__new__(kind)
    made.me, made.job, made.log = ME, 1, structlog.stdlib.get_logger()
    made.store, made.journal = LocalStore(path / "store"), Journal(path / "journal")
    made._published, made._served, made.awaited = set(), None, 0
    made.history = lambda: SimpleNamespace(cycles=[cycle])
    made.deep = lambda: SimpleNamespace(cycle=deep[0], phase=deep[1])
    return made


@pytest.mark.parametrize(
    ("deep", "served"), [((FIRST, Phase.VOTE), False), ((FIRST, Phase.OPEN), True), ((SECOND, Phase.SUBMIT), True)]
)
def test_model__finalised_before_this_member_saw_it__is_published(tmp_path: Path, deep: Any, served: bool) -> None:
    cycle = SimpleNamespace(cycle=FIRST, outcome=finalized())
    member: Validator = daemon(Validator, tmp_path, cycle, deep)
    member.journal.put_blob(FILE)
    state = SimpleNamespace(phase=Phase.OPEN, ended_at=0)
    assert member.serve_model(cast(Any, state)) is served
    assert member.store.has(DIGEST) is served


def test_model__that_this_member_never_had__holds_nothing_up(tmp_path: Path) -> None:
    cycle = SimpleNamespace(cycle=FIRST, outcome=finalized())
    member: Validator = daemon(Validator, tmp_path, cycle, (FIRST, Phase.COMPLETED))
    assert member.serve_model(cast(Any, SimpleNamespace(phase=Phase.COMPLETED, ended_at=9)))
    assert not member.store.has(DIGEST)


MINE, COPY = (Submitted(ME, DIGEST),), (Submitted(Address("0x" + "b0" * 20), DIGEST),)


@pytest.mark.parametrize(
    ("updates", "outcome", "phase", "deep", "published"),
    [
        (MINE, None, Phase.SUBMIT, Phase.SUBMIT, False),
        (MINE, None, Phase.SCORE, Phase.SUBMIT, False),
        (MINE, None, Phase.SCORE, Phase.SCORE, True),
        (MINE, None, Phase.LAPSED, Phase.LAPSED, False),
        (MINE, failed(Phase.SUBMIT), Phase.OPEN, Phase.OPEN, False),
        (MINE, failed(Phase.SCORE), Phase.OPEN, Phase.SUBMIT, False),
        (MINE, failed(Phase.SCORE), Phase.OPEN, Phase.OPEN, True),
        (COPY, None, Phase.SCORE, Phase.SCORE, False),
        ((), failed(Phase.SCORE), Phase.OPEN, Phase.OPEN, False),
    ],
)
def test_update__is_published_once_submit_closed_with_it_in(
    tmp_path: Path, updates: Any, outcome: Any, phase: Phase, deep: Phase, published: bool
) -> None:
    cycle = SimpleNamespace(cycle=FIRST, outcome=outcome, updates=updates)
    trainer: Trainer = daemon(Trainer, tmp_path, cycle, (FIRST, deep))
    digest = trainer.journal.put_blob(FILE)
    trainer.journal.remember((1, FIRST, "update"), lambda: {"digest": digest, "key": bytes(32)})
    trainer._publish(cast(Any, SimpleNamespace(cycle=FIRST, phase=phase)))
    assert trainer.store.has(DIGEST) is published
