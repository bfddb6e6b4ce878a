"""What operators watch: a daemon's metrics for Prometheus, and whether it still looks at the chain."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.registry import Collector

STALE_SECONDS = 60.0  # without a look at the chain, after which a daemon is not healthy


class Metrics:
    """One daemon's metrics, in a registry of their own. docs/operations.md lists them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.started = time.monotonic()
        self.looked: float | None = None  # monotonic
        self.trouble = "it has not looked at the chain yet"
        self.needs: str | None = None  # what only the operator can mend
        self.job = self._gauge("hansa_job", "The job's number.")
        self.round = self._gauge("hansa_round", "The round under way, from 1.")
        self.phase = self._gauge("hansa_phase", "The job's phase, as the contract numbers it.")
        self.deadline = self._gauge("hansa_phase_deadline_seconds", "When the phase ends, Unix time; 0: never.")
        self.block = self._gauge("hansa_block", "Number of the last block seen.")
        self.block_time = self._gauge("hansa_block_timestamp_seconds", "Time of the last block seen, Unix time.")
        self.looks = self._counter("hansa_looks_total", "Looks at the chain that went well.")
        self.retries = self._counter("hansa_transient_errors_total", "Failures that were tried again.")
        self.sent = self._counter("hansa_transactions_mined_total", "Calls of this daemon that were mined.")
        self.refused = self._counter("hansa_transactions_refused_total", "Calls that the contract refused.")
        self.pending = self._counter("hansa_transactions_pending_total", "Waits for a receipt that ended without one.")
        self.gas = self._counter("hansa_gas_used_total", "Gas of the calls that were mined.")
        self.signed = self._counter("hansa_transactions_signed_total", "Transactions that were signed, to be sent.")
        self.replaced = self._counter("hansa_transactions_replaced_total", "Those of them in the place of another.")
        self.reverted = self._counter("hansa_transactions_failed_total", "Transactions mined without success.")
        self.bytes_put = self._counter("hansa_store_put_bytes_total", "Bytes given to the store.")
        self.bytes_got = self._counter("hansa_store_got_bytes_total", "Bytes fetched from the store.")
        self.store_failures = self._counter("hansa_store_failures_total", "Times that the store failed.")
        self.missed = self._gauge("hansa_missed_cycles", "Finalised cycles without this daemon's update or vote.")
        self.claimed = self._counter("hansa_claimed_units_total", "Rewards or fees claimed, in the smallest unit.")
        self.work = {
            "training": self._counter("hansa_training_seconds_total", "Seconds spent training."),
            "measuring": self._counter("hansa_measuring_seconds_total", "Seconds spent measuring."),
            "aggregating": self._counter("hansa_aggregating_seconds_total", "Seconds spent aggregating."),
        }
        self.doing: tuple[str, float, int] | None = None  # kind of work, monotonic since, Unix time that it may last to
        self.stands = self._gauge("hansa_stands_still", "1 where nothing goes on until the operator acts, else 0.")
        self.journal = self._gauge("hansa_journal_bytes", "The journal's size on disk, files and all.")

    def seen(self, *, job: int, round_: int, phase: int, deadline: int, block: int, timestamp: int) -> None:
        """Notes a look at the chain."""
        self.looked = time.monotonic()
        self.looks.inc()
        self.job.set(job)
        self.round.set(round_)
        self.phase.set(phase)
        self.deadline.set(deadline)
        self.block.set(block)
        self.block_time.set(timestamp)

    @contextmanager
    def working(self, kind: str, until: int) -> Iterator[None]:
        """Counts the seconds of a long step, during which the daemon is healthy up to `until` (Unix time)."""
        began = time.monotonic()
        self.doing = (kind, began, until)
        try:
            yield
        finally:
            self.doing = None
            self.work[kind].inc(time.monotonic() - began)

    def failed(self, cause: str) -> None:
        self.retries.inc()
        self.trouble = cause

    def stand_still(self, cause: str | None) -> None:
        """Notes what only the operator can mend; None: nothing now."""
        self.needs = cause
        self.stands.set(cause is not None)

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether the daemon has looked at the chain lately and can go on, and what to show."""
        age = time.monotonic() - (self.started if self.looked is None else self.looked)
        shown: dict[str, Any] = {"healthy": self.looked is not None and age <= STALE_SECONDS, "looked": round(age, 1)}
        if (doing := self.doing) is not None:
            kind, since, until = doing
            shown |= {"doing": kind, "seconds": round(time.monotonic() - since, 1)}
            shown["healthy"] = shown["healthy"] or time.time() <= until
        if not shown["healthy"]:
            shown["cause"] = self.trouble
        if self.needs is not None:
            shown |= {"healthy": False, "cause": self.needs}
        return shown["healthy"], shown

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)


class ServiceMetrics(Collector):
    """The metrics of a process that serves several jobs: every sample says by its label `job` which one it is of."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.by_job: dict[int, Metrics] = {}
        self.looked = time.monotonic()  # for jobs

    def collect(self) -> Iterator[Metric]:
        """By family, the samples of all jobs."""
        families: dict[str, Metric] = {}
        for job, metrics in sorted(self.by_job.items()):
            for found in metrics.registry.collect():
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    family.add_sample(sample.name, {**sample.labels, "job": str(job)}, sample.value)
        yield from families.values()

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether every job is looked after, or waits for one in which something long is done; and what to show."""
        served = sorted(self.by_job.items())  # copied at once: another thread changes it
        found = {job: metrics.health() for job, metrics in served}
        new = {job for job, metrics in served if metrics.looked is None}
        at_work = any("doing" in shown and healthy for healthy, shown in found.values())
        idle = time.monotonic() - self.looked
        all_well = all(healthy or job in new for job, (healthy, _) in found.items())
        healthy = at_work or (idle <= STALE_SECONDS and all_well)
        shown: dict[str, Any] = {"healthy": healthy, "looked": round(idle, 1)}
        return healthy, {**shown, "jobs": {str(job): shown for job, (_, shown) in found.items()}}
