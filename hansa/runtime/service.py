"""One process for many jobs: a daemon for each, one after the other, in one thread."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from structlog.stdlib import BoundLogger

from hansa.protocol.errors import FatalError, TransientError, WrongChain
from hansa.protocol.types import JobId
from hansa.runtime import stopping
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.daemon import FIRST_BACKOFF, Daemon, backoff
from hansa.runtime.metrics import ServiceMetrics
from hansa.runtime.metrics_server import MetricsServer
from hansa.runtime.relay.service import RelayService
from hansa.runtime.transactions.mempool import CantPay
from hansa.runtime.transactions.sender import Sender

LOOK_SECONDS = 3.0  # between two looks for jobs
LONGEST_RETRY = 600.0  # seconds before a job that can't be looked at is looked at again
LONGEST_WAIT = 30.0  # seconds before one that may have something for the account later is


class NothingYet(Exception):
    """A job has nothing for the account now, and may have later. Its text says what that depends on."""


class Catalogue(Protocol):
    """The jobs that one account may be served in."""

    @property
    def waits(self) -> bool:
        """Whether others may come, once all of these have ended."""
        ...

    def jobs(self) -> Sequence[JobId]:
        """Those that there are now, oldest first."""
        ...

    def edition(self) -> Hashable:
        """What its refusals rest on: once that changes, what was refused is looked at again."""
        ...

    def begin(self, job: JobId) -> Daemon | None:
        """A job's daemon; None for one that will never have anything for this account. NothingYet for one that may,
        FatalError for one that it refuses."""
        ...


@dataclass(frozen=True)
class _Refusal:
    """until: when a job that was served before is looked at again, monotonic; None: when the edition changes."""

    edition: Hashable
    error: FatalError
    until: float | None = None


@dataclass
class _Turn:
    """pause: seconds until it looks again without a new block. failures: in a row. rests_until: monotonic."""

    daemon: Daemon
    pause: float = 0.0
    failures: int = 0
    rests_until: float = 0.0


class Service:
    """Serves every job of a catalogue, at most `most` at a time. A job that fails keeps no other from going on."""

    def __init__(self, chain: Chain, catalogue: Catalogue, log: BoundLogger, most: int | None = None) -> None:
        self.metrics = ServiceMetrics()
        self._chain = chain
        self._catalogue = catalogue
        self._log = log
        self._most = most
        self._turns: dict[JobId, _Turn] = {}
        self._done: set[JobId] = set()
        self._refused: dict[JobId, _Refusal] = {}
        self._pauses: dict[JobId, float] = {}  # after which one that ended with an error was last looked at again
        self._retries: dict[JobId, tuple[float, float]] = {}  # when a job is looked at again, and the pause before
        self._next_look = 0.0
        self._server: MetricsServer | None = None
        self._relay: RelayService | None = None

    def serve_relay(self, where: str, federation: Federation) -> None:
        """Sends at HOST:PORT what trainers of the jobs that are served signed."""

        def sender_of(job: JobId) -> Sender:
            if job not in self._turns:
                served = ", ".join(map(str, sorted(self._turns))) or "none now"
                raise FatalError(f"job {job} is not served here", next_step=f"this relay serves {served}")
            return self._turns[job].daemon.desk.sender

        self._relay = RelayService(where, federation, sender_of, self._log)

    def serve_metrics(self, where: str) -> None:
        """As a daemon's, of all jobs."""
        self._server = MetricsServer(where, self.metrics)
        self._log.info("metrics", url=f"http://{self._server.address}/metrics")

    def run(self) -> None:
        """Serves until every job has ended and no other may come, or a signal ends it. FatalError, at last, for jobs
        that a catalogue which waits for no others could not be served in."""
        with stopping.listening(), stopping.telling(self._log.info):
            try:
                self._go_round_and_round()
            except stopping.Stopped as stopped:
                stopping.say(stopped)
                return
            finally:
                self.close()
        if self._refused:
            job, error = next((job, refusal.error) for job, refusal in self._refused.items())
            raise FatalError(f"job {job} was not served", cause=error, next_step=error.next_step) from error

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        for job in list(self._turns):
            self._drop(job)
        self._chain.close()

    def _go_round_and_round(self) -> None:
        failures = 0
        while True:
            try:
                if not self._go_round():
                    return
                failures = 0
                self._wait()
            except TransientError as error:
                failures += 1
                pause = backoff(failures)
                self._log.warning("will try again", error=str(error), seconds=round(pause, 2))
                time.sleep(pause)

    def _go_round(self) -> bool:
        """Looks at every job once, and for others when that is due; whether there is, or may come, anything to do."""
        self._chain.head()
        if self._relay is not None:
            self._relay.work()
        for job, turn in list(self._turns.items()):
            if turn.rests_until <= time.monotonic():
                self._look_after(job, turn)
        if time.monotonic() < self._next_look:
            return True
        self._next_look = time.monotonic() + LOOK_SECONDS
        left = self._take_jobs()
        self.metrics.looked = time.monotonic()
        return left or bool(self._turns) or self._catalogue.waits

    def _look_after(self, job: JobId, turn: _Turn) -> None:
        try:
            is_done = turn.daemon.once() and (self._relay is None or self._relay.relay.is_settled(job))
            turn.failures, turn.pause = 0, turn.daemon.pause
            self._pauses.pop(job, None)
            turn.daemon.desk.metrics.stand_still(None)
            if is_done:
                self._log.info("job done", job=job)
                self._done.add(job)
                self._drop(job)
        except (TransientError, CantPay) as error:  # coin may come
            turn.failures += 1
            turn.rests_until = time.monotonic() + turn.daemon.note_failure(error, turn.failures)
        except WrongChain:
            raise  # of all jobs
        except FatalError as error:
            self._give_up(job, error)

    def _take_jobs(self) -> bool:
        """Begins with the jobs that there is room for; whether some are left for later."""
        left, now = False, time.monotonic()
        for job in self._catalogue.jobs():
            if job in self._turns or job in self._done or self._is_refused(job):
                continue
            if (self._most is not None and len(self._turns) >= self._most) or self._retries.get(job, (0.0,))[0] > now:
                left = True
                continue
            left = not self._begin(job) or left
        return left

    def _begin(self, job: JobId) -> bool:
        """Whether that is decided."""
        edition = self._catalogue.edition()
        try:
            daemon = self._catalogue.begin(job)
        except TransientError as error:
            pause = self._look_later(job, LONGEST_RETRY)
            self._log.warning("job can't be looked at yet", job=job, error=str(error), seconds=pause)
            return False
        except NothingYet as found:
            if job not in self._retries:
                self._log.info("nothing to do in a job yet", job=job, reason=str(found))
            self._look_later(job, LONGEST_WAIT)
            return False
        except WrongChain:
            raise
        except FatalError as error:
            self._refuse(job, error, edition)
            return True
        self._retries.pop(job, None)
        self._refused.pop(job, None)
        if daemon is None:
            self._done.add(job)
            return True
        self._log.info("serving job", job=job)
        self._turns[job] = _Turn(daemon)
        self.metrics.by_job[job] = daemon.desk.metrics
        self._introduce()
        return True

    def _look_later(self, job: JobId, longest: float) -> float:
        """Seconds after which a job is looked at again: twice as many as the last time."""
        pause = min(longest, 2 * self._retries.get(job, (0.0, FIRST_BACKOFF))[1])
        self._retries[job] = (time.monotonic() + pause, pause)
        return pause

    def _is_refused(self, job: JobId) -> bool:
        refusal = self._refused.get(job)
        if refusal is None or refusal.edition != self._catalogue.edition():
            return False
        return refusal.until is None or not self._catalogue.waits or time.monotonic() < refusal.until

    def _refuse(self, job: JobId, error: FatalError, edition: Hashable, until: float | None = None) -> None:
        before = self._refused.get(job)
        if before is None or str(before.error) != str(error):
            self._log.error("job not served", job=job, reason=str(error))
        self._refused[job] = _Refusal(edition, error, until)

    def _give_up(self, job: JobId, error: FatalError) -> None:
        """Until a while later, or until the edition changes. Its metrics stay, and say that it stands still."""
        metrics = self._turns[job].daemon.desk.metrics
        self._pauses[job] = min(LONGEST_RETRY, 2 * self._pauses.get(job, LONGEST_WAIT / 2))
        self._refuse(job, error, self._catalogue.edition(), time.monotonic() + self._pauses[job])
        self._drop(job)
        metrics.stand_still(str(error))
        self.metrics.by_job[job] = metrics

    def _drop(self, job: JobId) -> None:
        self._turns.pop(job).daemon.close()
        self.metrics.by_job.pop(job, None)
        self._introduce()

    def _introduce(self) -> None:
        """Tells the senders, which are of one account, of each other."""
        senders = [turn.daemon.desk.sender for turn in self._turns.values()]
        for sender in senders:
            sender.peers = senders

    def _wait(self) -> None:
        """Until another block may be there, or something is due without one."""
        now = time.monotonic()
        due = [max(turn.pause, turn.rests_until - now) for turn in self._turns.values()]
        self._chain.wait(max(0.0, min([*due, self._next_look - now])))
