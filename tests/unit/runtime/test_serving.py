"""What a daemon gives away, and when: models that a finaliser kept back, updates only once they can't be copied."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desks import JOB, ME, GivenJob, desk_of

from aggregator.serve import ModelServer
from client.publish import publish_updates
from hansa.protocol.cid import digest_of
from hansa.protocol.hashes import make_cycle
from hansa.protocol.types import Address, BlockNumber, Phase, Round, Wei
from hansa.runtime.chain.structs import Enrolled
from hansa.runtime.history.records import CycleRecord, Failed, Finalized, Submitted

FILE = b"a file of this daemon"
DIGEST = digest_of(FILE)
FIRST, SECOND = (make_cycle(bytes(32), counter, True) for counter in (1, 2))


def finalized() -> Finalized:
    return Finalized(Round(1), DIGEST, bytes(32), 0, 1, bytes(32), *cast(Any, (9, 5)))


def failed(phase: Phase) -> Failed:
    return Failed(phase, 1, *cast(Any, (0, 9, 5)))


@pytest.mark.parametrize(
    ("deep", "served"), [((FIRST, Phase.VOTE), False), ((FIRST, Phase.OPEN), True), ((SECOND, Phase.SUBMIT), True)]
)
def test_model__finalised_before_this_member_saw_it__is_published(tmp_path: Path, deep: Any, served: bool) -> None:
    cycle = SimpleNamespace(cycle=FIRST, outcome=finalized())
    desk = desk_of(tmp_path, GivenJob(tmp_path, [cycle], deep=deep))
    desk.journal.put_blob(FILE)
    state = SimpleNamespace(phase=Phase.OPEN, ended_at=0)
    assert ModelServer(desk).serve(cast(Any, state)) is served
    assert desk.follower.store.has(DIGEST) is served


def test_model__that_this_member_never_had__holds_nothing_up(tmp_path: Path) -> None:
    cycle = SimpleNamespace(cycle=FIRST, outcome=finalized())
    desk = desk_of(tmp_path, GivenJob(tmp_path, [cycle], deep=(FIRST, Phase.COMPLETED)))
    assert ModelServer(desk).serve(cast(Any, SimpleNamespace(phase=Phase.COMPLETED, ended_at=9)))
    assert not desk.follower.store.has(DIGEST)


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
    cycle = SimpleNamespace(cycle=FIRST, seed=b"first", outcome=outcome, updates=updates)
    desk = desk_of(tmp_path, GivenJob(tmp_path, [cycle], of_privacy("committee"), deep=(FIRST, deep)))
    digest = desk.journal.put_blob(FILE)
    desk.journal.remember((JOB, b"first", "update"), lambda: {"digest": digest, "key": bytes(32)})
    publish_updates(desk, cast(Any, SimpleNamespace(cycle=FIRST, phase=phase)))
    assert desk.follower.store.has(DIGEST) is published


def of_privacy(privacy: str) -> Any:
    return SimpleNamespace(spec=SimpleNamespace(privacy=privacy))


@pytest.mark.parametrize(
    ("updates", "counter", "published"), [(MINE, 1, True), (MINE, 0, False), (COPY, 1, False), ((), 0, False)]
)
def test_update__that_several_members_open__is_published_once_it_is_deep_in_submit(
    tmp_path: Path, updates: Any, counter: int, published: bool
) -> None:
    """counter: of the last cycle that this trainer has submitted in, `confirmations` deep."""

    def trainer(job: Any, who: Any, at: Any) -> Enrolled:
        assert (who, at) == (ME, "the block below")
        return Enrolled(True, counter, Wei(1))

    cycle = CycleRecord(FIRST, Round(1), b"", b"first", (), (), 0, BlockNumber(1), updates, {}, (), None)
    follower = GivenJob(tmp_path, [cycle], of_privacy("threshold"), deep=(FIRST, Phase.SUBMIT))
    below = SimpleNamespace(confirmations=2, below=lambda head, blocks: "the block below", close=lambda: None)
    follower.federation = cast(Any, SimpleNamespace(chain=below, trainer=trainer))
    follower.trainer, follower.head = ME, cast(Any, None)
    desk = desk_of(tmp_path, follower)
    digest = desk.journal.put_blob(FILE)
    desk.journal.remember((JOB, b"first", "update"), lambda: {"digest": digest, "key": bytes(32)})
    for _ in range(2):
        publish_updates(desk, cast(Any, SimpleNamespace(cycle=FIRST, phase=Phase.SUBMIT)))
    assert desk.follower.store.has(DIGEST) is published
