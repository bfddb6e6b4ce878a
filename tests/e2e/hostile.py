"""Daemons that misbehave or die. Each runs in a process of its own, like the honest ones."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from eth_account import Account
from lying_store import LyingStore

from aggregator import ValidatorConfig
from aggregator.validator import Validator
from client import TrainerConfig
from client.trainer import Trainer
from hansa.devnet.federation import LocalFederation
from hansa.devnet.roles import Role
from hansa.protocol import envelope, sheet, tensors
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import result_hash
from hansa.protocol.model import Model, Update
from hansa.protocol.types import Code, Digest, JobId, Phase, Seat
from hansa.runtime import daemon as daemon_module
from hansa.runtime import keystore
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import JobState


@dataclass(frozen=True)
class Character:
    """Who plays a role: a class of this module, and attributes that its object gets."""

    name: str
    traits: dict[str, Any] = field(default_factory=dict)
    idle_seconds: float | None = None  # patience with a chain without blocks


def cast(lab: LocalFederation, name: str, character: str, *, idle_seconds: float | None = None, **traits: Any) -> None:
    """Gives the next start of a daemon another character; 'Trainer' or 'Validator' is the honest one."""
    worker = lab.workers[name]
    worker.target, worker.arguments = play_as, (worker.arguments[0], Character(character, traits, idle_seconds))


def play_as(role: Role, character: Character) -> None:
    if character.idle_seconds is not None:
        daemon_module.IDLE_SECONDS = character.idle_seconds
    role.journal.parent.mkdir(parents=True, exist_ok=True)
    kind: Any = globals()[character.name]
    config: Any = TrainerConfig if issubclass(kind, Trainer) else ValidatorConfig
    for trait, value in character.traits.items():
        setattr(kind, trait, value)
    kind(
        config(
            deployment=Deployment.model_validate_json(role.deployment),
            account=Account.from_key(role.key),
            journal=role.journal,
            job=JobId(role.job),
            **role.options,
        )
    ).run()


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
        mempool = self.sender._mempool  # type: ignore[attr-defined]
        broadcast = mempool.broadcast

        def mortal(sent: Any) -> None:
            step = str(sent.key[1])
            self._may_die(f"{step} journalled")
            broadcast(sent)
            self._may_die(f"{step} sent")

        mempool.broadcast = mortal

    def publish(self, digest: Digest) -> None:
        self._may_die("publish before")
        super().publish(digest)  # type: ignore[misc]
        self._may_die("publish after")

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


class Copycat(Trainer):
    """Registers the CID that its victim has registered in this cycle."""

    victim: Any

    def _submit(self, state: JobState) -> None:
        theirs = [update.digest for update in self.cycle(state).updates if update.trainer == self.victim]
        if theirs:
            self.send(self.federation.submit_call(self.job, state.cycle, theirs[0]), "submit", state.cycle)
        self.look_again(0.05)

    def publish(self, digest: Digest) -> None:
        raise AssertionError("it has nothing to publish")


class Replayer(Trainer):
    """Publishes its victim's bytes of the round before as its own."""

    victim: Any

    def _submit(self, state: JobState) -> None:
        done = [cycle for cycle in self.history().cycles if cycle.outcome is not None]
        if done:
            theirs = next(update.digest for update in done[-1].updates if update.trainer == self.victim)
            self.store.put(self.store.get(theirs, limit=2**20, timeout=5))
            self.send(self.federation.submit_call(self.job, state.cycle, theirs), "submit", state.cycle)
        else:
            super()._submit(state)

    def _integers(self, base: Digest, model: Model) -> Digest:
        return nothing(self, model)


class Idler(Trainer):
    """Sends zeros."""

    def _integers(self, base: Digest, model: Model) -> Digest:
        return nothing(self, model)


class BoxSpoiler(Trainer):
    """Spoils the box of one seat; the others' boxes are good."""

    seat = 1

    def _sealed(self, state: JobState) -> dict[str, Any]:
        known = super()._sealed(state)
        data = bytearray(self.journal.blob(known["digest"]))
        data[6 + 1 + 192 + 32 + 32 + 48 * self.seat] ^= 1
        return {**known, "digest": self.journal.put_blob(bytes(data))}


class Bloater(Trainer):
    """Sends more bytes than the spec allows."""

    def _sealed(self, state: JobState) -> dict[str, Any]:
        known = super()._sealed(state)
        data = self.journal.blob(known["digest"]) + bytes(self.context.spec.update_bytes)
        return {**known, "digest": self.journal.put_blob(data)}


class Withholder(Trainer):
    """Registers an update and never publishes it."""

    def publish(self, digest: Digest) -> None:
        return


class Twin(Trainer):
    """Sends what another trainer, who shares everything with it, sends; later."""

    victim: Any

    def _submit(self, state: JobState) -> None:
        if any(update.trainer == self.victim for update in self.cycle(state).updates):
            super()._submit(state)
        self.look_again(0.05)

    def _integers(self, base: Digest, model: Model) -> Digest:
        me, self.me = self.me, self.victim
        try:
            return super()._integers(base, model)
        finally:
            self.me = me


class Latecomer(Trainer):
    """Submits when all others have."""

    def _submit(self, state: JobState) -> None:
        if state.submitted >= state.enrolled - 1:
            super()._submit(state)
        self.look_again(0.05)


class Robber(Idler):
    """Learns from a member what its victim sent in a failed cycle, and sends it as its own when that is tried again."""

    victim: Any
    accomplice: bytes  # the member's private key

    def _integers(self, base: Digest, model: Model) -> Digest:
        loot = next((self._loot(cycle, base, model) for cycle in self.failed_cycles()), None)
        return super()._integers(base, model) if loot is None else loot

    def _loot(self, cycle: Any, base: Digest, model: Model) -> Digest:
        account = Account.from_key(self.accomplice)
        theirs = next(update for update in cycle.updates if update.trainer == self.victim)
        ctx = envelope.context(self.federation.place(self.job, cycle.cycle), self.victim, base)
        seat = cycle.committee.index(account.address)
        data = self.store.get(theirs.digest, limit=2**20, timeout=5)
        opened = envelope.open_envelope(data, ctx, seat, keystore.encryption_secret(account), self.member_keys(cycle))
        update = Update.decode(opened.update, model=model, job=self.job, cycle=cycle.cycle, trainer=self.victim)
        self.log.info("robbed", victim=self.victim, cid=to_cid(theirs.digest))
        return self.journal.put_blob(tensors.encode(update.tensors, {}))

    def _attempt(self) -> dict[str, Any] | None:
        """Names the attempt that holds the same integers, so that its own retry is as good as any."""
        failed = self.failed_cycles()
        return self.journal.recall((self.job, failed[1].cycle, "update")) if len(failed) > 1 else None


def nothing(trainer: Trainer, model: Model) -> Digest:
    kind = np.int8 if model.bits == 8 else np.int16
    zeros = {name: np.zeros(shape, kind) for name, shape in model.shapes.items()}
    return trainer.journal.put_blob(tensors.encode(zeros, {}))


# --- validators


class Liar(Validator):
    """Votes a result that nobody else has."""

    def _worked_out(self, state: JobState, voted: Any, seat: Seat) -> dict[str, Any]:
        return {**super()._worked_out(state, voted, seat), "hash": b"\x01" * 32}


class Spoiler(Validator):
    """Votes, with all its friends, a model of the second round that is none; else it does as it should."""

    def _worked_out(self, state: JobState, voted: Any, seat: Seat) -> dict[str, Any]:
        known = super()._worked_out(state, voted, seat)
        if state.round != 2:
            return known
        model = self.journal.put_blob(b"no model")
        hashed = result_hash(
            self.federation.place(self.job, state.cycle), state.updates, state.sheets, model, known["rewards"]
        )
        return {**known, "model": model, "hash": hashed}


class Raver(Validator):
    """Reveals a sheet of unknown codes and absurd numbers; else it does as it should."""

    def _sheet(self, bench: Any, cycle: Any) -> dict[str, bytes]:
        known = super()._sheet(bench, cycle)
        entry = sheet.ENTRY_BYTES
        lines = [known["sheet"][i : i + entry] for i in range(0, len(known["sheet"]), entry)]
        lines[0] = bytes([200]) + b"\x7f" + b"\xff" * 11
        lines[1] = bytes([Code.OK]) + b"\x7f" + b"\xff" * 5 + b"\x80" + bytes(5)
        lines[2] = bytes([Code.OK]) + b"\x80" + bytes(5) + b"\x7f" + b"\xff" * 5
        return {**known, "sheet": b"".join(lines)}


class HasALyingStore(Validator):
    """Its store changes one byte of every file, the first two times that it is asked."""

    def __init__(self, config: ValidatorConfig) -> None:
        super().__init__(config)
        self.store = self.models._store = LyingStore(Path(config.deployment.store["path"]))


class Sleeper(Validator):
    """Dead while a round's first cycles are scored: dies there, whenever it is started too early."""

    round = 2
    cycles = 2

    def act(self, state: JobState) -> bool:
        if state.round == self.round and state.failures < self.cycles and state.phase >= Phase.SUBMIT:
            die()
        return super().act(state)
