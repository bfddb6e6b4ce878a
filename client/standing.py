"""Whether a job that asks again at every submission still admits its trainer."""

from __future__ import annotations

from hansa.runtime.desk import Desk
from hansa.runtime.identity.admission import admits, refusal


class Standing:
    """One trainer's. Who is admitted no more submits nothing and keeps nobody waiting; what it earned stays its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: tuple[bytes, bool] = (b"", True)  # hash of the block at which it was asked
        self._refused = ""

    def is_admitted(self) -> bool:
        """As of the head. The reason is logged when it changes."""
        follower = self._desk.follower
        if not follower.context.terms.recheck_admission:
            return True
        if self._known[0] != follower.head.hash:
            admitted = admits(follower.federation, follower.job, self._desk.me, at=follower.head)
            self._known = (follower.head.hash, admitted)
            reason = "" if admitted else str(refusal(follower.federation, follower.job, self._desk.me, follower.head))
            if reason and reason != self._refused:
                self._desk.log.warning("not admitted any more", reason=reason)
            elif self._refused and not reason:
                self._desk.log.info("admitted again")
            self._refused = reason
        return self._known[1]
