"""The gas of rounds: which transactions belong to which, and what a node that has forgotten them leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from job_script import ALICE, BOB, FEDERATION, JOB, Script

from hansa.cli.job.round_gas import OF_A_ROUND, gas_by_round
from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log
from hansa.runtime.chain.node_errors import NodeError, Nonsense

TOPICS = {artifact("Federation").event(name).topic for name in OF_A_ROUND}


def sent(number: int) -> bytes:
    return number.to_bytes(32, "big")


def played() -> list[Log]:
    """Round 1 after a failed cycle, round 2, and the beginning of round 3, each event by a transaction of its own."""
    script = Script().enrol(ALICE, BOB).open().submit(ALICE).fail(Phase.SUBMIT)
    script.open().submit(ALICE, BOB).score(0, 1, 2).decide(0, 1, 2)
    script.open().submit(BOB).score(0, 1).decide(0, 1)
    script.open().submit(ALICE)
    return [replace(log, transaction=sent(number)) for number, log in enumerate(script.logs, 1)]


def gas(logs: Sequence[Log], answer: Callable[[int], Any]) -> dict[int, int]:
    """answer: a node's receipt of the transaction of this number."""

    def ask(batch: Sequence[Any], *, check: Callable[[list[Any]], None]) -> None:
        check([answer(int(parameters[0], 16)) for _, parameters in batch])

    def read(address: str, topics: Sequence[Any], start: int, end: Any) -> list[Log]:
        assert (address, set(topics[0]), topics[1], start) == (FEDERATION, TOPICS, JOB.to_bytes(32, "big"), 0)
        return [log for log in logs if log.topics[0] in TOPICS]

    chain = SimpleNamespace(logs=read, rpc=SimpleNamespace(ask=ask))
    history = SimpleNamespace(job=JOB, posted=SimpleNamespace(block=0), finalised=[None, None])
    federation = SimpleNamespace(chain=chain, address=FEDERATION)
    return gas_by_round(cast(Any, federation), cast(Any, history), cast(Any, None))


def one(number: int) -> Any:
    return {"gasUsed": "0x1"}


def test_gas__is_of_what_was_done_for_a_round__failed_cycles_included() -> None:
    first = 3 + 1 + 2 + 6 + 3 + 1  # the failed cycle; OPEN, updates, sheets twice, votes, end
    assert gas(played(), one) == {1: first, 2: 1 + 1 + 4 + 2 + 1}, "nothing of posting, enrolling, or round 3"


def test_gas__of_several_things_in_one_transaction__counts_once() -> None:
    bundled = [replace(log, transaction=sent(1)) if log.block < 7 else log for log in played()]
    before, after = gas(played(), one), gas(bundled, one)
    assert before[1] - after[1] == sum(log.block < 7 and log.topics[0] in TOPICS for log in bundled) - 1
    assert before[2] == after[2]


@pytest.mark.parametrize("missing", [{"transaction": b""}, {"transaction": sent(999)}])
def test_gas__of_a_round_whose_receipts_are_not_all_there__is_left_out(missing: dict[str, bytes]) -> None:
    logs = played()
    of_second = max(
        place for place, log in enumerate(logs) if log.topics[0] == artifact("Federation").event("RoundFinalized").topic
    )
    logs[of_second] = replace(logs[of_second], **missing)  # type: ignore[arg-type]
    assert set(gas(logs, lambda number: None if number == 999 else one(number))) == {1}


def test_gas__of_a_node_that_tells_none__is_not_known() -> None:
    def refuses(number: int) -> Any:
        raise NodeError("eth_getTransactionReceipt", -32601, "the method does not exist")

    assert gas(played(), refuses) == {}


def test_gas__of_nonsense__or_no_node__is_an_error() -> None:
    with pytest.raises(Nonsense):
        gas(played(), lambda number: {"gasUsed": "1"})

    def silent(number: int) -> Any:
        raise ChainUnavailable("no answer")

    with pytest.raises(ChainUnavailable):
        gas(played(), silent)
