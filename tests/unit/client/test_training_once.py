"""Training need not come out twice the same: what it came to once is journalled, and sent however often it is asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import structlog
from desks import GivenJob, desk_of

from client import training
from client.submit import Submitter
from hansa.protocol import tensors
from hansa.protocol.model import initial_model
from hansa.protocol.types import Digest
from hansa.runtime.desk import Desk
from hansa.tasks.base import Params, Progress, Trained

BASE = Digest(b"base" * 8)
SPEC = SimpleNamespace(task="restless", steps=3, seed=1, loss_threshold=None, shares=0)
MODEL = initial_model({"w": np.zeros(12, np.float32)}, 8)


class Stopped(BaseException):
    pass


class Restless:
    """Comes to other numbers every time, as on a GPU; may be stopped half-way."""

    name = "restless"
    stops = 0

    def __init__(self) -> None:
        self.runs = 0
        self.on_progress: Any = lambda progress: None

    def train(self, params: Params, data: Any, *, steps: int, loss_threshold: float | None, seed: int) -> Trained:
        self.runs += 1
        for step in range(1, steps + 1):
            self.on_progress(Progress(step, steps, 0.5, 10.0))
            if self.runs <= self.stops:
                raise Stopped
        return Trained({"w": params["w"] + np.float32(self.runs / 16)}, steps, 0.5)


def opened(path: Path, log: Any = None) -> Desk:
    follower = GivenJob(path, context=SimpleNamespace(spec=SPEC))
    follower.state = cast(Any, SimpleNamespace(deadline=0))
    return desk_of(path, follower, log=log)


def integers(desk: Desk, task: Restless) -> list[int]:
    found = Submitter(desk, cast(Any, task), cast(Any, [])).train(BASE, MODEL)
    return [int(value) for value in tensors.decode(desk.journal.blob(found))[0]["w"]]


def test_integers__once_made__are_those_of_every_later_submission(tmp_path: Path) -> None:
    task, desk = Restless(), opened(tmp_path)
    first = integers(desk, task)
    assert first == integers(desk, task) == [16] * 12
    desk.close = None  # type: ignore[assignment, method-assign]
    desk.journal.close()
    assert integers(opened(tmp_path), task) == first, "after a crash too"
    assert task.runs == 1


def test_training__stopped_half_way__journals_nothing_and_trains_again(tmp_path: Path) -> None:
    task, desk = Restless(), opened(tmp_path)
    task.stops, heard = 1, task.on_progress
    with pytest.raises(Stopped):
        integers(desk, task)
    assert desk.journal.recall((1, "integers", BASE)) is None
    assert task.on_progress is heard
    assert integers(desk, task) == [32] * 12
    assert task.runs == 2


def test_training__tells_the_log_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    with structlog.testing.capture_logs() as lines:
        integers(opened(tmp_path, structlog.get_logger()), Restless())
    told = [line for line in lines if line["event"] == "training"]
    assert [(line["step"], line["of"], line["round"]) for line in told] == [(1, 3, 1), (2, 3, 1), (3, 3, 1)]
    assert told[0]["loss"] == 0.5 and told[0]["steps_per_second"] == 10.0
    assert lines[-1]["event"] == "trained"
