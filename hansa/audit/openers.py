"""Who can open which sealed update: members' encryption secrets, and content keys that somebody published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hansa.audit.report import Finding, Report
from hansa.protocol import envelope, shared_envelope
from hansa.protocol.cid import to_cid
from hansa.protocol.content_keys import decode_keys, keys_limit
from hansa.protocol.errors import FatalError, HansaError, Malformed, NotFound, StoreUnavailable
from hansa.protocol.types import Address, Digest, Seat
from hansa.runtime.history.records import JobHistory
from hansa.runtime.store import Store

FETCH_SECONDS = 5.0
MOST_BYTES = 64 * 2**20


class WrongKey(Exception):
    """A content key that belongs to another update."""


@dataclass(frozen=True)
class Openers:
    """secrets: X25519, by member. content: by the digest of the sealed update."""

    secrets: Mapping[Address, bytes] = field(default_factory=dict)
    content: Mapping[Digest, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.secrets or self.content)

    def require_members(self, history: JobHistory) -> None:
        """FatalError where a secret belongs to nobody who had a seat, or to a key that was in force in no cycle."""
        for account, secret in self.secrets.items():
            seated = [cycle for cycle in history.cycles if account in cycle.committee]
            if not seated:
                raise FatalError(
                    f"{account} was never in the committee of job {history.job}",
                    next_step="name a member's account, or leave --account out",
                )
            own = envelope.public_key(secret)
            if all(cycle.keys[cycle.committee.index(account)] != own for cycle in seated):
                raise FatalError(
                    f"the key of {account} was in force in no cycle of job {history.job}",
                    cause="it announced other keys, or none",
                    next_step="name the keystore that it ran with, or leave --account out",
                )

    def opens(self, digest: Digest, committee: Sequence[Address], keys: Sequence[bytes | None]) -> bool:
        """Whether something here should open an update sealed to this committee."""
        return digest in self.content or self.seat(committee, keys) is not None

    def open(
        self, data: bytes, digest: Digest, ctx: bytes, committee: Sequence[Address], keys: Sequence[bytes | None]
    ) -> envelope.Opened:
        """Opens an update that `opens` says can be. Malformed if it is; WrongKey for a key of another one."""
        seat = self.seat(committee, keys)
        if seat is not None:
            return envelope.open_envelope(data, ctx, seat, self.secrets[committee[seat]], keys)
        try:
            return envelope.open_with_key(data, ctx, self.content[digest], keys)
        except Malformed as error:
            raise WrongKey(str(error)) from error

    def open_shared(
        self, data: bytes, digest: Digest, ctx: bytes, keys: Sequence[bytes | None], shares: int
    ) -> envelope.Opened:
        """The same of an update of which a content key is here, where it takes several members to open one."""
        try:
            return shared_envelope.open_with_key(data, ctx, self.content[digest], keys, shares)
        except Malformed as error:
            raise WrongKey(str(error)) from error

    def seat(self, committee: Sequence[Address], keys: Sequence[bytes | None]) -> Seat | None:
        """A seat whose key in force a secret here belongs to."""
        for seat, member in enumerate(committee):
            secret = self.secrets.get(member)
            if secret is not None and keys[seat] == envelope.public_key(secret):
                return Seat(seat)
        return None


def read_keys(path: Path) -> dict[Digest, bytes]:
    """A file of published content keys: one JSON object, CIDs of sealed updates to keys in hexadecimal."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FatalError(f"{path} is no file of content keys", cause=f"it is larger than {MOST_BYTES} bytes")
        return decode_keys(path.read_bytes())
    except OSError as error:
        raise FatalError(f"{path} can't be read", cause=error.strerror) from error
    except Malformed as error:
        raise FatalError(
            f"{path} is no file of content keys", cause=error, next_step='write it like {"Qm…": "64 hex digits"}'
        ) from error


def published_keys(
    history: JobHistory, named: Mapping[Address, Digest], files: Store, report: Report
) -> dict[Digest, bytes]:
    """The content keys that trainers published on chain at the job's end, each of its own updates alone.

    named: the last file that each account named. Anyone may name one, so what can't be had of it is nobody's fault.
    """
    own: dict[Address, set[Digest]] = {}
    for cycle in history.cycles:
        for update in cycle.updates:
            own.setdefault(update.trainer, set()).add(update.digest)
    found: dict[Digest, bytes] = {}
    for trainer, digest in named.items():
        if trainer not in own:
            continue
        name = f"content keys {to_cid(digest)} of {trainer}"
        try:
            keys = decode_keys(files.get(digest, limit=keys_limit(len(own[trainer])), timeout=FETCH_SECONDS))
        except (NotFound, StoreUnavailable, Malformed) as error:
            report.gap(name, str(error), expected=True)
            continue
        except HansaError as error:
            report.fail(Finding(name, "the bytes that its CID names", str(error)))
            continue
        report.ok("files of content keys")
        found |= {update: key for update, key in keys.items() if update in own[trainer]}
    return found
