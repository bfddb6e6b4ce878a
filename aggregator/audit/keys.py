"""Who can open which sealed update: members' encryption secrets, and content keys that somebody published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from protocol import envelope
from protocol.cid import from_cid
from protocol.errors import FatalError, Malformed
from protocol.types import Address, Digest, Seat

KEY_BYTES = 32
MOST_BYTES = 64 * 2**20


class WrongKey(Exception):
    """A content key that belongs to another update."""


@dataclass(frozen=True)
class Keys:
    """secrets: X25519, by member. content: by the digest of the sealed update."""

    secrets: Mapping[Address, bytes] = field(default_factory=dict)
    content: Mapping[Digest, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.secrets or self.content)

    def opens(self, digest: Digest, committee: Sequence[Address], keys: Sequence[bytes | None]) -> bool:
        """Whether something here should open an update sealed to this committee."""
        return digest in self.content or self._seat(committee, keys) is not None

    def open(
        self, data: bytes, digest: Digest, ctx: bytes, committee: Sequence[Address], keys: Sequence[bytes | None]
    ) -> envelope.Opened:
        """Opens an update that `opens` says can be. Malformed if it is; WrongKey for a key of another one."""
        seat = self._seat(committee, keys)
        if seat is not None:
            return envelope.open_envelope(data, ctx, seat, self.secrets[committee[seat]], keys)
        try:
            return envelope.open_with_key(data, ctx, self.content[digest], keys)
        except Malformed as error:
            raise WrongKey(str(error)) from error

    def _seat(self, committee: Sequence[Address], keys: Sequence[bytes | None]) -> Seat | None:
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
        document = json.loads(path.read_bytes())
        found = {from_cid(cid): bytes.fromhex(key) for cid, key in document.items()}
    except OSError as error:
        raise FatalError(f"{path} can't be read", cause=error.strerror) from error
    except (ValueError, AttributeError, TypeError, Malformed, RecursionError) as error:
        raise FatalError(
            f"{path} is no file of content keys", cause=error, next_step='write it like {"Qm…": "64 hex digits"}'
        ) from error
    short = next((cid for cid, key in document.items() if len(found[from_cid(cid)]) != KEY_BYTES), None)
    if short is not None:
        raise FatalError(f"the key of {short} in {path} has not {KEY_BYTES} bytes")
    return found
