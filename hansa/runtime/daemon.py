"""The daemon: ask the chain what is due, do that one thing, wait for a block. The chain is its memory."""

from __future__ import annotations

import random
import signal
import threading
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import Protocol

from eth_account.signers.local import LocalAccount

from hansa.protocol.errors import TransientError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import Address, JobId, Phase, Timestamp
from hansa.runtime.chain.client import Block, Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Call, Federation, JobState
from hansa.runtime.journal import Journal
from hansa.runtime.log import open_log
from hansa.runtime.metrics import Endpoint, Metrics
from hansa.runtime.store import Store, open_store
from hansa.runtime.store.counted import WatchedStore
from hansa.runtime.transactions.outcome import Sent
from hansa.runtime.transactions.sender import Mined, Outcome, Pending, Refused, Sender

IDLE_SECONDS = 10.0  # without a block past a deadline, after which a daemon makes one
LONGEST_WAIT = 2.0  # seconds without asking the chain again
LISTEN_SECONDS = 0.25  # between looks whether a signal came
FIRST_BACKOFF, LONGEST_BACKOFF = 0.25, 30.0  # seconds


class DaemonConfig(Protocol):
    """What every daemon is told."""

    @property
    def deployment(self) -> Deployment: ...
    @property
    def account(self) -> LocalAccount: ...
    @property
    def journal(self) -> Path: ...
    @property
    def job(self) -> JobId: ...
    @property
    def log_file(self) -> Path | None: ...


class Daemon(ABC):
    """One key's part in one job. Subclasses say what is due in `act`; nothing is decided on a remembered phase."""

    head: Block
    state: JobState

    def __init__(self, config: DaemonConfig) -> None:
        deployment = config.deployment
        self.job = config.job
        self.me = Address(config.account.address)
        self.metrics = Metrics()
        self._log = open_log(config.log_file, daemon=type(self).__name__.lower(), account=self.me, job=self.job)
        self.log = self._log
        self.store: Store = WatchedStore(open_store(deployment.store), self.metrics, lambda: self.log)
        self.chain = Chain.of(deployment)
        self.federation = Federation(self.chain, deployment)
        self.federation.check()
        self.journal = Journal(config.journal)
        self.sender = Sender(self.chain, config.account, self.journal)
        self.sender.on_sign = self._signed
        self._endpoint: Endpoint | None = None
        self.awaited = Timestamp(0)  # a time of the chain that `act` waits for, beside the phase's deadline
        self._stopping = False
        self._last_block = (-1, time.monotonic())
        self._patience = IDLE_SECONDS * random.uniform(1.0, 1.2)
        self._deep: tuple[bytes, JobState] | None = None
        self._made_block = False
        self._pause = LONGEST_WAIT

    @abstractmethod
    def act(self, state: JobState) -> bool:
        """Does the one thing that is due at `self.head`. True: nothing ever will be again."""

    def serve_metrics(self, where: str) -> None:
        """Answers /metrics and /healthz at HOST:PORT until `close`; port 0 is any that is free. FatalError if taken."""
        self._endpoint = Endpoint(where, self.metrics)
        self.log.info("metrics", url=f"http://{self._endpoint.address}/metrics")

    def run(self) -> None:
        """Acts until the job needs this daemon no more, or a signal ends it. FatalError propagates."""
        self._catch_signals()
        failures = 0
        try:
            while not self._stopping:
                try:
                    if self.once():
                        return
                    failures = 0
                    self._wait()
                except TransientError as error:
                    failures += 1
                    self.metrics.failed(str(error))
                    pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0)
                    self.log.warning("will try again", error=str(error), seconds=round(pause, 2))
                    self._sleep(pause)
        finally:
            self.close()

    def once(self) -> bool:
        """One cycle: the head, the job's state at it, whatever is due. True when all is done."""
        self._made_block, self._pause = False, LONGEST_WAIT
        self.head = self.chain.head()
        state = self.federation.state(self.job, self.head)
        self._keep_chain_moving(state)
        self.awaited = Timestamp(0)
        self.sender.tend()
        self.observe(state)
        self.before(state)
        return self.act(state)

    def observe(self, state: JobState) -> None:
        """Notes the state that this cycle of the daemon acts on."""
        self.state = state
        self.metrics.seen(
            job=self.job,
            round_=state.round,
            phase=state.phase,
            deadline=state.deadline,
            block=self.head.number,
            timestamp=self.head.timestamp,
        )
        if self._endpoint is not None:
            self.metrics.journal.set(self.journal.size())
        self.log = self._log.bind(round=state.round, cycle=cycle_counter(state.cycle))

    def working(self, kind: str) -> AbstractContextManager[None]:
        """A long step between two looks at the chain; the daemon is healthy in it up to the phase's end."""
        return self.metrics.working(kind, self.state.deadline)

    def before(self, state: JobState) -> None:
        """What is done whether or not this daemon's own part can be."""
        return

    def send(self, call: Call, *key: int | str | bytes) -> Outcome:
        """Sends `call` once for its key, however often it is asked to; logs what became of it."""
        outcome = self.sender.send(call, key=(self.job, *key))
        match outcome:
            case Mined():
                self._made_block |= outcome.block > self.head.number
                self.metrics.sent.inc()
                self.metrics.gas.inc(outcome.gas_used)
                self.log.info(
                    "sent",
                    what=call.what,
                    transaction=outcome.hash,
                    block=outcome.block,
                    gas=outcome.gas_used,
                )
            case Refused():
                (self.metrics.refused if outcome.simulated else self.metrics.reverted).inc()
                self.log.info("refused", what=call.what, error=str(outcome.error), simulated=outcome.simulated)
            case Pending():
                self.metrics.pending.inc()
                self.log.info("pending", what=call.what, transaction=outcome.hash)
        return outcome

    def _signed(self, sent: Sent, replaces: bool) -> None:
        self.metrics.signed.inc()
        if replaces:
            self.metrics.replaced.inc()
        self.log.info("signed", what=sent.call.what, transaction=sent.hash, nonce=sent.nonce, replaces=replaces)

    def settled(self, state: JobState) -> bool:
        """Whether the block that began this phase is `confirmations` deep: then what it allows can't be taken back."""
        deep = self.deep()
        return deep.cycle == state.cycle and deep.phase == state.phase

    def deep(self) -> JobState:
        """The job's state `confirmations` blocks below the head."""
        if self.chain.confirmations == 0:
            return self.state
        if self._deep is None or self._deep[0] != self.head.hash:
            below = self.chain.below(self.head, self.chain.confirmations)
            self._deep = (self.head.hash, self.federation.state(self.job, below))
        return self._deep[1]

    def look_again(self, seconds: float) -> None:
        """Lets the next cycle come within so many seconds, whether or not there is a block."""
        self._pause = min(self._pause, seconds)

    def stop(self) -> None:
        """Ends `run` within a fraction of a second; safe in a signal handler."""
        self._stopping = True

    def close(self) -> None:
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None
        self.chain.close()
        self.journal.close()

    def _wait(self) -> None:
        """Until another block may be there: at once where this daemon has just made one."""
        deadline = time.monotonic() + (0.0 if self._made_block else self._pause)
        while (left := deadline - time.monotonic()) > 0 and not self._stopping:
            if self.chain.wait(min(left, LISTEN_SECONDS)):
                return

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopping:
            time.sleep(min(left, LISTEN_SECONDS))

    def _keep_chain_moving(self, state: JobState) -> None:
        """An idle chain's time stands still; past a deadline by this machine's clock, it gets a block."""
        now = time.monotonic()
        if self.head.number != self._last_block[0]:
            self._last_block = (self.head.number, now)
            return
        awaited = min(filter(None, (state.deadline, self.awaited)), default=0)
        if awaited and time.time() > awaited and now - self._last_block[1] > self._patience:
            self.log.info("no block came: making one", phase=Phase(state.phase).name)
            self.sender.poke()
            self._last_block = (self.head.number, now)

    def _catch_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def stop(number: int, frame: FrameType | None) -> None:
            self.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
