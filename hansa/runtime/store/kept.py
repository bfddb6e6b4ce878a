"""A store whose files a pinning service keeps too, whatever happens to the own node."""

from __future__ import annotations

import atexit
import threading
import time
from dataclasses import dataclass

from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, TransientError
from hansa.protocol.types import Digest
from hansa.runtime.log import open_log
from hansa.runtime.store.kubo import KuboStore
from hansa.runtime.store.pinning import (
    FAILED,
    Pin,
    PinGone,
    PinningLimited,
    PinningNonsense,
    PinningRefused,
    PinningService,
    TokenRefused,
)

POLL_SECONDS = 5.0  # between two looks at what is under way
LONGEST_SECONDS = 300.0  # between two tries
LOSSES = 3  # of a file's request, before it is not asked for again
FINISH_SECONDS = 1.5  # that a process which ends gives what has not been asked yet


@dataclass
class Wish:
    """What is wanted of the service for one file, and what it said last.

    refused: it takes no request for this file. losses: how often it knew no more of one. failures: how often it gave no
    answer that says anything.
    """

    wanted: bool
    pin: Pin | None = None
    refused: bool = False
    losses: int = 0
    failures: int = 0

    @property
    def is_settled(self) -> bool:
        return self.refused or (self.wanted and self.pin is not None and not self.pin.is_under_way)


class KeptStore:
    """The node's store. A thread of its own asks the service for what is put, pinned and unpinned: a service that does
    not answer, or refuses, is in the log, and stops nobody."""

    def __init__(self, within: KuboStore, service: PinningService) -> None:
        self.within, self.service = within, service
        self._wishes: dict[Digest, Wish] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self.thread: threading.Thread | None = None
        self._log = open_log(what="pinning service")

    def put(self, data: bytes) -> Digest:
        digest = self.within.put(data)
        self._wish(digest, True)
        return digest

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        return self.within.get(digest, limit=limit, timeout=timeout)

    def has(self, digest: Digest) -> bool:
        return self.within.has(digest)

    def pin(self, digest: Digest) -> None:
        self.within.pin(digest)
        self._wish(digest, True)

    def unpin(self, digest: Digest) -> None:
        self.within.unpin(digest)
        self._wish(digest, False)

    def work(self) -> bool:
        """Asks the service for what is due; whether nothing is left. Where it gives no sense for one file, the others
        come first; those that failed least often come before those that did."""
        late: PinningNonsense | None = None
        for digest, wish in sorted(self._left(), key=lambda item: item[1].failures):
            try:
                self._ask(digest, wish)
                self._tell(digest, wish)
            except (TokenRefused, PinningLimited):
                raise
            except PinGone as error:
                wish.pin, wish.losses = None, wish.losses + 1
                if wish.losses >= LOSSES:
                    self._give_up(digest, wish, error)
            except PinningRefused as error:
                self._give_up(digest, wish, error)
            except PinningNonsense as error:
                late, wish.failures = error, wish.failures + 1
            except TransientError:
                wish.failures += 1
                raise
        if late is not None:
            raise late
        return not self._left()

    def _ask(self, digest: Digest, wish: Wish) -> None:
        if not wish.wanted:
            for pin in self.service.find(digest) if wish.pin is None else [wish.pin]:
                self.service.unpin(pin)
            with self._lock:
                if self._wishes.get(digest) is wish:
                    del self._wishes[digest]
        elif wish.pin is None:
            wish.pin = self._asked(digest)
        else:
            wish.pin = self.service.look(wish.pin)

    def _give_up(self, digest: Digest, wish: Wish, error: PinningRefused) -> None:
        wish.refused = True
        what = "could not be kept" if wish.wanted else "could not be let go"
        self._log.warning(what, cid=to_cid(digest), said=str(error))

    def _asked(self, digest: Digest) -> Pin:
        """The request for a file: one that there is already, from an earlier run, or a new one."""
        if there := self.service.find(digest):
            return there[0]
        pin = self.service.pin(digest, self.within.addresses())
        self.within.peers.meet_these(pin.delegates)
        return pin

    def _tell(self, digest: Digest, wish: Wish) -> None:
        pin = wish.pin
        if wish.wanted and pin is not None and pin.status == FAILED:
            self._log.warning("could not be kept", cid=to_cid(digest), said=pin.details)
        elif wish.is_settled:
            self._log.info("kept", cid=to_cid(digest))

    def _left(self) -> list[tuple[Digest, Wish]]:
        with self._lock:
            return [(digest, wish) for digest, wish in self._wishes.items() if not wish.is_settled]

    def _wish(self, digest: Digest, wanted: bool) -> None:
        with self._lock:
            known = self._wishes.get(digest)
            if known is not None and known.wanted == wanted:
                return
            self._wishes[digest] = Wish(wanted, None if known is None else known.pin)
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, daemon=True)
                self.thread.start()
                atexit.register(self._finish)
        self._wake.set()

    def _run(self) -> None:
        failures = 0
        while True:
            try:
                done = self.work()
                failures = 0
                self._wake.wait(None if done else POLL_SECONDS)
                self._wake.clear()
            except PinningLimited as error:
                self._log.warning("will try again", error=str(error))
                time.sleep(error.after)
            except TransientError as error:
                failures += 1
                self._log.warning("will try again", error=str(error))
                time.sleep(min(LONGEST_SECONDS, 2.0**failures))
            except FatalError as error:
                self._log.error("keeps nothing any more", error=str(error))
                return

    def _finish(self) -> None:
        end = time.monotonic() + FINISH_SECONDS
        while time.monotonic() < end and self.thread is not None and self.thread.is_alive():
            if not any(wish.pin is None for _, wish in self._left()):
                return
            time.sleep(0.05)
