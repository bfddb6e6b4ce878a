"""The daemon: ask the chain what is due, do that one thing, wait for a block. The chain is its memory."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod

from hansa.protocol.errors import FatalError, HansaError, TransientError
from hansa.protocol.types import JobId
from hansa.runtime import stopping
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import DaemonConfig, Desk
from hansa.runtime.memory import give_back_large
from hansa.runtime.metrics_server import MetricsServer
from hansa.runtime.pace import IdleChain
from hansa.runtime.relay.service import RelayService
from hansa.runtime.transactions.sender import Sender

FIRST_BACKOFF, LONGEST_BACKOFF = 0.25, 30.0  # seconds


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    longest: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 10))
    return longest * random.uniform(0.5, 1.0)


class Daemon(ABC):
    """One key's part in one job. Subclasses say what is due in `act`; nothing is decided on a remembered phase."""

    def __init__(self, config: DaemonConfig) -> None:
        give_back_large()
        self.desk = Desk.open(config, type(self).__name__.lower())
        self._idle_chain = IdleChain(self.desk.sender, self.desk.log)
        self._metrics_server: MetricsServer | None = None
        self.relay: RelayService | None = None
        self._done: int | None = None  # the block since which nothing is left to do

    @abstractmethod
    def act(self, state: JobState) -> bool:
        """Does the one thing that is due at the follower's head. True: nothing ever will be again."""

    def serve_metrics(self, where: str) -> None:
        """Answers /metrics and /healthz at HOST:PORT until `close`; port 0 is any that is free. FatalError if taken."""
        self._metrics_server = MetricsServer(where, self.desk.metrics)
        self.desk.log.info("metrics", url=f"http://{self._metrics_server.address}/metrics")

    def serve_relay(self, where: str) -> None:
        """Sends at HOST:PORT, until `close`, what trainers of the job signed. FatalError if taken."""
        desk, job = self.desk, self.desk.follower.job

        def sender_of(number: JobId) -> Sender:
            if number != job:
                raise FatalError(f"job {number} is not served here", next_step=f"this relay serves job {job}")
            return desk.sender

        self.relay = RelayService(where, desk.follower.federation, sender_of, desk.log)

    def run(self) -> None:
        """Acts until the job needs this daemon no more, or a signal ends it. FatalError propagates."""
        with stopping.listening(), stopping.telling(self.desk.log.info):
            try:
                self._act_again_and_again()
            except stopping.Stopped as stopped:
                stopping.say(stopped)
            finally:
                self.close()

    def _act_again_and_again(self) -> None:
        failures = 0
        while True:
            try:
                if self.once():
                    return
                failures = 0
                self._wait()
            except TransientError as error:
                failures += 1
                time.sleep(self.note_failure(error, failures))

    def once(self) -> bool:
        """One cycle: the head, the job's state at it, whatever is due. True when all is done, `confirmations` deep."""
        desk = self.desk
        state = desk.follower.look()
        self._idle_chain.keep_moving(desk.follower.head, state, desk.alarm.awaited)
        desk.alarm.reset()
        desk.sender.tend()
        desk.note(state)
        if self.relay is None:
            return self._stays_done(self.act(state))
        self.relay.work()
        return self._stays_done(self.act(state)) and self.relay.relay.is_settled(desk.follower.job)

    def _stays_done(self, is_done: bool) -> bool:
        """Whether nothing is left to do since so many blocks that no reorganisation is expected to bring some back."""
        follower = self.desk.follower
        if not is_done or follower.federation.chain.confirmations == 0:
            self._done = None
            return is_done
        if self._done is None:
            self._done = max(follower.head.number, self.desk.alarm.mined)
        return follower.deep_block().number >= self._done

    def close(self) -> None:
        if self._metrics_server is not None:
            self._metrics_server.close()
            self._metrics_server = None
        if self.relay is not None:
            self.relay.close()
            self.relay = None
        self.desk.close()

    def _wait(self) -> None:
        """Until another block may be there."""
        alarm = self.desk.alarm
        if self.pause > alarm.rest > 0:
            time.sleep(alarm.rest)
        self.desk.follower.federation.chain.wait(self.pause)

    @property
    def pause(self) -> float:
        """Seconds after which it looks again without a new block: none where this daemon has just made one."""
        alarm = self.desk.alarm
        return 0.0 if alarm.mined > self.desk.follower.head.number else alarm.pause

    def note_failure(self, error: HansaError, failures: int) -> float:
        """Logs and counts it; how long to wait, in seconds: the longer, the more failures in a row there were."""
        self.desk.metrics.failed(str(error))
        if not isinstance(error, TransientError):
            self.desk.metrics.stand_still(str(error))
        pause = backoff(failures)
        self.desk.log.warning("will try again", error=str(error), seconds=round(pause, 2))
        return pause
