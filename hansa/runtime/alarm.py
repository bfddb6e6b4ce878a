"""When a daemon looks at the chain again, beside whenever a block comes."""

from __future__ import annotations

from hansa.protocol.types import Timestamp

LONGEST_WAIT = 2.0  # seconds without asking the chain again


class Alarm:
    """Set by whatever a daemon does between two looks, and reset at each."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.awaited = Timestamp(0)  # a time of the chain that is waited for, beside the phase's deadline
        self.pause = LONGEST_WAIT  # seconds
        self.mined = 0  # the newest block with a transaction of this daemon

    def look_again(self, seconds: float) -> None:
        """Lets the next look come within so many seconds, whether or not there is a block."""
        self.pause = min(self.pause, seconds)
