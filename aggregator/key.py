"""A member's encryption key: announced on chain, so that updates can be sealed to it."""

from __future__ import annotations

from hansa.protocol import envelope
from hansa.runtime.chain.client import Block
from hansa.runtime.desk import Desk


class KeyAnnouncer:
    """secret: the X25519 secret that this daemon opens updates with."""

    def __init__(self, desk: Desk, secret: bytes) -> None:
        self._desk = desk
        self._key = envelope.public_key(secret)
        self._known_at: Block | None = None  # where it was found in force

    def announce(self) -> None:
        """Puts this daemon's key in force, where another one or none is announced, or a reorganisation took it."""
        federation, seen = self._desk.follower.federation, self._known_at
        if seen is not None and federation.chain.block(seen.number).hash == seen.hash:
            return
        known = federation.announced_key(self._desk.me)
        self._known_at = federation.chain.latest() if known == self._key else None
        if known == self._key:
            return
        if known is not None:
            self._desk.log.warning("another encryption key was announced for this account; announcing its own again")
        self._desk.outbox.send(federation.announce_key_call(self._key), "announce", known or b"")
