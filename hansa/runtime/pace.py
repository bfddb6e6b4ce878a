"""The pace of a daemon: when it looks at the chain again, whose turn it is, and blocks for a chain that makes none."""

from __future__ import annotations

import random
import time

from structlog.stdlib import BoundLogger

from hansa.protocol.types import BlockNumber, Phase, Timestamp
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.federation import JobState
from hansa.runtime.transactions.sender import Sender

LONGEST_WAIT = 2.0  # seconds without asking the chain again
TURN_SECONDS = 1.5  # that each account leaves those before it to do what anyone may do
CROWD_SECONDS = 0.03  # between two looks at a phase in which several others have yet to act
QUIET_SECONDS = 0.25  # between two looks at phases in which others act
IDLE_SECONDS = 10.0  # without a block past a deadline, after which a daemon makes one


class Alarm:
    """When a daemon looks at the chain again, beside whenever a block comes. Set between two looks, reset at each."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.awaited = Timestamp(0)  # a time of the chain that is waited for, beside the phase's deadline
        self.pause = LONGEST_WAIT  # seconds
        self.mined = 0  # the newest block with a transaction of this daemon
        self.rest = 0.0  # seconds in which blocks wake nobody

    def look_again(self, seconds: float) -> None:
        """Lets the next look come within so many seconds, whether or not there is a block."""
        self.pause = min(self.pause, seconds)


class Turns:
    """Turns at what anyone may do, so that not everybody does it at once.

    Counts from when this daemon first saw the present phase, by this machine's clock.
    """

    def __init__(self) -> None:
        self._moment: tuple[int, ...] = ()
        self._since = 0.0  # monotonic

    def note(self, state: JobState) -> bool:
        """Whether `state` is in another phase, or another attempt at it, than the last one noted."""
        moment = (state.cycle, state.phase, state.failures)
        if moment == self._moment:
            return False
        self._moment, self._since = moment, time.monotonic()
        return True

    @property
    def waited(self) -> float:
        """Seconds in this phase."""
        return time.monotonic() - self._since

    def has_come(self, place: int, within: float) -> bool:
        """Whether it is the turn of whoever has `place` to do what anyone may do within so many seconds: those in
        earlier places are left some time, but a third of it at most."""
        return self.waited >= min(TURN_SECONDS * place, within / 3)


class IdleChain:
    """Makes a block where none came for a while and this machine's clock is past what is waited for: without one the
    time of a chain that makes none by itself stands still, and no phase ends."""

    def __init__(self, sender: Sender, log: BoundLogger) -> None:
        self._sender = sender
        self._log = log
        self._last: tuple[BlockNumber, float] = (BlockNumber(-1), time.monotonic())
        self._patience = IDLE_SECONDS * random.uniform(1.0, 1.2)

    def keep_moving(self, head: Block, state: JobState, awaited: int) -> None:
        """awaited: a time of the chain, beside the phase's deadline, that something waits for; 0: none."""
        now = time.monotonic()
        if head.number != self._last[0]:
            self._last = (head.number, now)
            return
        until = min(filter(None, (state.deadline, awaited)), default=0)
        if until and time.time() > until and now - self._last[1] > self._patience:
            self._log.info("no block came: making one", phase=Phase(state.phase).name)
            self._sender.poke()
            self._last = (head.number, now)
