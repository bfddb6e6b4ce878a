"""Two parts of one account in one job, in one process: each knows of the other's transactions, and of its nonces."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hansa.protocol.errors import TransientError
from hansa.runtime import stopping
from hansa.runtime.daemon import Daemon


class Pair:
    """Daemons of one account that take turns. Each keeps its own journal: its lock keeps a second process away."""

    def __init__(self, daemons: Sequence[Daemon]) -> None:
        self._daemons = list(daemons)
        self._failures = [0] * len(self._daemons)
        self._rests = [0.0] * len(self._daemons)  # until when a daemon that failed is left alone, monotonic seconds
        senders = [daemon.desk.sender for daemon in self._daemons]
        for sender in senders:
            sender.peers = senders

    def serve_metrics(self, where: str) -> None:
        """As a daemon's, of the first."""
        self._daemons[0].serve_metrics(where)

    def run(self) -> None:
        """Acts until the job needs none of them any more, or a signal ends it. FatalError propagates."""
        told = self._daemons[0].desk
        with stopping.listening(), stopping.telling(told.log.info):
            try:
                while not self.once():
                    told.follower.federation.chain.wait(self._pause())
            except stopping.Stopped as stopped:
                stopping.say(stopped)
            finally:
                self.close()

    def once(self) -> bool:
        """One cycle of each; True when all is done."""
        done = []
        for place, daemon in enumerate(self._daemons):
            if self._rests[place] > time.monotonic():
                done.append(False)
                continue
            try:
                done.append(daemon.once())
                self._failures[place] = 0
            except TransientError as error:
                self._failures[place] += 1
                self._rests[place] = time.monotonic() + daemon.note_failure(error, self._failures[place])
                done.append(False)
        return all(done)

    def close(self) -> None:
        for daemon in self._daemons:
            daemon.close()

    def _pause(self) -> float:
        return min(daemon.pause for daemon in self._daemons)
