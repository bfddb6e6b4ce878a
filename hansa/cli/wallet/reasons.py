"""Why a trainer earned what it did in a job, in a few groups of rounds, each with its amount, the reason and a remedy.

The sentences are of tables.json; the page fills the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from rich.console import Console

from hansa.cli.document import HIDDEN, Amount
from hansa.cli.wallet.trainer_receipt import RoundLine
from hansa.protocol.tables import TABLES
from hansa.protocol.text import counted, ranges
from hansa.protocol.types import Address, Code
from hansa.runtime.amounts import Token, fixed

SUMMARY: Final[Mapping[str, str]] = TABLES["why"]["summary"]
EACH: Final[str] = TABLES["why"]["each"]
GROUPS: Final[Mapping[str, Mapping[str, str]]] = {row["kind"]: row for row in TABLES["why"]["groups"]}
"""By kind, in the order in which they are told."""

PLACES: Final = 2  # of an amount in a sentence

Name = Callable[[Address], str]


@dataclass(frozen=True)
class Group:
    """Rounds of one kind. amount: of them all. lines: what the receipt has of each."""

    kind: str
    rounds: list[int]
    amount: Amount
    lines: Annotated[list[RoundLine], HIDDEN]


@dataclass(frozen=True)
class Why:
    """A trainer's part in a job. all_earned: by every trainer."""

    groups: list[Group]
    all_earned: Amount


@dataclass(frozen=True)
class Told:
    """A group in words. each: what a round of several paid, from least to most."""

    title: str
    rounds: str
    amount: str
    each: str
    reason: str
    remedy: str


def groups_of(lines: Sequence[RoundLine]) -> list[Group]:
    """Every round stands in one group, so their amounts sum up to what was earned."""
    found: dict[tuple[int, Address | None], list[RoundLine]] = {}
    order = list(GROUPS)
    for line in lines:
        kind = kind_of(line)
        whom = _whom(line) if kind == "duplicate" else None
        found.setdefault((order.index(kind), whom), []).append(line)
    return [
        Group(order[place], [line.round for line in of], sum(line.pay for line in of), of)
        for (place, _), of in sorted(found.items(), key=lambda item: (item[0][0], item[1][0].round))
    ]


def kind_of(line: RoundLine) -> str:
    """Which group a round belongs to."""
    if not line.root_matches and (line.pay or line.strike):
        return "misvoted"
    if line.measured is None:
        return "absent"
    match Code[line.verdict.upper()]:
        case Code.OK:
            return _kind_of_used(line) if line.measured.included else "left_out"
        case Code.MALFORMED:
            return "strike"
        case Code.DUPLICATE:
            return "alike" if line.measured.repeats is None else "duplicate"
        case code:
            return code.name.lower()


def _kind_of_used(line: RoundLine) -> str:
    if line.share is None:
        return "member"
    share = line.share.share
    if share.p == 0:
        return "no_news" if share.gain else "no_gain"
    if line.pay == 0:
        return "dust"
    return "limited" if line.share.counted < share.gain else "paid"


def summary_of(why: Why, token: Token) -> list[str]:
    """Two to four sentences; none where there is no round."""
    lines = [line for group in why.groups for line in group.lines]
    if not lines:
        return []
    gains = [line.measured.median_gain or 0 for line in lines if line.measured is not None]
    used = sum(line.measured is not None and line.measured.included for line in lines)
    lowered, raised = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    said = [SUMMARY["used"].format(used=used, rounds=counted(len(lines), "round"))]
    if lowered or raised:
        said.append(SUMMARY["moved"].format(lowered=_rounds(lowered), raised=_rounds(raised)))
    earned = sum(group.amount for group in why.groups)
    if earned:
        part = _tenths(1000 * earned // why.all_earned)
        said.append(SUMMARY["part"].format(earned=token.text(earned, PLACES), part=part))
    if any(line.pay and line.measured and (line.measured.median_gain or 0) <= 0 for line in lines):
        said.append(SUMMARY["weak"])
    return said


def told(group: Group, token: Token, name: Name) -> Told:
    """A group in words. name: what an account is called."""
    row, values = GROUPS[group.kind], _values(group, token, name)
    rounds = f"{'round' if len(group.rounds) == 1 else 'rounds'} {ranges(group.rounds)}"
    title, reason, remedy = (row[part].format(**values) for part in ("title", "reason", "remedy"))
    each = EACH.format(**values) if group.amount and len(group.rounds) > 1 else ""
    return Told(title, rounds, token.text(group.amount), each, reason, remedy)


def _values(group: Group, token: Token, name: Name) -> dict[str, str]:
    """What a group's sentences are filled with; ranges go over its rounds."""
    lines = group.lines
    shares = [line.share for line in lines if line.share is not None and line.share.share.gain]
    measured = [line.measured for line in lines if line.measured is not None]
    repeats = [each.repeats for each in measured if each.repeats is not None]
    values = {"pay": f"{_span([line.pay for line in lines], _plain(token))} {token.symbol}"}
    if shares:
        values["counted"] = _span([1000 * view.counted // view.share.gain for view in shares], _tenths)
    if group.kind == "left_out":
        values["harm"] = _span([-(each.median_gain or 0) for each in measured], _harm)
    if repeats:
        values["whom"] = name(repeats[0].trainer)
        values["cosine"] = _span([each.cosine for each in repeats], lambda cosine: _decimal(cosine, 9, 6))
    return values


def _whom(line: RoundLine) -> Address | None:
    repeats = line.measured and line.measured.repeats
    return repeats.trainer if repeats else None


def _span(values: Sequence[int], text: Callable[[Any], str]) -> str:
    """'1.5 to 2', or '2' where they read alike."""
    low, high = text(min(values)), text(max(values))
    return low if low == high else f"{low} to {high}"


def _plain(token: Token) -> Callable[[int], str]:
    return lambda amount: token.text(amount, PLACES, unit=False)


def _tenths(value: int) -> str:
    return f"{value // 10}.{value % 10}"


def _decimal(value: int, decimals: int, places: int) -> str:
    """As the page writes numbers: thousands apart."""
    whole, _, rest = fixed(abs(value), decimals, places).partition(".")
    return f"{'−' if value < 0 else ''}{int(whole):,}.{rest}"


def _harm(value: int) -> str:
    """In thousandths; never 0 for something that isn't."""
    return "<0.001" if 0 < value < 500 else _decimal(value, 6, 3)


def _rounds(number: int) -> str:
    return counted(number, "round") if number else "none"


def show_reasons(console: Console, why: Why, token: Token, name: Name) -> None:
    """The groups for people, two or three lines each."""
    if said := summary_of(why, token):
        console.print(" ".join(said))
    for group in why.groups:
        text = told(group, token, name)
        each = f" ({text.each})" if text.each else ""
        console.print(f"  [bold]{text.title}[/] in {text.rounds}: {text.amount}{each}")
        console.print(f"    {' '.join(filter(None, (text.reason, text.remedy)))}")
