"""Daemons that die, and parts of daemons that misbehave."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
from eth_account import Account
from lying_store import LyingStore

from aggregator.release import Releaser
from aggregator.score import Scorer
from aggregator.validator import Validator
from aggregator.vote import Voter
from client.submit import Submitter
from client.trainer import Trainer
from hansa.protocol import envelope, sheet, tensors
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import result_hash
from hansa.protocol.model import Model, Update
from hansa.protocol.release import Entry, Said
from hansa.protocol.types import Code, Digest, Phase, Seat
from hansa.runtime import keystore
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import DaemonConfig, Desk
from hansa.runtime.history.records import CycleRecord


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# --- the mortal


class DiesInRound:
    """Dies as soon as it sees a round, before it does anything in it."""

    round = 2

    def act(self, state: JobState) -> bool:
        if state.round >= self.round:
            die()
        return super().act(state)  # type: ignore[misc,no-any-return]


class DyingTrainer(DiesInRound, Trainer):
    pass


class DyingValidator(DiesInRound, Validator):
    pass


class DiesOften:
    """Dies twice at the first transaction of every kind: with it in the journal and not sent, and when it is sent.

    deaths: a directory that remembers the moments, as the dead can't.
    """

    deaths: Path

    def __init__(self, config: Any) -> None:
        super().__init__(config)  # type: ignore[call-arg]
        desk = self.desk  # type: ignore[attr-defined]
        mempool = desk.sender._mempool
        broadcast, publish = mempool.broadcast, desk.publish

        def broadcast_or_die(sent: Any) -> None:
            step = str(sent.key[1])
            self._may_die(f"{step} journalled")
            broadcast(sent)
            self._may_die(f"{step} sent")

        def publish_or_die(digest: Digest) -> None:
            self._may_die("publish before")
            publish(digest)
            self._may_die("publish after")

        mempool.broadcast, desk.publish = broadcast_or_die, publish_or_die

    def _may_die(self, moment: str) -> None:
        place = self.deaths / moment
        if not place.exists():
            place.touch()
            die()


class UnluckyTrainer(DiesOften, Trainer):
    pass


class UnluckyValidator(DiesOften, Validator):
    pass


# --- trainers


class Copycat(Submitter):
    """Registers the CID that its victim has registered in this cycle."""

    victim: Any

    def submit(self) -> None:
        self._desk.publish = self._refuse  # type: ignore[method-assign]
        updates = self._desk.follower.cycle().updates
        theirs = [update.digest for update in updates if update.trainer == self.victim]
        if theirs:
            register(self._desk, theirs[0])
        self._desk.alarm.look_again(0.05)

    def _refuse(self, digest: Digest) -> None:
        raise AssertionError("it has nothing to publish")


class Idler(Submitter):
    """Sends zeros."""

    def train(self, base: Digest, model: Model) -> Digest:
        kind = np.int8 if model.bits == 8 else np.int16
        zeros = {name: np.zeros(shape, kind) for name, shape in model.shapes.items()}
        return self._desk.journal.put_blob(tensors.encode(zeros, {}))


class Replayer(Idler):
    """Publishes its victim's bytes of the round before as its own."""

    victim: Any

    def submit(self) -> None:
        follower = self._desk.follower
        done = [cycle for cycle in follower.history().cycles if cycle.outcome is not None]
        if done:
            theirs = next(update.digest for update in done[-1].updates if update.trainer == self.victim)
            follower.store.put(follower.store.get(theirs, limit=2**20, timeout=5))
            register(self._desk, theirs)
        else:
            super().submit()


class BoxSpoiler(Submitter):
    """Spoils the box of one seat; the others' boxes are good."""

    seat = 1

    def seal(self, cycle: CycleRecord) -> dict[str, Any]:
        known = super().seal(cycle)
        data = bytearray(self._desk.journal.blob(known["digest"]))
        data[6 + 1 + 192 + 32 + 32 + 48 * self.seat] ^= 1
        return {**known, "digest": self._desk.journal.put_blob(bytes(data))}


class Bloater(Submitter):
    """Sends more bytes than the spec allows."""

    def seal(self, cycle: CycleRecord) -> dict[str, Any]:
        known = super().seal(cycle)
        data = self._desk.journal.blob(known["digest"]) + bytes(self._desk.follower.context.spec.update_bytes)
        return {**known, "digest": self._desk.journal.put_blob(data)}


class Withholder(Desk):
    """Registers an update and never publishes it."""

    def publish(self, digest: Digest) -> None:
        return


class Twin(Submitter):
    """Sends what another trainer, who shares everything with it, sends; later."""

    victim: Any

    def submit(self) -> None:
        if self._desk.follower.cycle().has_update_of(self.victim):
            super().submit()
        self._desk.alarm.look_again(0.05)

    def train(self, base: Digest, model: Model) -> Digest:
        me, self._desk.me = self._desk.me, self.victim
        try:
            return super().train(base, model)
        finally:
            self._desk.me = me


class Latecomer(Submitter):
    """Submits when all others have."""

    def submit(self) -> None:
        state = self._desk.follower.state
        if state.submitted >= state.enrolled - 1:
            super().submit()
        self._desk.alarm.look_again(0.05)


class Robber(Idler):
    """Learns from a member what its victim sent in a failed cycle, and sends it as its own when that is tried again."""

    victim: Any
    accomplice: bytes  # the member's private key

    def train(self, base: Digest, model: Model) -> Digest:
        loot = next((self._loot(cycle, base, model) for cycle in self._desk.follower.failed_cycles()), None)
        return super().train(base, model) if loot is None else loot

    def _loot(self, cycle: Any, base: Digest, model: Model) -> Digest:
        account, follower = Account.from_key(self.accomplice), self._desk.follower
        theirs = next(update for update in cycle.updates if update.trainer == self.victim)
        federation, job = follower.federation, follower.job
        ctx = envelope.context(federation.place(job, cycle.cycle), self.victim, base)
        seat = cycle.committee.index(account.address)
        data = follower.store.get(theirs.digest, limit=2**20, timeout=5)
        opened = envelope.open_envelope(data, ctx, seat, keystore.encryption_secret(account), cycle.keys)
        update = Update.decode(opened.update, model=model, job=job, cycle=cycle.cycle, trainer=self.victim)
        self._desk.log.info("robbed", victim=self.victim, cid=to_cid(theirs.digest))
        return self._desk.journal.put_blob(tensors.encode(update.tensors, {}))

    def attempt(self) -> dict[str, Any] | None:
        """Names the attempt that holds the same integers, so that its own retry is as good as any."""
        follower = self._desk.follower
        failed = follower.failed_cycles()
        return self._desk.journal.recall((follower.job, failed[1].seed, "update")) if len(failed) > 1 else None


def register(desk: Desk, digest: Digest) -> None:
    cycle = desk.follower.cycle()
    call = desk.follower.federation.submit_call(desk.follower.job, cycle.cycle, cycle.seed, digest)
    desk.send(call, "submit", cycle.seed)


# --- validators


class Liar(Voter):
    """Votes a result that nobody else has."""

    def seal(self, state: JobState, result: Any, seat: Seat) -> dict[str, Any]:
        return {**super().seal(state, result, seat), "hash": b"\x01" * 32}


class Spoiler(Voter):
    """Votes, with all its friends, a model of the second round that is none; else it does as it should."""

    def seal(self, state: JobState, result: Any, seat: Seat) -> dict[str, Any]:
        known = super().seal(state, result, seat)
        if state.round != 2:
            return known
        follower, model = self._desk.follower, self._desk.journal.put_blob(b"no model")
        place = follower.federation.place(follower.job, state.cycle)
        hashed = result_hash(place, state.updates, state.sheets, model, known["rewards"])
        return {**known, "model": model, "hash": hashed}


class FalseReleaser(Releaser):
    """Releases shares that it has made up."""

    def _make(self, state: JobState, seat: Seat) -> Digest | None:
        own = self._of(self._desk.follower.cycle(), seat)
        if not own.fetch():
            return None
        own._entries = {place: Entry(Said.SHARE, os.urandom(32)) for place in own._entries}
        return self._desk.journal.put_blob(own.seal())


class Raver(Scorer):
    """Reveals a sheet of unknown codes and absurd numbers; else it does as it should."""

    def fill(self, inbox: Any) -> dict[str, Any]:
        known = super().fill(inbox)
        entry = sheet.ENTRY_BYTES
        lines = [known["sheet"][i : i + entry] for i in range(0, len(known["sheet"]), entry)]
        lines[0] = bytes([200]) + b"\x7f" + b"\xff" * 11
        lines[1] = bytes([Code.OK]) + b"\x7f" + b"\xff" * 5 + b"\x80" + bytes(5)
        lines[2] = bytes([Code.OK]) + b"\x80" + bytes(5) + b"\x7f" + b"\xff" * 5
        return {**known, "sheet": b"".join(lines)}


class HasALyingStore(Validator):
    """Its store changes one byte of every file, the first two times that it is asked."""

    def __init__(self, config: DaemonConfig) -> None:
        super().__init__(config)
        follower = self.desk.follower
        follower.store = follower.models._store = LyingStore(Path(config.deployment.store["path"]))


class Sleeper(Validator):
    """Dead while a round's first cycles are scored: dies there, whenever it is started too early."""

    round = 2
    cycles = 2

    def act(self, state: JobState) -> bool:
        if state.round == self.round and state.failures < self.cycles and state.phase >= Phase.SUBMIT:
            die()
        return super().act(state)
