"""Members of a threshold job at their desks, in one cycle of two updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from desks import JOB, GivenJob, desk_of
from records import STATE, TERMS

from aggregator.inbox import Inboxes, SharedInbox
from aggregator.release import Releaser
from hansa.protocol import envelope, shared_envelope
from hansa.protocol.cid import digest_of
from hansa.protocol.hashes import make_cycle
from hansa.protocol.model import Update, initial_model
from hansa.protocol.types import Address, BlockNumber, Code, Digest, Phase, Place, Round, Seat, Timestamp
from hansa.runtime.history.records import CycleRecord, Submitted
from hansa.runtime.store.local import LocalStore

SEATS, T = 3, 2
FEDERATION = Address("0x" + "fe" * 20)
MEMBERS = tuple(Address("0x" + f"{seat + 161:02x}" * 20) for seat in range(SEATS))  # the first is desks.ME
SECRETS = [bytes([seat + 1]) * 32 for seat in range(SEATS)]
KEYS = tuple(envelope.public_key(secret) for secret in SECRETS)
SEED = b"\x0c" * 32
CYCLE = make_cycle(SEED, 1, True)
PLACE = Place(31337, FEDERATION, JOB, CYCLE)
MODEL = initial_model({"w": np.ones(4, np.float32)}, 8)
BASE = digest_of(MODEL.encode())
SPEC = SimpleNamespace(shares=T, update_bytes=10_000, privacy="threshold")


def trainer(index: int) -> Address:
    return Address("0x" + f"{index + 1:040x}")


def sealed(index: int) -> bytes:
    update = Update({"w": np.array([1, 2, 3, index + 1], np.int8)}, JOB, CYCLE, trainer(index)).encode()
    ctx = envelope.context(PLACE, trainer(index), BASE)
    return shared_envelope.seal(update, bytes([index]) * 32, ctx, KEYS, T)


FILES = [sealed(index) for index in range(2)]


def cycle_of(
    updates: int = 2, releases: Mapping[int, Digest] | None = None, outcome: Any = None, seed: bytes = SEED
) -> CycleRecord:
    submitted = tuple(Submitted(trainer(index), digest_of(FILES[index])) for index in range(updates))
    acted = {phase: {} for phase in (Phase.ATTEST, Phase.SCORE, Phase.REVEAL, Phase.VOTE)}
    acted[Phase.RELEASE] = {Seat(seat): digest for seat, digest in (releases or {}).items()}
    return CycleRecord(CYCLE, Round(1), b"", seed, MEMBERS, KEYS, 7, BlockNumber(1), submitted, acted, (), outcome)


class Member:
    """One seat's desk in the cycle; all share a store. `now`: the chain's time, of which RELEASE lasts from 40 to
    100."""

    def __init__(self, path: Path, seat: int, secret: bytes | None = None) -> None:
        self.seat, self.now, self.sent = Seat(seat), 40, list[Any]()
        terms = replace(TERMS, release_time=60, threshold=T, quorum=T)
        follower = cast(
            Any, GivenJob(path, [cycle_of()], SimpleNamespace(spec=SPEC, terms=terms), (CYCLE, Phase.RELEASE))
        )
        follower.base = lambda: (BASE, MODEL)
        follower.cycle = lambda: follower.cycles[-1]
        follower.is_settled = lambda: True
        follower.is_past_time = lambda time: self.now >= time
        follower.federation = SimpleNamespace(
            place=lambda job, cycle: PLACE,
            release_call=lambda job, cycle, seat, digest: ("release", seat, digest),
            attest_call=lambda job, cycle, seat, bits: ("attest", seat, bits),
            chain=SimpleNamespace(close=lambda: None, confirmations=1),
        )
        (path / str(seat)).mkdir(exist_ok=True)
        self.follower, self.path = follower, path
        self.desk = desk_of(path / str(seat), follower, lambda call, *key: self.sent.append(call))
        self.desk.me = MEMBERS[seat]
        self.secret = SECRETS[seat] if secret is None else secret
        self.begin()

    def begin(self) -> None:
        """As after a restart."""
        self.inboxes = Inboxes(self.desk, lambda key: self.secret)
        self.releaser = Releaser(self.desk, self.inboxes)

    def release(self, released: int = 0) -> None:
        state = replace(STATE, phase=Phase.RELEASE, cycle=CYCLE, deadline=Timestamp(100), released=released)
        self.releaser.release(state, self.seat)

    def see(self, releases: Mapping[int, Digest], phase: Phase = Phase.SCORE, outcome: Any = None) -> CycleRecord:
        """The cycle with these releases, at a phase that is deep."""
        cycle = cycle_of(releases=releases, outcome=outcome)
        self.follower.cycles = [cycle]
        self.follower._given_deep = (CYCLE, phase)
        return cycle

    @property
    def store(self) -> LocalStore:
        store: LocalStore = self.follower.store
        return store


def put_updates(member: Member, *files: bytes) -> None:
    for data in files or FILES:
        member.store.put(data)


def released(members: list[Member], *seats: int) -> dict[int, Digest]:
    """What these seats release once they have every update."""
    put_updates(members[0])
    for seat in seats:
        members[seat].release()
    return {seat: members[seat].sent[-1][2] for seat in seats}


def codes(member: Member, cycle: CycleRecord) -> list[Code] | None:
    """Its verdicts; None while it waits."""
    inbox = member.inboxes.of(cycle, member.seat)
    assert isinstance(inbox, SharedInbox)
    return [item.code for item in inbox.verdicts([])] if inbox.fetch() else None
