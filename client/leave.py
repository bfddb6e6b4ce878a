"""After a job's end: content keys go out, pay is claimed, the bond comes back."""

from __future__ import annotations

from client.publish import ContentKeys
from hansa.runtime.chain.structs import Books
from hansa.runtime.claims import report_unclaimed, rewards_call
from hansa.runtime.desk import Desk
from hansa.runtime.snapshot import Due, unclaimed, with_ledgers
from hansa.runtime.transactions.sender import Mined, Refused

CLAIMED_AT_ONCE = 64  # rounds: about a million gas, which every chain has room for


class Leaver:
    """Takes out of a job that is over what it owes one trainer.

    wait_for_bond: seconds to stay for a bond that is not free yet.
    """

    def __init__(self, desk: Desk, wait_for_bond: float) -> None:
        self._desk = desk
        self._wait_for_bond = wait_for_bond
        self._content_keys = ContentKeys(desk)

    def leave(self) -> bool:
        """Publishes content keys where the spec asks for them, claims what is due, then takes the bond back if that is
        possible soon enough; True when all is done. FatalError, at last, for pay that can't be had any more."""
        if not self._content_keys.publish():
            return False
        follower = self._desk.follower
        books = follower.federation.books(follower.job, follower.head)
        due = self._due()
        refused: Refused | None = None
        if due and follower.head.timestamp < books.claim_until:
            first = due[:CLAIMED_AT_ONCE]
            call = rewards_call(follower.federation, follower.job, self._desk.me, first)
            sent = self._desk.send(call, "claim", *(item.round for item in first))
            if isinstance(sent, Mined):
                self._desk.metrics.claimed.inc(_pay_of(first))
            if not isinstance(sent, Refused):
                return False  # what is mined is due no more, the next time
            refused = sent
        if not self._has_settled_bond(books):
            return False
        report_unclaimed(follower, self._desk.log, "pay", _pay_of(due), books, refused)
        return True

    def _due(self) -> list[Due]:
        """What pays this trainer and is not claimed yet, by round."""
        follower = self._desk.follower
        return [due for due in unclaimed(with_ledgers(follower), follower.federation, self._desk.me) if due.leaf.pay]

    def _has_settled_bond(self, books: Books) -> bool:
        """Whether the bond is back, or is free too late to wait for."""
        desk, follower = self._desk, self._desk.follower
        now, bond = follower.head.timestamp, follower.federation.bond(follower.job, desk.me, follower.head)
        if bond == 0:
            return True
        if now < books.slash_until:
            if books.slash_until > now + self._wait_for_bond:
                desk.log.info("bond is free later", amount=bond, at=books.slash_until)
                return True
            desk.alarm.awaited = books.slash_until
            return False
        return isinstance(desk.send(follower.federation.claim_bond_call(follower.job, desk.me), "bond"), Mined)


def _pay_of(due: list[Due]) -> int:
    return sum(item.leaf.pay for item in due)
