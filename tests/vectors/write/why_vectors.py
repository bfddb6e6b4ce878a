"""Writes tests/vectors/why.json: why the trainers of pay.json earned what they did, as `hansa wallet why` says.

`python tests/vectors/write/why_vectors.py` writes it, `--check` says whether the committed file is what would be
written. Accounts are called by their address. The page must say the same, word for word.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any, Final, cast

import pay_vectors
from vector_file import VECTORS, write_or_check

from hansa.cli.wallet.reasons import Why, groups_of, summary_of, told
from hansa.cli.wallet.trainer_receipt import RoundLine, line_of
from hansa.protocol.ledger import Ledger, RoundLedger
from hansa.protocol.sheet import decode_sheet
from hansa.protocol.types import Address, Seat, Wei
from hansa.runtime.amounts import Token
from hansa.runtime.history.records import CycleRecord, Revealed, Submitted

PATH: Final = VECTORS / "why.json"
TOKEN: Final = Token("")
MISVOTED: Final = {"four hospitals: a drop, a strike, an absence, a seat missing": [4]}
"""Rounds of which other pay was voted, by job."""


def make() -> list[dict[str, Any]]:
    """What is said of every trainer of every job."""
    return [_job(job) for job in pay_vectors.make()]


def _job(job: dict[str, Any]) -> dict[str, Any]:
    lost = MISVOTED.get(job["what"], [])
    played = list(_rounds(job))
    earned = sum(leaf.pay for _, ledger in played for leaf in ledger.leaves)
    trainers = {}
    for address in (each["address"] for each in job["trainers"]):
        lines: list[RoundLine] = [
            line_of(cycle, ledger, address, number, number not in lost)
            for number, (cycle, ledger) in enumerate(played, 1)
        ]
        trainers[address] = _why(Why(groups_of(lines), earned))
    return {"what": job["what"], "misvoted": lost, "trainers": trainers}


def _why(why: Why) -> dict[str, Any]:
    groups = [
        {"kind": group.kind, "units": str(group.amount), "of": group.rounds, **asdict(told(group, TOKEN, str))}
        for group in why.groups
    ]
    return {"summary": summary_of(why, TOKEN), "groups": groups}


def _rounds(job: dict[str, Any]) -> Iterator[tuple[CycleRecord, RoundLedger]]:
    """The job of pay.json again. Its validators are nobody of its trainers."""
    weights = {Address(each["address"]): int(each["weight"]) for each in job["trainers"]}
    ledger = Ledger(weights, Wei(int(job["reward_per_round"])), int(job["seats"]), job["rule"])
    for facts in job["rounds"]:
        submitted = [Address(address) for address in facts["submitted"]]
        sheets = [bytes.fromhex(sheet[2:]) for sheet in facts["sheets"]]
        result = ledger.round(submitted, [decode_sheet(s, len(submitted)) for s in sheets], set(facts["unpaid"]))
        cycle = SimpleNamespace(
            updates=tuple(Submitted(address, cast(Any, bytes(32))) for address in submitted),
            sheets=tuple(Revealed(Seat(i), sheet, b"") for i, sheet in enumerate(sheets)),
            committee=tuple(f"validator {i}" for i in range(len(sheets))),
            place_of=lambda trainer, among=submitted: among.index(trainer) if trainer in among else None,
        )
        yield cast(CycleRecord, cycle), result
        ledger = result.after


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:]))
