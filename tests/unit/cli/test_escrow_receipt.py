"""What a validator earned and lost, and where an escrow went, cycle by cycle."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from job_script import ALICE, BOB

from hansa.cli.document import to_json
from hansa.cli.wallet.escrow_receipt import escrow_receipt, fee_receipt
from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.types import BlockNumber, Digest, Phase, Round, Timestamp, Wei
from hansa.runtime.history.records import Failed, Finalized

MEMBERS = ("amy", "ben", "cyd")


LEAVES = [[Leaf(ALICE, pay, 0, 0), Leaf(BOB, 39, 0, 0)] for pay in (60, 61, 50)]
ROOTS = [RewardsTree(LEAVES[0]).root, bytes(32), RewardsTree(LEAVES[2]).root]


def finalised(round_: int, matched: int) -> Finalized:
    root = ROOTS[round_ - 1]
    return Finalized(Round(round_), Digest(bytes(32)), root, 0, matched, bytes(32), Timestamp(9), BlockNumber(1))


def cycle(round_: int, outcome: Any, committed: int, revealed: int, voted: int) -> Any:
    return SimpleNamespace(
        round=round_,
        committee=MEMBERS,
        outcome=outcome,
        commitments=range(committed),
        sheets=[SimpleNamespace(seat=seat) for seat in range(revealed)],
        votes=range(voted),
    )


CYCLES = (
    cycle(1, Failed(Phase.VOTE, 1, Wei(60), Timestamp(9), BlockNumber(1)), 3, 3, 1),
    cycle(1, finalised(1, 0b011), 3, 3, 3),
    cycle(2, finalised(2, 0b001), 2, 2, 1),
    cycle(3, finalised(3, 0b011), 3, 2, 2),
    cycle(4, None, 0, 0, 0),
)
HISTORY = cast(
    Any,
    SimpleNamespace(
        cycles=CYCLES,
        finalised=[(item, item.outcome) for item in CYCLES if isinstance(item.outcome, Finalized)],
        posted=SimpleNamespace(escrow=1000, terms=SimpleNamespace(fee_per_seat=7, full_round=121)),
    ),
)
ROUNDS = cast(Any, [SimpleNamespace(leaves=leaves) for leaves in LEAVES])


def said(member: str) -> list[str]:
    return [line.what for line in fee_receipt(HISTORY, cast(Any, member), None).cycles]


def test_fees__every_way_to_lose_one_is_told() -> None:
    failed = "the cycle failed in VOTE: no seat earns"
    assert said("amy") == [failed, "matched", "matched", "matched", "under way"]
    assert said("ben") == [failed, "matched", "revealed, did not vote", "matched", "under way"]
    assert said("cyd") == [failed, "voted another result", "did not commit", "committed, did not reveal", "under way"]
    assert [fee_receipt(HISTORY, cast(Any, name), None).fees for name in MEMBERS] == [21, 14, 0]


def test_fees__of_one_round__has_its_failed_cycles() -> None:
    found = fee_receipt(HISTORY, cast(Any, "ben"), 1)
    assert [line.cycle for line in found.cycles] == [1, 2] and found.fees == 7


def test_escrow__goes_somewhere_to_the_last_unit() -> None:
    found = escrow_receipt(HISTORY, ROUNDS, None)
    assert [line.pay for line in found.lines] == [0, 99, 0, 89], "round 2 has a root that nobody can claim"
    assert [line.fees for line in found.lines] == [0, 14, 7, 14]
    assert [line.unearned for line in found.lines] == [0, 8, 114, 18]
    assert (found.burnt, found.rest) == (60, 1000 - 60 - 3 * 121)
    assert sum(getattr(found, name) for name in ("pay", "fees", "unearned", "burnt", "rest")) == 1000


def test_escrow__of_one_round__keeps_the_totals() -> None:
    found = escrow_receipt(HISTORY, ROUNDS, 3)
    assert [line.round for line in found.lines] == [3]
    assert found.rest == escrow_receipt(HISTORY, ROUNDS, None).rest


def test_receipts__in_json__have_amounts_as_strings() -> None:
    fees = to_json(fee_receipt(HISTORY, cast(Any, "ben"), 1))
    assert fees["fees"] == "7" and [line["fee"] for line in fees["cycles"]] == ["0", "7"] and fees["matched"] == 1
    escrow = to_json(escrow_receipt(HISTORY, ROUNDS, 3))
    assert escrow["lines"] == [{"round": 3, "cycle": 4, "pay": "89", "fees": "14", "unearned": "18", "burnt": "0"}]
    assert list(escrow) == ["lines", "pay", "fees", "unearned", "burnt", "escrow", "rest"]
