"""The ledgers of a job's rounds: which are in memory, and what is worked out once more."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from desks import JOB, GivenJob

from hansa.protocol.ledger import RoundLedger
from hansa.protocol.sheet import Entry, encode_sheet
from hansa.protocol.types import Address, Code, Digest, Phase, Round
from hansa.runtime.history.records import Finalized, JobHistory
from hansa.runtime.replay import Replay

ALICE, BOB, MEMBER = (Address("0x" + digit * 40) for digit in "ab9")
CONTEXT: Any = SimpleNamespace(
    terms=SimpleNamespace(reward_per_round=100, seats=1),
    spec=SimpleNamespace(rule="mean"),
    weights=lambda enrolled: {ALICE: 1, BOB: 1},
)


def finalised(*hashes: bytes) -> list[Any]:
    """A cycle for each result hash; what an odd one's only member measured was nothing."""
    cycles = list[Any]()
    for number, result in enumerate(hashes, 1):
        outcome = Finalized(Round(number), Digest(bytes(32)), bytes(32), 0, 1, result, *cast(Any, (9, number)))
        entry = Entry(Code.UNREACHABLE) if result[0] % 2 else Entry(Code.OK, 10 + number, 5)
        trainer = (ALICE, BOB)[number % 2]
        cycles.append(
            SimpleNamespace(
                outcome=outcome,
                updates=(SimpleNamespace(trainer=trainer),),
                committee=(MEMBER,),
                sheets=[SimpleNamespace(seat=0, sheet=encode_sheet([entry]))],
            )
        )
    return cycles


def history(*hashes: bytes) -> JobHistory:
    return JobHistory(JOB, cast(Any, None), (), tuple(finalised(*hashes)), (), None)


def codes(rounds: list[RoundLedger]) -> list[Code]:
    return [item.judgements[0].code for item in rounds]


def test_replay__rounds_that_the_chain_replaced__are_read_again() -> None:
    replay = Replay(CONTEXT, {ALICE: 1, BOB: 1})
    assert len(replay.follow(history(b"\x00", b"\x02"))) == 2
    first = replay.rounds[0]
    assert replay.follow(history(b"\x00", b"\x02", b"\x04"))[0] is first
    assert len(replay.follow(history(b"\x00"))) == 1
    assert codes(replay.follow(history(b"\x01", b"\x02"))) == [Code.UNREACHABLE, Code.OK]


def test_replay__that_keeps_two_rounds__comes_to_the_same() -> None:
    hashes = [bytes([2 * number]) for number in range(7)]
    whole, short = Replay(CONTEXT, {ALICE: 1, BOB: 1}), Replay(CONTEXT, {ALICE: 1, BOB: 1}, keep=2)
    for upto in (1, 2, 3, 7):
        every = whole.follow(history(*hashes[:upto]))
        assert short.follow(history(*hashes[:upto])) == every[-2:]
        assert (short.count, short.forgotten) == (upto, max(0, upto - 2))
    following = finalised(*hashes, b"\x0e")[-1]
    assert short.attempt(following) == whole.attempt(following)
    replaced = history(*hashes[:4], b"\x09", b"\x0a")
    assert short.follow(replaced) == whole.follow(replaced)[-2:] and short.count == 6


def test_ledgers__of_rounds_that_are_not_in_memory__are_worked_out_once_more(tmp_path: Path) -> None:
    hashes = [bytes([2 * number]) for number in range(6)]
    short, whole = (GivenJob(tmp_path, finalised(*hashes), CONTEXT) for _ in range(2))
    short.keep_ledgers = 2
    short.state = whole.state = cast(Any, SimpleNamespace(phase=Phase.SUBMIT))
    for after in (0, 3, 4, 5, 6, 7):
        assert short.ledgers(after) == whole.ledgers()[after:], after
    assert short.replay().forgotten == 4
    short.state = cast(Any, SimpleNamespace(phase=Phase.COMPLETED))
    assert short.ledgers() == whole.ledgers() and short.replay().forgotten == 0, "it is claimed by all of them"
