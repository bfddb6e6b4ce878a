"""A picture of a job: the metric by round as a line, below it each round's pay as bars, a part for each trainer.

One SVG that stands alone: no script, nothing from elsewhere, light or dark as its reader is. Colours are those of Okabe
and Ito, which all kinds of sight tell apart; parts have an outline, and say who and how much when they are pointed at.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from hansa.cli.job.export_view import HistoryView, TrainerTotal
from hansa.cli.job.state import metric_text
from hansa.cli.tables import shortened
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.text import counted, escape_untrusted
from hansa.protocol.types import UNIT, Address
from hansa.runtime.amounts import Token

WIDTH, LEFT, RIGHT = 760, 78, 24  # pixels; of the margins
PLOT = WIDTH - LEFT - RIGHT
LINE_TOP, BARS_TOP, HIGH = 100, 378, 190  # of the two panels
LEGEND_TOP, LEGEND_ROW, LEGEND_COLUMNS, GUTTER = 640, 22, 2, 28
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
DOTTED = 60  # rounds; dots and outlines of more would hide what they mark
LONGEST_TITLE, LONGEST_WORD, LONGEST_NAME = 58, 40, 24  # letters
PLACES, LONGEST_TOTAL = 2, 14  # of amounts in the legend; what is pointed at has more

STYLE = """
text { font: 13px system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; fill: #1b1f24; }
.title { font-size: 19px; font-weight: 600; } .axis { font-weight: 600; } .muted { fill: #596270; }
.paper { fill: #fbfbf9; } .grid { stroke: #dddfdc; } .line { fill: none; stroke: #0b5c6b; stroke-width: 2.5; }
.line, .grid { stroke-linejoin: round; } .dot { fill: #0b5c6b; } .part { stroke: #1b1f24; stroke-width: .6; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
@media (prefers-color-scheme: dark) {
text { fill: #e7e9ea; } .muted { fill: #9ba5af; } .paper { fill: #14171a; } .grid { stroke: #31373d; }
.line { stroke: #6cc3d2; } .dot { fill: #6cc3d2; } .part { stroke: #e7e9ea; }
}
"""


@dataclass(frozen=True)
class Axis:
    """A vertical axis: the numbers that it spans, and the pixels of its panel."""

    low: float
    high: float
    step: float
    top: int

    @classmethod
    def of(cls, values: Iterable[float], top: int, *, from_zero: bool = False) -> Axis:
        """The axis that has room for these values, in round steps."""
        known = list(values) or [0.0, 1.0]
        low, high = (min(0.0, *known), max(known)) if from_zero else (min(known), max(known))
        if high <= low:
            high, low = (
                (low + 1, low) if from_zero else (low + max(0.01, abs(low) / 20), low - max(0.01, abs(low) / 20))
            )
        step = round_step((high - low) / 5)
        return cls(math.floor(low / step) * step, math.ceil(high / step - 1e-9) * step, step, top)

    def y(self, value: float) -> float:
        return self.top + HIGH * (self.high - value) / (self.high - self.low)

    def marks(self) -> Iterator[tuple[float, str]]:
        """Where its lines are, and what is written there."""
        places = max(0, -math.floor(math.log10(self.step) + 1e-9))
        for number in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + number * self.step
            is_plain = places <= 6 and max(abs(self.low), abs(self.high)) < 1e7
            yield value, f"{value:,.{places}f}" if is_plain else f"{value:.3g}"


class Part(NamedTuple):
    """One trainer of the bars and the legend, or all those together that have no colour of their own."""

    label: str
    trainers: frozenset[Address]
    total: int


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not less: 0.013 → 0.02."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least * (1 - 1e-9))


def plot(view: HistoryView) -> str:
    """The SVG of a job with a finalised round."""
    parts = _parts(view.trainers)
    height = LEGEND_TOP + LEGEND_ROW * math.ceil(len(parts) / LEGEND_COLUMNS) + 8
    title = _safe(f"Job {view.job}: {view.title or view.task}", LONGEST_TITLE)
    total = view.token.text(sum(trainer.pay for trainer in view.trainers), PLACES)
    about = _safe(f"{counted(len(view.rounds), 'finalised round')}, {total} earned")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="title about">',
            f'<title id="title">{title}</title>',
            f'<desc id="about">{_safe(view.measure, LONGEST_WORD)} and pay by round: {about}</desc>',
            f"<style>{STYLE}</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            f'<text class="title" x="{RIGHT}" y="36">{title}</text>',
            f'<text class="muted" x="{RIGHT}" y="58">{about}</text>',
            *_metric(view),
            *_pay(view, parts),
            *_numbers([row.round for row in view.rounds]),
            *_legend(parts, view.token),
            "</svg>\n",
        ]
    )


def _metric(view: HistoryView) -> Iterator[str]:
    """The upper panel. A round without a metric leaves a gap."""
    axis = Axis.of((row.metric / UNIT for row in view.rounds if row.metric != NO_METRIC), LINE_TOP)
    yield from _panel(axis, view.measure)
    band = PLOT / len(view.rounds)
    points = [(LEFT + band * (place + 0.5), row) for place, row in enumerate(view.rounds)]
    for is_known, run in groupby(points, lambda point: point[1].metric != NO_METRIC):
        if not is_known:
            continue
        line = [(x, axis.y(row.metric / UNIT), row) for x, row in run]
        if len(line) > 1:
            yield f'<polyline class="line" points="{" ".join(f"{_px(x)},{_px(y)}" for x, y, _ in line)}"/>'
        if len(view.rounds) <= DOTTED or len(line) == 1:
            for x, y, row in line:
                said = f"round {row.round}: {metric_text(row.metric)}"
                yield f'<circle class="dot" cx="{_px(x)}" cy="{_px(y)}" r="3.5"><title>{said}</title></circle>'


def _pay(view: HistoryView, parts: Sequence[Part]) -> Iterator[str]:
    """The lower panel. A round whose pay nobody can claim has no bar."""
    scale = 10**view.token.decimals
    axis = Axis.of(((row.pay or 0) / scale for row in view.rounds), BARS_TOP, from_zero=True)
    yield from _panel(axis, f"pay, {view.token.symbol}")
    band = PLOT / len(view.rounds)
    wide, kind = min(0.7 * band, 56.0), ' class="part"' if len(view.rounds) <= DOTTED else ""
    for place, row in enumerate(view.rounds):
        x, paid = LEFT + band * (place + 0.5) - wide / 2, 0
        for part, colour in zip(parts, COLOURS, strict=False):
            amount = sum(trainer.pay or 0 for trainer in row.trainers if trainer.trainer in part.trainers)
            if not amount:
                continue
            bottom, top = axis.y(paid / scale), axis.y((paid + amount) / scale)
            paid += amount
            said = _safe(f"round {row.round}, {part.label}: {view.token.text(amount)}")
            yield (
                f'<rect{kind} fill="{colour}" x="{_px(x)}" y="{_px(top)}" width="{_px(wide)}" '
                f'height="{_px(bottom - top)}"><title>{said}</title></rect>'
            )


def _panel(axis: Axis, words: str) -> Iterator[str]:
    """Lines, numbers and words of a vertical axis."""
    yield f'<text class="axis" x="{RIGHT}" y="{axis.top - 14}">{_safe(words, LONGEST_WORD)}</text>'
    for value, label in axis.marks():
        y = _px(axis.y(value))
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="muted end" x="{LEFT - 8}" y="{y}" dy=".35em">{label}</text>'


def _numbers(rounds: Sequence[int]) -> Iterator[str]:
    """The rounds below both panels, as many as there is room for, and their word."""
    band = PLOT / len(rounds)
    step = max(1, int(round_step(len(rounds) / 15)))
    for place, number in enumerate(rounds):
        if number % step == 0 or place == 0:
            for top in (LINE_TOP, BARS_TOP):
                x, y = _px(LEFT + band * (place + 0.5)), top + HIGH + 20
                yield f'<text class="muted middle" x="{x}" y="{y}">{number}</text>'
    for top in (LINE_TOP, BARS_TOP):
        yield f'<text class="axis middle" x="{LEFT + PLOT // 2}" y="{top + HIGH + 40}">round</text>'


def _legend(parts: Sequence[Part], token: Token) -> Iterator[str]:
    """Who has which colour, and how much in all."""
    wide = (WIDTH - 2 * RIGHT + GUTTER) // LEGEND_COLUMNS
    for place, (part, colour) in enumerate(zip(parts, COLOURS, strict=False)):
        x = RIGHT + wide * (place % LEGEND_COLUMNS)
        y = LEGEND_TOP + LEGEND_ROW * (place // LEGEND_COLUMNS)
        yield f'<rect class="part" fill="{colour}" x="{x}" y="{y - 11}" width="13" height="13"/>'
        yield f'<text x="{x + 21}" y="{y}">{_safe(part.label, LONGEST_NAME)}</text>'
        yield f'<text class="muted end" x="{x + wide - GUTTER}" y="{y}">{_total(part.total, token)}</text>'


def _parts(trainers: Sequence[TrainerTotal]) -> list[Part]:
    """As they enrolled; where there are more than colours, those that earned least are one, the last."""
    most = sorted(trainers, key=lambda trainer: -trainer.pay)
    own = most if len(trainers) <= len(COLOURS) else most[: len(COLOURS) - 1]
    parts = [
        Part(trainer.name or shortened(trainer.address, short=True), frozenset([trainer.address]), trainer.pay)
        for trainer in trainers
        if trainer in own
    ]
    if rest := [trainer for trainer in trainers if trainer not in own]:
        addresses = frozenset(trainer.address for trainer in rest)
        parts.append(Part(counted(len(rest), "other"), addresses, sum(trainer.pay for trainer in rest)))
    return parts


def _total(amount: int, token: Token) -> str:
    """An amount without its unit, short enough for the legend."""
    text = token.text(amount, PLACES, unit=False)
    return text if len(text) <= LONGEST_TOTAL else f"{amount / 10**token.decimals:.3g}"


def _safe(text: str, most: int = 200) -> str:
    """A text of anybody's, of which nothing is markup, and which is no wider than `most` letters."""
    plain = escape_untrusted(" ".join(text.split()))
    return html.escape(plain if cell_len(plain) <= most else f"{set_cell_size(plain, most - 1).rstrip()}…")


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
