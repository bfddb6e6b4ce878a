"""A daemon's calls: sent once each, logged and counted."""

from __future__ import annotations

from structlog.stdlib import BoundLogger

from hansa.protocol.types import JobId
from hansa.runtime.chain.calls import Call
from hansa.runtime.metrics import Metrics
from hansa.runtime.pace import Alarm
from hansa.runtime.transactions.outcome import Sent
from hansa.runtime.transactions.sender import Mined, Outcome, Pending, Refused, Sender


class Outbox:
    """What one daemon sends for one job."""

    def __init__(self, sender: Sender, job: JobId, alarm: Alarm, metrics: Metrics, log: BoundLogger) -> None:
        self.sender = sender
        sender.on_sign = self._signed
        self._job = job
        self._alarm = alarm
        self._metrics = metrics
        self._log = log

    def send(self, call: Call, *key: int | str | bytes) -> Outcome:
        """Sends `call` once for its key, however often it is asked to; logs what became of it."""
        outcome = self.sender.send(call, key=(self._job, *key))
        match outcome:
            case Mined():
                self._alarm.mined = max(self._alarm.mined, outcome.block)
                self._metrics.sent.inc()
                self._metrics.gas.inc(outcome.gas_used)
                self._log.info(
                    "sent", what=call.what, transaction=outcome.hash, block=outcome.block, gas=outcome.gas_used
                )
            case Refused():
                (self._metrics.refused if outcome.simulated else self._metrics.reverted).inc()
                self._log.info("refused", what=call.what, error=str(outcome.error), simulated=outcome.simulated)
            case Pending():
                self._metrics.pending.inc()
                self._log.info("pending", what=call.what, transaction=outcome.hash)
        return outcome

    def _signed(self, sent: Sent, replaces: bool) -> None:
        self._metrics.signed.inc()
        if replaces:
            self._metrics.replaced.inc()
        self._log.info("signed", what=sent.call.what, transaction=sent.hash, nonce=sent.nonce, replaces=replaces)
