"""Token amounts between people and chain."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol.errors import FatalError
from hansa.runtime.amounts import Token, fixed

HANSA = Token("0x", "HANSA", 18)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("1", 10**18),
        ("12.5", 125 * 10**17),
        ("0.000000000000000001", 1),
        ("1_000", 10**21),
        (" 2 ", 2 * 10**18),
    ],
)
def test_units__are_exact(text: str, units: int) -> None:
    assert HANSA.units(text) == units


@pytest.mark.parametrize("text", ["", "x", "1,5", "-1", "nan", "inf", "1e80", "0.0000000000000000001", "0x10", "1e-19"])
def test_units__of_what_is_no_amount__say_which(text: str) -> None:
    with pytest.raises(FatalError) as raised:
        HANSA.units(text, "--reward")
    assert "--reward" in str(raised.value)


def test_signed__may_be_negative() -> None:
    assert Token("", "", 9).signed("-0.25", "--target") == -250_000_000


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 HANSA"),
        (1, "<0.000001 HANSA"),
        (10**18, "1 HANSA"),
        (1234567 * 10**18 + 5 * 10**17, "1,234,567.5 HANSA"),
        (10**18 - 1, "0.999999 HANSA"),
        (-(10**18), "-1 HANSA"),
    ],
)
def test_text__rounds_down_and_never_hides_something(amount: int, text: str) -> None:
    assert HANSA.text(amount) == text


def test_text__of_a_token_without_decimals() -> None:
    assert Token("", "SEAT", 0).text(1500) == "1,500 SEAT"


@given(st.integers(-(10**12), 10**12), st.sampled_from([(6, 3), (9, 4), (4, 1)]))
def test_fixed__rounds_half_to_even(units: int, form: tuple[int, int]) -> None:
    decimals, places = form
    exactly = Decimal(units).scaleb(-decimals).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    assert Decimal(fixed(units, decimals, places)) == exactly
    assert len(fixed(units, decimals, places).partition(".")[2]) == places
