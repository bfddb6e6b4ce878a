"""Who was paid what, on wide and narrow terminals: amounts are whole, and what an escrow comes to is its parts."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from job_script import ALICE, DAVE
from rich.console import Console
from test_report_page import HANSA, HOSTILE, PAID

from hansa.audit.paid import Escrow, Paid, Task
from hansa.cli.paid_table import escrow_parts, show_paid
from hansa.cli.unit_option import read_unit, token_in
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Wei


def shown(width: int, paid: Paid = PAID) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, emoji=False, soft_wrap=True)
    show_paid(console, paid, HANSA, {ALICE: "alice"})
    return out.getvalue()


@pytest.mark.parametrize("width", [44, 60, 80, 100, 200])
def test_table__has_every_amount_whole(width: int) -> None:
    text = shown(width)
    for amount in ("999.98", "299.98", "2,000 HANSA", "50 HANSA", "2023-11-14 22:13:20"):
        assert amount in text, amount
    if width in (44, 200):
        assert (ALICE in text, DAVE in text, "bond back" in text, "decided by" in text) == (width == 200,) * 4


def test_table__of_amounts_that_are_not_known() -> None:
    unknown = [replace(item, earned=None, unclaimed=None) for item in PAID.trainers]
    text = shown(100, replace(PAID, unknown_rounds=[1], trainers=unknown, task=Task(HOSTILE, None, "")))
    assert "what trainers earned in round 1 is not known" in text and "–" in text
    assert [char for char in text if not (char.isprintable() or char == "\n")] == [] and "\\u{202e}" in text


def test_escrow__is_the_sum_of_its_parts() -> None:
    assert sum(amount for _, amount in escrow_parts(PAID.escrow)) == PAID.escrow.escrowed
    none = Escrow(*[Wei(0)] * 9)
    assert escrow_parts(none) == [("left for the sponsor or further rounds", 0)]


def test_unit__is_a_symbol_and_decimals() -> None:
    assert token_in(read_unit("HANSA:18"), ALICE).text(15 * 10**17) == "1.5 HANSA"
    assert token_in(read_unit("a:b:0"), ALICE).text(1500) == "1,500 a:b"
    assert token_in(read_unit("\x1b[31m:2"), ALICE).symbol == "\\u{1b}[31m"
    assert token_in(read_unit(None), ALICE).text(1500) == "1,500 units of 0x2222…2222"
    for bad in ("HANSA", ":18", "HANSA:", "HANSA:78", "HANSA:-1", "HANSA:1.5", "HANSA:²", " :1"):
        with pytest.raises(FatalError, match="write it like HANSA:18"):
            read_unit(bad)
