"""Blocks for a chain that makes none by itself: without one its time stands still, and no phase ends."""

from __future__ import annotations

import random
import time

from structlog.stdlib import BoundLogger

from hansa.protocol.types import BlockNumber, Phase
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.federation import JobState
from hansa.runtime.transactions.sender import Sender

IDLE_SECONDS = 10.0  # without a block past a deadline, after which a daemon makes one


class IdleChain:
    """Makes a block where none came for a while and this machine's clock is past what is waited for."""

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
