"""A relay where it is asked: beside a daemon, whose account sends, or by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from structlog.stdlib import BoundLogger

from hansa.protocol.errors import TransientError
from hansa.protocol.types import JobId
from hansa.runtime import stopping
from hansa.runtime.chain.federation import Federation
from hansa.runtime.metrics import Metrics
from hansa.runtime.relay.messages import act_of
from hansa.runtime.relay.relay import Relay
from hansa.runtime.relay.server import RelayServer
from hansa.runtime.transactions.sender import Sender

TEND_SECONDS = 1.0  # between two looks after what is in flight
PAUSE = 2.0  # seconds after a failure


class RelayService:
    """Asked at HOST:PORT from threads of its own, answers in the thread that calls `work`."""

    def __init__(
        self, where: str, federation: Federation, sender_of: Callable[[JobId], Sender], log: BoundLogger
    ) -> None:
        chain = federation.chain
        own = chain.chain_id, federation.address, federation.vault
        self.relay = Relay(federation, sender_of, log)
        self._server = RelayServer(where, lambda request: act_of(request, *own), chain.wake)
        self.url = self._server.url
        log.info("relay", url=self.url)

    def work(self, seconds: float = 0.0) -> None:
        """Answers what was asked, and what is within so many seconds."""
        self._server.serve(self.relay.answer, seconds)

    def close(self) -> None:
        self._server.close()


def run_alone(
    service: RelayService, federation: Federation, sender: Sender, metrics: Metrics, log: BoundLogger
) -> None:
    """Answers until a signal ends it."""
    looked = 0.0
    with stopping.listening(), stopping.telling(log.info):
        try:
            while True:
                if time.monotonic() >= looked + TEND_SECONDS:
                    looked = time.monotonic() + _look(federation, sender, metrics, log)
                service.work(TEND_SECONDS)
        except stopping.Stopped as stopped:
            stopping.say(stopped)
        finally:
            service.close()


def _look(federation: Federation, sender: Sender, metrics: Metrics, log: BoundLogger) -> float:
    """Looks after what is in flight; seconds to rest after a failure, else 0."""
    try:
        metrics.block.set(federation.chain.head().number)
        sender.tend()
    except TransientError as error:
        metrics.failed(str(error))
        log.warning("will try again", error=str(error), seconds=PAUSE)
        return PAUSE
    metrics.looked = time.monotonic()
    metrics.looks.inc()
    return 0.0
