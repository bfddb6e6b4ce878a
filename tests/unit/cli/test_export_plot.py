"""The picture of a job: what it shows, that texts are no markup, and axes with round numbers."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from records import SPONSOR

from hansa.cli.job.export_plot import COLOURS, Axis, plot, round_step
from hansa.cli.job.export_view import HistoryView, RoundRow, TrainerRow, TrainerTotal
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title></svg><script>alert(1)</script>\u202e\x1b[31m&<"


def job(
    metrics: Sequence[int], pays: Sequence[int | None], names: Sequence[str | None] = ("alice", "bob")
) -> HistoryView:
    """A job whose trainers all get the same in a round."""
    addresses = [Address(f"0x{number:040x}") for number in range(len(names))]
    rounds = [
        RoundRow(number, 0, number, metric, 2, 2, "Qm", None, None if pay is None else pay * len(names),
                 [TrainerRow(address, "ok", True, 1, 1, pay, 0, 0) for address in addresses])
        for number, (metric, pay) in enumerate(zip(metrics, pays, strict=True), 1)
    ]  # fmt: skip
    earned = sum(pay or 0 for pay in pays)
    totals = [TrainerTotal(address, name, earned, 0) for address, name in zip(addresses, names, strict=True)]
    token = Token(SPONSOR, "HANSA", 2)
    return HistoryView(
        3, 1, SPONSOR, SPONSOR, "Qm", "heart", "", "accuracy", None, 100, token, None, rounds, [], totals
    )


def drawn(view: HistoryView) -> ElementTree.Element:
    return ElementTree.fromstring(plot(view))


def texts(svg: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{SVG}text")]


def bars(svg: ElementTree.Element) -> list[ElementTree.Element]:
    """The parts of bars; those of the legend have no words of their own."""
    return [rect for rect in svg.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]


def test_plot__has_title_axes_legend_and_every_number() -> None:
    svg = drawn(job([500_000_000, 750_000_000], [1000, 2050]))
    said = texts(svg)
    for words in ("Job 3: heart", "accuracy", "pay, HANSA", "round", "alice", "bob", "30.5"):
        assert words in said, words
    assert "2 finalised rounds, 61 HANSA earned" in said
    (line,) = svg.iter(f"{SVG}polyline")
    assert len(line.attrib["points"].split()) == 2
    shown = [bar.findtext(f"{SVG}title") for bar in bars(svg)]
    assert shown == [
        f"round {r}, {who}: {pay} HANSA" for r, pay in ((1, "10"), (2, "20.5")) for who in ("alice", "bob")
    ]


def test_bars__are_stacked_to_scale() -> None:
    svg = drawn(job([1, 2], [1000, 2000]))
    (first, second, third, fourth) = [{name: float(bar.attrib[name]) for name in ("y", "height")} for bar in bars(svg)]
    assert third["height"] == fourth["height"] == pytest.approx(2 * first["height"], abs=0.02)
    assert second["y"] + second["height"] == pytest.approx(first["y"], abs=0.02)


def test_plot__of_rounds_without_metric_or_pay__leaves_gaps() -> None:
    svg = drawn(job([1, 2, NO_METRIC, 4], [5, None, 5, 0]))
    assert len(list(svg.iter(f"{SVG}polyline"))) == 1 and len(list(svg.iter(f"{SVG}circle"))) == 3
    assert len(bars(svg)) == 4


def test_plot__of_one_round__of_nothing_known__of_huge_amounts() -> None:
    for metric, pay in ((NO_METRIC, None), (0, 0), (-(2**63) + 1, 2**255), (2**63 - 1, 1)):
        assert "Infinity" not in plot(job([metric], [pay])) and "nan" not in plot(job([metric], [pay]))
        drawn(job([metric], [pay]))


def test_plot__of_more_trainers_than_colours__has_the_rest_as_one() -> None:
    svg = drawn(job([1], [100], [f"trainer-{number}" for number in range(20)]))
    assert "13 others" in texts(svg) and len(bars(svg)) == len(COLOURS)
    assert [bar.attrib["fill"] for bar in bars(svg)] == list(COLOURS)


def test_plot__of_many_rounds__has_few_numbers_and_no_dots() -> None:
    svg = drawn(job(list(range(500)), [1] * 500))
    assert not list(svg.iter(f"{SVG}circle"))
    assert texts(svg).count("50") == 2 and len(texts(svg)) < 60


def test_plot__takes_no_text_for_markup__and_cuts_long_ones() -> None:
    view = job([1], [100], [HOSTILE, "医院" * 60])
    svg = drawn(HistoryView(**{**vars(view), "title": HOSTILE * 9, "measure": HOSTILE, "token": Token("", HOSTILE, 2)}))
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} == {
        "svg", "title", "desc", "style", "rect", "text", "line", "circle",
    }  # fmt: skip
    assert max(len(text) for text in texts(svg)[1:]) < 300 and len(texts(svg)[0]) <= 58


@pytest.mark.parametrize("values", [[0.57, 0.62], [-0.2, -0.15], [1e9, 3e9], [0.5], [0.0], [], [1e-7, 3e-7], [-5, 1e6]])
def test_axis__has_room_for_its_values_in_a_few_round_steps(values: list[float]) -> None:
    axis = Axis.of(values, 0)
    marks = list(axis.marks())
    assert 2 <= len(marks) <= 8 and len({label for _, label in marks}) == len(marks)
    assert all(axis.low <= value <= axis.high for value in values)
    assert axis.step == pytest.approx(round_step(axis.step))


def test_axis__of_pay_begins_at_nothing() -> None:
    assert [label for _, label in Axis.of([70.0, 99.9], 0, from_zero=True).marks()] == [
        "0",
        "20",
        "40",
        "60",
        "80",
        "100",
    ]
