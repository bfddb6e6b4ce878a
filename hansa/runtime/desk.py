"""What the parts of one daemon work with: the job it follows, its journal, its ways to send, publish, wait and tell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from eth_account.signers.local import LocalAccount
from structlog.stdlib import BoundLogger

from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import Address, JobId
from hansa.runtime.alarm import Alarm
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Federation, JobState
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.journal import Journal
from hansa.runtime.log import open_log
from hansa.runtime.metrics import Metrics
from hansa.runtime.outbox import Outbox
from hansa.runtime.publisher import Publisher
from hansa.runtime.store import open_store
from hansa.runtime.store.counted import WatchedStore
from hansa.runtime.transactions.sender import FeeCaps, Sender
from hansa.runtime.turns import Turns


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
    @property
    def caps(self) -> FeeCaps: ...


@dataclass
class Desk:
    """One account's place in one job."""

    me: Address
    follower: JobFollower
    journal: Journal
    outbox: Outbox
    publisher: Publisher
    metrics: Metrics
    log: BoundLogger
    alarm: Alarm = field(default_factory=Alarm)
    turns: Turns = field(default_factory=Turns)
    moment: dict[str, Any] = field(default_factory=dict)  # what every line of the log tells
    _counted: bytes = bytes(32)  # last result up to which missed cycles are counted

    @classmethod
    def open(cls, config: DaemonConfig, daemon: str, keep_models: int | None = None) -> Desk:
        """Reaches chain and store, and locks the journal. WrongChain, Locked and other FatalErrors."""
        deployment, me = config.deployment, Address(config.account.address)
        metrics, alarm, moment = Metrics(), Alarm(), dict[str, Any]()
        log = open_log(config.log_file, moment, daemon=daemon, account=me, job=config.job)
        store = WatchedStore(open_store(deployment.store, deployment.expanded), metrics, log)
        chain = Chain.of(deployment)
        federation = Federation(chain, deployment)
        federation.check()
        if (trust := chain.rpc.trusted()) is not None:
            log.info("one endpoint is trusted", said=trust)
        journal = Journal(config.journal, log)
        follower = JobFollower(federation, store, config.job, keep_models)
        follower.on_dissent = lambda said: log.warning("endpoints don't agree", said=said)
        return cls(
            me,
            follower,
            journal,
            Outbox(Sender(chain, config.account, journal, config.caps), config.job, alarm, metrics, log),
            Publisher(journal, store, log),
            metrics,
            log,
            alarm,
            moment=moment,
        )

    def note(self, state: JobState) -> None:
        """Tells log and metrics what is acted on."""
        self.metrics.journal.set(self.journal.size())
        head = self.follower.head
        self.metrics.seen(
            job=self.follower.job,
            round_=state.round,
            phase=state.phase,
            deadline=state.deadline,
            block=head.number,
            timestamp=head.timestamp,
        )
        self.moment.update(round=state.round, cycle=cycle_counter(state.cycle))

    def count_missed(self, took_part: Callable[[CycleRecord], bool]) -> None:
        """Counts, after every finalised round, the cycles in which this account did not do what it was there for."""
        if self._counted != self.follower.state.last_result:
            finalised = self.follower.history().finalised
            self.metrics.missed.set(sum(not took_part(cycle) for cycle, _ in finalised))
            self._counted = self.follower.state.last_result

    def working(self, kind: str) -> AbstractContextManager[None]:
        """A long step between two looks at the chain; the daemon is healthy in it up to the phase's end."""
        return self.metrics.working(kind, self.follower.state.deadline)

    def close(self) -> None:
        self.follower.federation.chain.close()
        self.journal.close()
