"""What the parts of one daemon work with: the job it follows, its journal, its ways to send, publish, wait and tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from structlog.stdlib import BoundLogger

from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import Address, CycleId, Digest, JobId
from hansa.runtime import stopping
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Federation, JobState
from hansa.runtime.chain.witness import Stance
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.journal import Journal
from hansa.runtime.log import open_log
from hansa.runtime.metrics import Metrics
from hansa.runtime.pace import Alarm, Turns
from hansa.runtime.store import open_store
from hansa.runtime.store.counted import WatchedStore
from hansa.runtime.transactions.gas_price import NO_CAPS, FeeCaps
from hansa.runtime.transactions.outcome import Sent
from hansa.runtime.transactions.sender import Mined, Outcome, Pending, Refused, Sender

NOT_YET = frozenset({"Federation_TooEarly"})
"""Refusals that the next second cures."""

SOON = 0.25  # seconds
KEPT_LEDGERS = 4  # rounds: a daemon acts on the last, and claims by all once, at the end


@dataclass(frozen=True)
class DaemonConfig:
    """What a daemon is told; one daemon a key and job.

    keep_models: models back that stay pinned; None keeps every model, for those who audit the job later, and for the
        other daemons of a node, whose pins are one set.
    keep_updates: rounds back whose updates stay pinned; None keeps all, likewise.
    max_bytes: largest model or update file that it handles.
    min_claim: seconds that a job must leave after its end to claim what it pays.
    device: where a torch module computes: auto, cpu, cuda, cuda:1 or mps.
    threads: torch threads; None leaves torch's own choice.
    validation: where a member's own rows are; None: its task knows.
    rotate_keys: whether a member announces a new encryption key for every cycle, and deletes the old ones.
    """

    deployment: Deployment
    account: LocalAccount
    journal: Path
    job: JobId
    keep_models: int | None = None
    max_bytes: int = 2**30
    min_claim: int = 3600
    device: str = "cpu"
    threads: int | None = 1
    task_file: Path | None = None
    allow: frozenset[str] = frozenset()
    log_file: Path | None = None
    caps: FeeCaps = NO_CAPS
    validation: str | None = None
    rotate_keys: bool = False
    keep_updates: int | None = None

    def sender(self, federation: Federation, journal: Journal, log: BoundLogger) -> Sender:
        """What sends for its account."""
        return Sender(federation.chain, self.account, journal, self.caps)


@dataclass
class Desk:
    """One account's place in one job.

    What it sends is logged and counted. Its files are kept in its journal, given away once, and dropped when no later
    step needs them.
    """

    me: Address
    follower: JobFollower
    journal: Journal
    sender: Sender
    metrics: Metrics
    log: BoundLogger
    alarm: Alarm = field(default_factory=Alarm)
    turns: Turns = field(default_factory=Turns)
    moment: dict[str, Any] = field(default_factory=dict)  # what every line of the log tells
    keep_updates: int | None = None
    _published: set[Digest] = field(default_factory=set)
    _tidied: CycleId | None = None
    _let_go: int = 0  # cycles whose updates need not be kept any more
    _counted: bytes = bytes(32)  # `history` up to which missed cycles are counted

    def __post_init__(self) -> None:
        self.sender.on_sign = self._signed
        self.sender.on_underpriced = self._underpriced
        self.metrics.journal.set_function(self.journal.size)

    @classmethod
    def open(cls, config: DaemonConfig, daemon: str) -> Desk:
        """Reaches chain and store, and locks the journal. WrongChain, Locked and other FatalErrors."""
        deployment, me = config.deployment, Address(config.account.address)
        metrics, moment = Metrics(), dict[str, Any]()
        log = open_log(config.log_file, moment, daemon=daemon, account=me, job=config.job)
        store = WatchedStore(open_store(deployment.store, deployment.expanded, deployment.peers), metrics, log)
        chain = Chain.of(deployment)
        federation = Federation(chain, deployment)
        federation.check()
        if (trust := chain.rpc.trusted()) is not None:
            log.info("one endpoint is trusted", said=trust)
        elif (witness := federation.witnessed_contracts()).those(Stance.DIFFERS, Stance.SILENT, Stance.SYNCING):
            log.warning("endpoints don't agree", said=str(witness))
        federation.check_terms(config.job)
        journal = Journal(config.journal, log)
        follower = JobFollower(federation, store, config.job, config.keep_models)
        follower.keep_ledgers = KEPT_LEDGERS
        follower.on_dissent = lambda said: log.warning("endpoints don't agree", said=said)
        sender = config.sender(federation, journal, log)
        keep = config.keep_updates
        return cls(me, follower, journal, sender, metrics, log, moment=moment, keep_updates=keep)

    def send(self, call: Call, *key: int | str | bytes) -> Outcome:
        """Sends `call` once for its key, however often it is asked to; logs what became of it."""
        outcome = self.sender.send(call, key=(self.follower.job, *key))
        match outcome:
            case Mined():
                self.alarm.mined = max(self.alarm.mined, outcome.block)
                self.metrics.sent.inc()
                self.metrics.gas.inc(outcome.gas_used)
                self.log.info(
                    "sent", what=call.what, transaction=outcome.hash, block=outcome.block, gas=outcome.gas_used
                )
            case Refused() if outcome.error.name in NOT_YET:
                self.alarm.look_again(SOON)
                self.log.debug("not yet", what=call.what, error=str(outcome.error))
            case Refused():
                (self.metrics.refused if outcome.simulated else self.metrics.reverted).inc()
                self.log.info("refused", what=call.what, error=str(outcome.error), simulated=outcome.simulated)
            case Pending():
                self.metrics.pending.inc()
                self.log.info("pending", what=call.what, transaction=outcome.hash)
        return outcome

    def has_published(self, digest: Digest) -> bool:
        """Whether this daemon has, since it began."""
        return digest in self._published

    def publish(self, digest: Digest) -> None:
        """Puts a file of the journal into the store, once."""
        if digest not in self._published:
            stopping.check()
            self.follower.store.put(self.journal.blob(digest))
            self._published.add(digest)
            self.log.info("published", cid=to_cid(digest))

    def tidy(self, cycle: CycleId, needed: Collection[Digest]) -> None:
        """Drops, once a cycle, the journal's files that no later step needs; entries, with their keys, stay. The store
        need not keep updates of old rounds."""
        if self._tidied != cycle:
            self._unpin_updates()
            self._tidied = cycle
            if dropped := self.journal.keep_blobs(needed):
                self.log.info("journal tidied", dropped=dropped)

    def _unpin_updates(self) -> None:
        cycles = () if self.keep_updates is None else self.follower.history().cycles
        for old in cycles[self._let_go :]:
            if old.round >= cycles[-1].round - (self.keep_updates or 0):
                return
            for submitted in old.updates:
                self.follower.store.unpin(submitted.digest)
            self._let_go += 1

    def note(self, state: JobState) -> None:
        """Tells log and metrics what is acted on."""
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
        if self._counted != self.follower.state.history:
            finalised = self.follower.history().finalised
            self.metrics.missed.set(sum(not took_part(cycle) for cycle, _ in finalised))
            self._counted = self.follower.state.history

    def working(self, kind: str) -> AbstractContextManager[None]:
        """A long step between two looks at the chain; the daemon is healthy in it up to the phase's end."""
        return self.metrics.working(kind, self.follower.state.deadline)

    @contextmanager
    def closed_on_failure(self) -> Iterator[None]:
        """Around what a daemon begins with: another try needs the journal again."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.follower.federation.chain.close()
        self.journal.close()

    def _signed(self, sent: Sent, replaces: bool) -> None:
        self.metrics.signed.inc()
        if replaces:
            self.metrics.replaced.inc()
        self.log.info("signed", what=sent.call.what, transaction=sent.hash, nonce=sent.nonce, replaces=replaces)

    def _underpriced(self, sent: Sent, reason: str) -> None:
        self.log.warning("underpriced", what=sent.call.what, transaction=sent.hash, tip=sent.offer.tip, reason=reason)
