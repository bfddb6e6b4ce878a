"""After a failed cycle a trainer goes on with the very integers that it sent, and says so; the wary ends instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from desks import JOB, ME, GivenJob, desk_of
from test_training_once import SPEC, Restless

from client.config import TrainerConfig
from client.submit import FailureWatch, Submitter
from hansa.protocol import envelope
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Update, initial_model
from hansa.protocol.types import Address, BlockNumber, CycleId, Digest, Phase, Place, Round, Timestamp, Wei
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord, Failed, Submitted

MEMBER = b"\x05" * 32
FEDERATION = Address("0x" + "fe" * 20)
MODEL = initial_model({"w": np.zeros(12, np.float32)}, 8)
BASE = Digest(b"base" * 8)


def opened(path: Path, cycles: list[Any]) -> Desk:
    follower = GivenJob(path, cycles, SimpleNamespace(spec=SPEC))
    follower.state = cast(Any, SimpleNamespace(deadline=0))
    follower.base = lambda: (BASE, MODEL)  # type: ignore[method-assign]
    follower.federation = cast(
        Any,
        SimpleNamespace(
            place=lambda job, cycle: Place(1, FEDERATION, job, cycle), chain=SimpleNamespace(close=lambda: None)
        ),
    )
    return desk_of(path, follower)


def cycle(number: int) -> CycleRecord:
    keys = (envelope.public_key(MEMBER),)
    id_ = CycleId(number << 1 | 1)
    return CycleRecord(id_, Round(1), bytes(32), bytes([number] * 32), (ME,), keys, 1, BlockNumber(1), (), {}, (), None)


def failed(attempt: CycleRecord, digest: Digest) -> CycleRecord:
    end = Failed(Phase.SCORE, 1, Wei(0), Timestamp(0), BlockNumber(2))
    return replace(attempt, updates=(Submitted(ME, digest),), outcome=end)


def read(desk: Desk, attempt: CycleRecord, sealed: dict[str, Any]) -> Update:
    """What the committee of a cycle reads of it."""
    ctx = envelope.context(Place(1, FEDERATION, JOB, attempt.cycle), ME, BASE)
    data = envelope.open_envelope(desk.journal.blob(sealed["digest"]), ctx, 0, MEMBER, attempt.keys).update
    return Update.decode(data, model=MODEL, job=JOB, cycle=attempt.cycle, trainer=ME)


def test_retry__after_a_restart__sends_the_identical_integers_and_names_the_first_attempt(tmp_path: Path) -> None:
    """The task comes to other numbers each time: they can only be the journal's."""
    task, attempts, sent = Restless(), [cycle(1), cycle(2), cycle(3)], []
    done: list[Any] = []
    for attempt in attempts:
        desk = opened(tmp_path, [*done, attempt])
        submitter = Submitter(desk, cast(Any, task), cast(Any, []))
        key = (JOB, attempt.seed, "update")
        sealed = desk.journal.remember(key, lambda: submitter.seal(attempt))  # noqa: B023
        sent.append((sealed, read(desk, attempt, sealed)))
        done.append(failed(attempt, sealed["digest"]))
        desk.journal.close()
    assert task.runs == 1
    first, *again = sent
    assert (first[1].retry_cid, first[1].retry_key) == (None, None)
    for sealed, update in again:
        assert {name: values.tolist() for name, values in update.tensors.items()} == {"w": [16] * 12}
        assert np.array_equal(update.tensors["w"], first[1].tensors["w"])
        assert (update.retry_cid, update.retry_key) == (to_cid(first[0]["digest"]), first[0]["key"])
        assert sealed["key"] != first[0]["key"], "sealed afresh, to this cycle's committee"


def test_failure_watch__ends_for_what_failed_since_it_began(tmp_path: Path) -> None:
    desk = opened(tmp_path, [failed(cycle(1), BASE)])
    watch = FailureWatch(desk)
    watch.begin()
    watch.check()
    cast(GivenJob, desk.follower).cycles.append(failed(cycle(2), BASE))
    with pytest.raises(FatalError, match="cycle 2 of job 1 failed with your update in") as told:
        watch.check()
    assert "--keep-going" not in str(told.value)


def test_trainer__goes_on_unless_told() -> None:
    assert TrainerConfig.__dataclass_fields__["stop_after_failure"].default is False
