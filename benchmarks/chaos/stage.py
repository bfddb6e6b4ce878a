"""One job, played with what its plan does to it: faults begin and end by the chain's blocks, whoever died is started
again, and where only the dead are waited for, time jumps."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.chaos import faults
from benchmarks.chaos.lab import LONG, ChaosFederation
from benchmarks.chaos.plan import DAEMON_KILLED, DEAD, DISK, KILL, KILL_AT, POWER, REORGANISATION, Fault
from hansa.devnet.anvil import rpc, rpc_batch
from hansa.protocol.errors import TransientError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import Phase
from hansa.runtime.chain.structs import JobState

TICK: Final = 0.03  # seconds between two looks
MINE: Final = 0.3  # seconds without a block after which one is made, where steps wait for some
PERIOD: Final = 1.0  # the same, elsewhere
PATIENCE: Final = 240  # blocks, and seconds, without anything useful and without a fault, after which a job is stuck
QUIET: Final = 3  # blocks without anything useful after which it is asked who is waited for
AGAIN: Final = 2  # blocks until a daemon that ended by its own fault is started again


@dataclass
class Recovery:
    """From the block in which a fault was over to the next useful transaction: of anybody, and of its own target."""

    kind: str
    target: str
    since: int
    moment: float
    anybody: int | None = None
    own: int | None = None
    seconds: float | None = None  # to the useful transaction of anybody


@dataclass
class Running:
    """A fault that has begun, and the block at which it is over."""

    fault: Fault
    until: int


@dataclass
class Stage:
    lab: ChaosFederation
    injected: Counter[str] = field(default_factory=Counter)
    recoveries: list[Recovery] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)  # daemons that ended by themselves with a code, and what they said
    dead: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._coming = sorted(self.lab.plan.faults, key=lambda fault: fault.at)
        self._running: list[Running] = []
        self._restarts: dict[str, int] = {}  # block by daemon
        self._without_room: set[str] = set()  # daemons whose disk was full: they may end by that
        self._killed: dict[str, str] = {}  # kind of the fault by daemon that is to be started again
        self._head = self.lab.first
        self._note_progress(self.lab.first)  # the block, and the moment, of the last useful transaction
        self._mined = time.monotonic()
        self._names = {address.lower(): name for address, name in self.lab.known_as.items()}
        self._ours = {str(c).lower() for c in (self.lab.session.federation.address, self.lab.session.federation.vault)}

    def play(self) -> None:
        """Returns when everybody has left the job, or when it is stuck."""
        for name in self.lab.workers:
            self.lab.start(name)
        while not self._is_stuck():
            with contextlib.suppress(TransientError):  # the chain is slow to answer, where the machine is busy
                self._look()
                self._act()
                if self._all_left() and self.lab.state().phase.is_over:
                    break
            time.sleep(TICK)
        for one in list(self._running):
            self._end(one)

    @property
    def blocks(self) -> int:
        """Since the job was posted."""
        return self._head - self.lab.first

    def alive(self) -> list[str]:
        """Daemons that have not ended well, but for those that are dead for good."""
        return [n for n, w in self.lab.workers.items() if n not in self.dead and (w.alive or w.exit_code != 0)]

    # --- watching

    def _look(self) -> None:
        """Goes through the blocks that have come."""
        url = self.lab.anvil.url
        newest = int(rpc(url, "eth_blockNumber"), 16)
        if newest == self._head and time.monotonic() > self._mined + (MINE if self.lab.plan.confirmations else PERIOD):
            rpc(url, "evm_mine")
            newest += 1
        if newest <= self._head:
            return
        numbers = range(self._head + 1, newest + 1)
        asked = [("eth_getBlockReceipts", [hex(number)]) for number in numbers]
        for number, receipts in zip(numbers, rpc_batch(url, asked), strict=True):
            for receipt in receipts or []:
                if receipt["status"] == "0x1" and (receipt["to"] or "") in self._ours:
                    self._note_useful(number, self._names.get(receipt["from"], ""))
        self._head, self._mined = newest, time.monotonic()

    def _is_stuck(self) -> bool:
        if self._running or self._killed:  # not who ends again and again
            self._note_progress(self._head)
        block, moment = self._progress
        return self._head > block + PATIENCE and time.monotonic() > moment + PATIENCE

    def _note_progress(self, block: int) -> None:
        self._progress = (block, time.monotonic())

    def _note_useful(self, block: int, by: str) -> None:
        self._note_progress(block)
        for one in self.recoveries:
            if block > one.since:
                if one.anybody is None:
                    one.anybody, one.seconds = block - one.since, time.monotonic() - one.moment
                if by == one.target and one.own is None:
                    one.own = block - one.since

    def _all_left(self) -> bool:
        return not self._restarts and not self.alive()

    # --- acting

    def _act(self) -> None:
        offset = self._head - self.lab.first
        while self._coming and self._coming[0].at <= offset:
            self._begin(self._coming.pop(0))
        for one in [one for one in self._running if self._head >= one.until]:
            self._end(one)
        self._look_after()
        if self.dead and self._head > self._progress[0] + QUIET:
            self._hurry()

    def _begin(self, fault: Fault) -> None:
        if any(one.fault.kind == fault.kind and one.fault.target == fault.target for one in self._running):
            return
        living = [name for name, worker in self.lab.workers.items() if worker.alive]
        if not faults.begin(self.lab, fault):
            return
        self.injected[fault.kind] += fault.kind != KILL_AT
        match fault.kind:
            case _ if fault.kind == REORGANISATION:
                self._recovering(fault.kind, "")
                self._note_progress(self._head)
                self._call_back()
            case _ if fault.kind == DEAD:
                self.dead.add(fault.target)
                self._restarts.pop(fault.target, None)
                self._killed.pop(fault.target, None)
                self.injected[DAEMON_KILLED] += 1
            case _ if fault.kind in (KILL, POWER):
                for name in living if fault.kind == POWER else [fault.target]:
                    self._note_kill(name, fault)
            case _:
                self._without_room |= {fault.target} if fault.kind == DISK else set()
                self._running.append(Running(fault, self._head + self._length(fault)))

    def _note_kill(self, name: str, fault: Fault) -> None:
        self.injected[DAEMON_KILLED] += 1
        if name not in self.dead:
            self._killed[name], self._restarts[name] = fault.kind, self._head + fault.lasts

    def _call_back(self) -> None:
        """Whoever had left a job that a reorganisation changes looks at it once more."""
        for name, worker in self.lab.workers.items():
            if worker.exit_code == 0:
                self.lab.start(name)

    @staticmethod
    def _length(fault: Fault) -> int:
        """In blocks: who is to die at a place in the code has some time to come there."""
        return 20 + fault.lasts if fault.kind == KILL_AT else fault.lasts

    def _end(self, one: Running) -> None:
        self._running.remove(one)
        did = faults.end(self.lab, one.fault)
        if one.fault.kind == KILL_AT:
            if did:  # it has just died there
                self.injected[KILL_AT] += 1
                self._note_kill(one.fault.target, one.fault)
            return
        if not did and one.fault.kind not in (DISK,):
            self.injected[one.fault.kind] -= 1
            return
        self._recovering(one.fault.kind, one.fault.target)

    def _recovering(self, kind: str, target: str) -> None:
        self.recoveries.append(Recovery(kind, target, self._head, time.monotonic()))

    def _look_after(self) -> None:
        """Starts whoever died again, when it is time to."""
        for name, worker in self.lab.workers.items():
            if worker.exit_code == 0:  # it ended well in the moment that it was to be killed
                self._restarts.pop(name, None)
                self._killed.pop(name, None)
            if worker.alive or name in self.dead or worker.exit_code in (None, 0):
                continue
            if name not in self._restarts:
                self._note_end(name)
            elif self._head >= self._restarts[name] and not self._has_full_disk(name):
                del self._restarts[name]
                self.lab.start(name)
                self._recovering(self._killed.pop(name, "ended"), name)

    def _note_end(self, name: str) -> None:
        """It met its place to die, or ended by itself."""
        worker = self.lab.workers[name]
        sentence = next((one for one in self._running if one.fault.kind == KILL_AT and one.fault.target == name), None)
        if worker.exit_code == -9 and sentence is not None:
            self._running.remove(sentence)
            self.injected[KILL_AT] += 1
            self._note_kill(name, sentence.fault)
            return
        if name not in self._without_room:
            self.ended.append(f"{name}: {worker.exit_code}: {worker.last_words()[:400]}")
        self._restarts[name] = self._head + AGAIN

    def _has_full_disk(self, name: str) -> bool:
        return any(one.fault.kind == DISK and one.fault.target == name for one in self._running)

    def _hurry(self) -> None:
        """Ends a phase in which all who live have done what they can, or the tenth of OPEN in which all members' keys
        are waited for."""
        state = self.lab.state()
        if state.phase.is_over or state.deadline == 0 or self._restarts or self._running:
            return
        waited = set(self._waited_for(state))
        if waited and waited <= self.dead and self.lab.state() == state:  # none began meanwhile
            over = state.deadline - LONG * 9 // 10 if state.phase == Phase.OPEN else state.deadline
            rpc(self.lab.anvil.url, "evm_setNextBlockTimestamp", over + 1)
            rpc(self.lab.anvil.url, "evm_mine")
            self._note_progress(self._head)

    def _waited_for(self, state: JobState) -> Iterator[str]:
        """Whoever could still act in the present phase."""
        lab, known = self.lab, self.lab.known_as
        match state.phase:
            case Phase.OPEN:
                federation, job = lab.session.federation, lab.posted.job
                committee = federation.expected_committee(job, federation.terms(job), state) or ()
                keys = federation.announced_keys(committee)
                yield from (known[who] for who, key in zip(committee, keys, strict=True) if key is None)
            case Phase.ENROL | Phase.SUBMIT:
                yield from (known[who] for who in lab.trainers if not self._has_come(state, who))
            case _ if (done := BITS.get(state.phase)) is not None:
                needed = getattr(state, NEEDED[state.phase]) if state.phase in NEEDED else -1
                for seat, member in enumerate(state.committee):
                    if needed >> seat & 1 and not getattr(state, done) >> seat & 1:
                        yield known[member]

    def _has_come(self, state: JobState, trainer: Any) -> bool:
        enrolled, counter, _ = self.lab.session.federation.trainer(self.lab.posted.job, trainer)
        return bool(enrolled) if state.phase == Phase.ENROL else counter == cycle_counter(state.cycle)


BITS: Final = {
    Phase.ATTEST: "attested",
    Phase.RELEASE: "released",
    Phase.SCORE: "committed",
    Phase.REVEAL: "revealed",
    Phase.VOTE: "voted",
}
NEEDED: Final = {Phase.REVEAL: "committed", Phase.VOTE: "revealed"}
"""Who alone may act in a phase: those that acted in the one before."""
