"""A member's encryption key: announced on chain, so that updates can be sealed to it."""

from __future__ import annotations

from hansa.protocol import envelope
from hansa.runtime.desk import Desk


class KeyAnnouncer:
    """secret: the X25519 secret that this daemon opens updates with."""

    def __init__(self, desk: Desk, secret: bytes) -> None:
        self._desk = desk
        self._key = envelope.public_key(secret)
        self._announced = False

    def announce(self) -> None:
        """Puts this daemon's key in force, where another one or none is announced."""
        if self._announced:
            return
        federation = self._desk.follower.federation
        known = federation.announced_key(self._desk.me)
        if known == self._key:
            self._announced = True
            return
        if known is not None:
            self._desk.log.warning("another encryption key was announced for this account; announcing its own again")
        self._desk.outbox.send(federation.announce_key_call(self._key), "announce", known or b"")
