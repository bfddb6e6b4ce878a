"""A finalised round in words: why updates were left out, and how the metric moved."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hansa.cli.job.rounds import change_text, updates_text
from hansa.cli.job.watch import fetch_command
from hansa.protocol.cid import from_cid
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.tables import VERDICTS
from hansa.protocol.types import Address, Code

MODEL = "QmU2jMcPcfp7K3fG4QmPusKgRoKrYhB7rgRwbpcfKDSX6T"
ADDRESSES = [Address(f"0x{digit * 40}") for digit in "1234567"]
NAMES = {address: f"trainer-{number}" for number, address in enumerate(ADDRESSES[:-1], 1)}


def told(codes: list[Code], included: list[int]) -> str:
    cycle = SimpleNamespace(updates=[SimpleNamespace(trainer=address) for address in ADDRESSES[: len(codes)]])
    ledger = SimpleNamespace(included=included, judgements=[SimpleNamespace(code=code) for code in codes])
    return updates_text(cast(Any, cycle), cast(Any, ledger), NAMES)


def test_updates__that_all_count() -> None:
    assert told([Code.OK], [0]) == "1 update"
    assert told([Code.OK] * 4, [0, 1, 2, 3]) == "4 updates"


def test_update__that_was_left_out__is_named_with_the_reason() -> None:
    assert told([Code.OK] * 4, [0, 2, 3]) == "3 of 4 updates used: trainer-2's was left out, it made the error larger"
    assert told([Code.ZERO], []) == "0 of 1 update used: trainer-1's changed nothing"


def test_updates__of_many_reasons__and_of_an_account_without_a_name() -> None:
    codes = [Code.OK, Code.UNREACHABLE, Code.DUPLICATE]
    assert (
        told(codes, [0]) == "1 of 3 updates used: trainer-2's could not be had; trainer-3's was too like an earlier one"
    )
    assert told([Code.MALFORMED] * 7, []).endswith("trainer-4's was malformed; 3 more")
    assert told([Code.OK] * 7, list(range(6))).endswith(": 0x777777…777777's was left out, it made the error larger")


def test_reasons__are_of_every_verdict() -> None:
    assert len({VERDICTS[code].left_out for code in Code}) == len(Code)


@pytest.mark.parametrize(
    ("metric", "before", "said"),
    [
        (812_500_000, None, "0.8125"),
        (837_500_000, 812_500_000, "0.8375 (+0.0250)"),
        (-200_000_000, -150_000_000, "-0.2000 (-0.0500)"),
        (812_500_000, 812_500_000, "0.8125 (+0.0000)"),
        (NO_METRIC, 812_500_000, "–"),
    ],
)
def test_change__of_the_metric(metric: int, before: int | None, said: str) -> None:
    assert change_text(metric, before) == said


def test_model__is_fetched_by_a_command_of_its_store() -> None:
    model = from_cid(MODEL)
    assert fetch_command(model, {"kind": "local", "path": "/a b"}) == f"cp '/a b/6T/{MODEL}' model.safetensors"
    kubo = {"kind": "kubo", "api": "/ip4/127.0.0.1/tcp/5001"}
    assert fetch_command(model, kubo) == f"ipfs --api /ip4/127.0.0.1/tcp/5001 cat {MODEL} > model.safetensors"
