"""The figures of docs/scale.md are what the measured gas comes to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hansa.sponsor.cost import ANYBODY, SPONSOR, TRAINER, VALIDATOR, Plan, costs, gas_table, paid_by, round_gas

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "scale.md").read_text()
CELL = 1000
CHAINS = ((36e6, 12, 1e9), (30e6, 2, 1e7), (30e6, 1, 0))  # gas of a block, its seconds, wei a unit


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its first two lines."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def whole(text: str) -> int:
    return int(text.replace(",", ""))


def plan(trainers: int) -> Plan:
    return Plan(trainers, 5, 15, trainers)


def test_parties__pay_what_the_page_says() -> None:
    for trainers, *told in rows("Who pays what"):
        found = costs(plan(whole(trainers)))
        expected = [round_gas(plan(whole(trainers))), *(paid_by(found, who) for who in (TRAINER, VALIDATOR, SPONSOR))]
        assert [whole(text) for text in told] == expected, trainers
        assert f"{paid_by(found, ANYBODY):,}" in PAGE and f"{gas_table()['submit']:,} gas" in PAGE


def test_privacy_and_drawn_committees__cost_what_the_page_says() -> None:
    plain = costs(plan(10))
    for mode in ("threshold", "masked"):
        more = paid_by(costs(replace(plan(10), privacy=mode)), VALIDATOR) - paid_by(plain, VALIDATOR)
        assert f"{more:,}" in PAGE, mode
    drawn = costs(replace(plan(10), consensus="staked"))
    assert f"up to {paid_by(drawn, ANYBODY) - paid_by(plain, ANYBODY):,} gas more" in PAGE


def test_rounds__take_what_the_page_says() -> None:
    for trainers, gas, *told in rows("A round on different chains"):
        cells, rest = divmod(whole(trainers), CELL)
        expected = round_gas(plan(rest)) if rest else (cells + (cells > 1)) * round_gas(plan(CELL))
        assert whole(gas) == expected, trainers
        for text, (block, seconds, price) in zip(told, CHAINS, strict=True):
            numbers = [float(number.replace(",", "")) for number in re.findall(r"[\d.,]*\d", text)]
            wanted = [expected / block * seconds, *([expected * price / 1e18] if price else [])]
            assert all(abs(a - b) <= 0.01 * b for a, b in zip(numbers, wanted, strict=True)), (text, wanted)
