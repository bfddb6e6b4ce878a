"""Receipts and jobs on narrow terminals: what matters is whole, and no line is broken."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from hansa.cli.job.show import show_job
from hansa.cli.wallet.trainer_receipt import COLUMNS, show_receipt
from hansa.runtime.amounts import Token

TOKEN = Token("0x" + "11" * 20, "HANSA", 18)
TRAINER = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"
MODEL = "QmU2jMcPcfp7K3fG4QmPusKgRoKrYhB7rgRwbpcfKDSX6T"
PAY = 30_473_211_987_654_321_000


def line(round_: int, **more: Any) -> dict[str, Any]:
    known = {"round": round_, "verdict": "malformed", "pay": str(PAY), "strike": True, "root_matches": True}
    measured = {"median_gain": -104_707_500, "median_news": 4_707_500, "included": False}
    averages = {"average_gain": 12.5, "average_news": 0.25, "average_fresh": 1.0}
    return known | measured | averages | {"share": {"differs": 1.25, "part": 0.304}} | more


RECEIPT = {"job": 1, "address": TRAINER, "reward_per_round": str(10**20), "rounds": [line(1), line(2)], "pay": str(PAY)}
JOB = {
    "job": 1,
    "sponsor": TRAINER,
    "state": {"round": 2, "deadline": 99, "phase": "SUBMIT"},
    "spec": {"cid": MODEL, "task": "heart", "rule": "mean", "bits": 8},
    "terms": {"reward_per_round": "1", "fee_per_seat": "1", "min_bond": "1", "max_rounds": 15, "quorum": 2, "seats": 3}
    | {"claim_time": 86_400},
    "claim_until": None,
    "cycles": [
        {"cycle": 1, "round": 1, "updates": [1, 2, 3], "included": 3, "metric": 0.8125, "outcome": "finalised"}
        | {"model": MODEL},
        {"cycle": 2, "round": 2, "updates": [], "outcome": "failed in SUBMIT"},
    ],
    "trainers": [{"address": TRAINER, "bond": str(10**20), "earned": str(PAY), "strikes": 0, "reputation": 1_000_000}],
    "validators": [{"address": TRAINER, "matched": 15, "wrong": 0, "missed": 0}],
    "books": {"escrowed": "1", "left": "1"},
}


def shown(width: int, show: Any, data: dict[str, Any]) -> str:
    out = io.StringIO()
    show(Console(file=out, width=width, highlight=False, emoji=False, soft_wrap=True), data, TOKEN)
    return out.getvalue()


@pytest.mark.parametrize("width", [30, 48, 60, 72, 80, 100, 200])
def test_receipt__shows_the_whole_pay__and_says_what_it_leaves_out(width: int) -> None:
    text = shown(width, show_receipt, RECEIPT)
    heading, *rows = text.splitlines()[1:4]
    assert all(row.rstrip().endswith("30.473211") for row in rows), text
    assert "…" not in text
    assert max(map(len, (heading, *rows))) <= width
    missing = [name for name in COLUMNS if name not in heading]
    assert missing == [] or all(f"not shown in {width} columns" in text and name in text for name in missing)
    assert "pay" in heading


def test_receipt__on_a_wide_screen__shows_all() -> None:
    assert "not shown" not in shown(200, show_receipt, RECEIPT)


@pytest.mark.parametrize("width", [72, 80, 200])
def test_job__breaks_no_name_over_two_lines(width: int) -> None:
    text = shown(width, show_job, JOB)
    tables = text.split("\n\n", 1)[1]
    wide = {True: (MODEL, TRAINER), False: (f"{MODEL[:8]}…{MODEL[-6:]}", f"{TRAINER[:8]}…{TRAINER[-6:]}")}
    for name in wide[width == 200]:
        assert any(name in row for row in tables.splitlines()), text
    assert "30.473211 HANSA" in text
    assert "failed in SUBMIT" in text
    assert max(map(len, tables.splitlines())) <= width
