"""What it costs to make a round again from its sealed updates, beyond reading the files.

The audit's own functions on one finalised round: open every update with its content key, judge it by its bytes, find
duplicates, clip, aggregate, and compare the model with the voted one. Files are in memory; reading them, and SHA-256
of their bytes, which every reader of a store pays for, are measured beside.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from benchmarks.report import Cell, Plot, Report, Section, best, load
from hansa.audit.models import is_same
from hansa.audit.openers import Openers
from hansa.audit.report import Report as Findings
from hansa.audit.updates import Cycle, Updates
from hansa.protocol import envelope
from hansa.protocol.cid import digest_of
from hansa.protocol.ledger import Ledger
from hansa.protocol.model import Model, Update, initial_model
from hansa.protocol.result import next_model
from hansa.protocol.sheet import Entry
from hansa.protocol.types import Address, BlockNumber, Code, CycleId, Digest, JobId, Place, Round, Wei
from hansa.runtime.history.records import CycleRecord, Submitted

MILLION = 10**6
N = 10
SEATS = 3
TARGET = "≤ 0.5, full size"
FEDERATION = Address("0x" + "fe" * 20)
JOB, CYCLE = JobId(1), CycleId(2**24 | 3)
PLACE = Place(1, FEDERATION, JOB, CYCLE)


class Memory:
    """Files in memory, handed out unchecked: only what comes after reading is measured."""

    def __init__(self) -> None:
        self.files: dict[Digest, bytes] = {}

    def put(self, data: bytes) -> Digest:
        digest = digest_of(data)
        self.files[digest] = data
        return digest

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        return self.files[digest]


def run(quick: bool) -> Report:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    size, times = (25 * MILLION // 10, 3) if quick else (25 * MILLION, 3)
    store, again = a_round(size)
    data = list(store.files.values())
    words = [np.frombuffer(item, np.uint64, len(item) // 8) for item in data]
    quickest = partial(best, times, clock=time.perf_counter)
    seconds = {
        "audit of the round, files read already": quickest(again),
        "(a plain read of the same bytes)": quickest(lambda: [int(np.max(part)) for part in words]),
        "(SHA-256 of the same bytes, as CIDs)": quickest(lambda: [digest_of(item) for item in data]),
    }
    total = sum(map(len, data))
    rows: list[list[Cell]] = [
        [name, spent, total / 1e9 / spent, TARGET if number == 0 else ""]
        for number, (name, spent) in enumerate(seconds.items())
    ]
    columns = [f"{N} × {size:,} int8", "seconds", "GB/s of sealed bytes", "target"]
    title = "A round made again from its updates, bit for bit"
    section = Section(title, columns, rows, [f"Time that passed, best of {times} runs; {load()}."], 3)
    plot = Plot("Audit of a round", "seconds", list(seconds), {"Hansa": list(seconds.values())})
    return Report("audit", quick, [section], plots=[plot])


def a_round(size: int) -> tuple[Memory, Callable[[], None]]:
    """The sealed updates of a round, and what audits it; raises AssertionError where it finds another model."""
    random = np.random.default_rng(1)
    base = initial_model({"weight": random.standard_normal(size, np.float32)}, 8)
    base_digest = digest_of(base.encode())
    store, content, submitted = Memory(), {}, []
    committee = tuple(Address(f"0x{seat + 1:040x}") for seat in range(SEATS))
    members = tuple(envelope.public_key(bytes([seat + 1]) * 32) for seat in range(SEATS))
    for place in range(N):
        trainer = Address(f"0x{100 + place:040x}")
        values = random.integers(-127, 128, size, np.int8)
        update = Update({"weight": values}, JOB, CYCLE, trainer).encode()
        key = envelope.new_content_key()
        ctx = envelope.context(PLACE, trainer, base_digest)
        digest = store.put(envelope.seal(update, key, ctx, members))
        content[digest] = key
        submitted.append(Submitted(trainer, digest))
    trainers = [update.trainer for update in submitted]
    weights = dict.fromkeys(trainers, 1)
    sheets = [[Entry(Code.OK, 10, 5)] * N] * SEATS
    ledger = Ledger(weights, Wei(10**18), SEATS, "mean").round(trainers, sheets)
    record = CycleRecord(
        CYCLE,
        Round(1),
        bytes(32),
        bytes(32),
        committee,
        members,
        2**SEATS - 1,
        BlockNumber(1),
        tuple(submitted),
        {},
        (),
        None,
    )
    cycle = Cycle(record, base_digest, base, members, ledger, ())
    facts = SimpleNamespace(place=lambda cycle: PLACE, job=JOB)
    context = SimpleNamespace(spec=SimpleNamespace(update_bytes=2 * size + MILLION))
    made: list[Model] = []

    def again() -> None:
        findings = Findings()
        updates = Updates(cast(Any, facts), cast(Any, context), cast(Any, store), Openers({}, content), findings)
        opened = updates.check(cycle)
        assert opened is not None and len(opened) == N and not findings.wrong and not findings.gaps
        made.append(next_model(JOB, base, base_digest, ledger, trainers, opened, weights, "mean"))
        assert is_same(made[0], made.pop() if made[1:] else made[0])

    return store, again
