"""What a part of a daemon works with, where there is no chain: a job whose cycles are given, a journal and a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import structlog

from hansa.protocol.types import Address, CycleId, JobId, Phase
from hansa.runtime.desk import Desk
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import JobHistory
from hansa.runtime.journal import Journal
from hansa.runtime.metrics import Metrics
from hansa.runtime.store.local import LocalStore

ME = Address("0x" + "a1" * 20)
JOB = JobId(1)


class GivenJob(JobFollower):
    """A job of these cycles. context: terms and spec. deep: the cycle and phase that are `confirmations` deep."""

    def __init__(
        self, path: Path, cycles: Sequence[Any] = (), context: Any = None, deep: tuple[CycleId, Phase] | None = None
    ) -> None:
        super().__init__(
            cast(Any, SimpleNamespace(chain=SimpleNamespace(close=lambda: None))), LocalStore(path / "store"), JOB
        )
        self.context = context
        self.cycles = list(cycles)
        self._given_deep = deep

    def history(self) -> JobHistory:
        return JobHistory(JOB, cast(Any, None), (), tuple(self.cycles), (), None)

    def is_agreed(self) -> bool:
        return True

    def deep(self) -> Any:
        assert self._given_deep is not None
        return SimpleNamespace(cycle=self._given_deep[0], phase=self._given_deep[1])


def desk_of(path: Path, follower: JobFollower | None = None, send: Any = None, log: Any = None) -> Desk:
    """send: what becomes of a call, by the call and its key."""
    log = log or structlog.stdlib.get_logger()
    found, journal = follower or GivenJob(path), Journal(path / "journal")
    desk = Desk(ME, found, journal, cast(Any, SimpleNamespace(pays=True)), Metrics(), log)
    desk.send = send  # type: ignore[method-assign]
    return desk
