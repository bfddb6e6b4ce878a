"""Receipts and jobs on narrow terminals: what matters is whole, and no line is broken."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from records import BOOKS, STATE, TERMS
from rich.console import Console

from hansa.cli.job import show as job_show
from hansa.cli.job.parties import MEASURES, AdmissionView, CommitteeView, PartiesView
from hansa.cli.job.show import CycleView, FailedView, FinalisedView, JobView, TrainerView, ValidatorView
from hansa.cli.wallet.trainer_receipt import (
    COLUMNS,
    Measured,
    Repeated,
    RoundLine,
    ShareView,
    TrainerReceipt,
    ValidatorsWord,
    explained,
    show_receipt,
)
from hansa.protocol.cid import from_cid
from hansa.protocol.geometry import Likeness
from hansa.protocol.pay import Record, Share
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Phase
from hansa.runtime.amounts import Token
from hansa.runtime.history.records import Submitted
from hansa.runtime.snapshot import Attendance

TOKEN = Token("0x" + "11" * 20, "HANSA", 18)
TRAINER = Address("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65")
MODEL = "QmU2jMcPcfp7K3fG4QmPusKgRoKrYhB7rgRwbpcfKDSX6T"
PAY = 30_473_211_987_654_321_000


def line(round_: int) -> RoundLine:
    return RoundLine(
        round=round_,
        verdict="malformed",
        pay=PAY,
        strike=1,
        reputation=0,
        root_matches=True,
        measured=Measured(False, [], median_gain=-104_707_500, median_news=4_707_500, repeats=None),
        record=Record(12_500_000, 250_000),
        share=ShareView(Share(*range(5)), counted=12_500_000, all_counted=41_000_000, sum_of_p=9, part=0.304),
    )


RECEIPT = TrainerReceipt(reward_per_round=10**20, rounds=[line(1), line(2)], pay=PAY)
UPDATES = [Submitted(TRAINER, from_cid(MODEL))] * 3
SPEC = JobSpec(
    task="heart", title="Beats", about="Four hospitals", metric="accuracy", steps=1, model_bytes=1, update_bytes=1
)
PARTIES = PartiesView(
    CommitteeView(TRAINER, "appointed", [TRAINER], None, f"appointed: the sponsor named {TRAINER}"),
    AdmissionView(TRAINER, "open", [], None, [], None, False, "open: everybody"),
    MEASURES["dealt"],
)
JOB = JobView(
    job=1,
    sponsor=TRAINER,
    state=STATE,
    spec=job_show.SpecView(MODEL, SPEC, None),
    parties=PARTIES,
    terms=TERMS,
    cycles=[
        CycleView(1, 1, UPDATES, "finalised", FinalisedView(MODEL, 812_500_000, 3, [0])),
        CycleView(2, 2, [], "failed in SUBMIT", FailedView(0, Phase.SUBMIT)),
    ],
    trainers=[TrainerView(TRAINER, 10**20, PAY, 0, 1_000_000)],
    validators=[ValidatorView(TRAINER, Attendance(15, 0, 0))],
    claim_until=None,
    books=BOOKS,
)


def show_trainer(console: Console, receipt: TrainerReceipt, token: Token, names: dict[Address, str]) -> None:
    show_receipt(console, receipt, token, TRAINER, names)


def shown(width: int, show: Any, view: Any) -> str:
    out = io.StringIO()
    show(Console(file=out, width=width, highlight=False, emoji=False, soft_wrap=True), view, TOKEN, {})
    return out.getvalue()


@pytest.mark.parametrize("width", [30, 48, 60, 72, 80, 100, 200])
def test_receipt__shows_the_whole_pay__and_says_what_it_leaves_out(width: int) -> None:
    text = shown(width, show_trainer, RECEIPT)
    heading, *rows = text.splitlines()[1:4]
    assert all(row.rstrip().endswith("30.473211") for row in rows), text
    assert "…" not in text
    assert max(map(len, (heading, *rows))) <= width
    missing = [name for name in COLUMNS if name not in heading]
    assert missing == [] or all(f"not shown in {width} columns" in text and name in text for name in missing)
    assert "pay" in heading


def test_receipt__on_a_wide_screen__shows_all() -> None:
    text = shown(200, show_trainer, RECEIPT)
    assert "not shown" not in text
    below = text.partition("total 30.473211 HANSA")[2]
    assert [name for name in COLUMNS[2:] if f"{name}:" not in below and f"{name}," not in below] == []


def test_receipt__of_a_duplicate__says_of_whom_and_how_alike() -> None:
    words = [
        ValidatorsWord(TRAINER, "duplicate", 0, 0, True, Likeness(2, 998_877_665)),
        ValidatorsWord(TRAINER, "ok", 4_707_500, 1_000_000, True, None),
    ]
    measured = Measured(False, words, None, None, Repeated(2, TRAINER, 998_877_665))
    one = replace(line(1), verdict="duplicate", measured=measured, share=None)
    text = shown(200, show_trainer, TrainerReceipt(10**20, [one], 0))
    assert f"too like the update of {TRAINER} (place 2): cosine 0.998878" in text
    assert f"{TRAINER}: duplicate of place 2, cosine 0.998878" in text
    assert f"{TRAINER}: ok, gain 4.708, news 1.000" in text


SHARE = Share(gain=4_000_000, news=1_000_000, all_gain=9_000_000, all_news=3_000_000, p=12 * 10**12)
VIEW = ShareView(SHARE, counted=4_000_000, all_counted=16_000_000, sum_of_p=48 * 10**12, part=0.25)
OK = Measured(True, [], 4_000_000, 1_000_000, None)
LIMITED = replace(VIEW, share=replace(SHARE, news=500_000), counted=3_000_000, part=0.1875)
NO_NEWS = replace(VIEW, share=replace(SHARE, news=0), counted=0, part=0.0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"pay": 25 * 10**18},
            "So far, its updates have taken 4.000 off the error; all together 16.000 counts: 25.00 % of 100 HANSA is "
            "25 HANSA.",
        ),
        (
            {"share": LIMITED, "pay": 18_750_000_000_000_000_000},
            "So far, its updates have taken 4.000 off the error, of which 3.000 counts, for too little of it was news "
            "(0.500); all together 16.000 counts: 18.75 % of 100 HANSA is 18.75 HANSA.",
        ),
        (
            {"share": NO_NEWS},
            "So far, its updates have taken 4.000 off the error, of which 0.000 counts, for too little of it was news "
            "(0.000): no pay.",
        ),
        (
            {"share": replace(VIEW, share=replace(SHARE, gain=0, p=0))},
            "No pay: so far, its updates have taken nothing off the error.",
        ),
        ({"share": None, "measured": None, "verdict": "absent"}, "No pay: no update came."),
        ({"share": None, "verdict": "zero"}, "No pay: The update changes nothing."),
        (
            {"share": None, "measured": replace(OK, included=False)},
            "No pay: the update made the error larger, and was left out.",
        ),
        ({"share": None}, "No pay: validators of the round are not paid for updates."),
    ],
)
def test_receipt__of_any_round__is_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    of = replace(line(1), **{"verdict": "ok", "measured": OK, "share": VIEW, "pay": 0, **changes})
    assert explained(of, 100 * 10**18, TOKEN) == sentence


@pytest.mark.parametrize("width", [72, 80, 200])
def test_job__breaks_no_name_over_two_lines(width: int) -> None:
    text = shown(width, job_show.show, JOB)
    tables = text.split("\n\n", 1)[1]
    wide = {True: (MODEL, TRAINER), False: (f"{MODEL[:8]}…{MODEL[-6:]}", f"{TRAINER[:8]}…{TRAINER[-6:]}")}
    for name in wide[width == 200]:
        assert any(name in row for row in tables.splitlines()), text
    assert "30.473211 HANSA" in text
    assert "failed: train" in text
    assert max(map(len, tables.splitlines())) <= width
