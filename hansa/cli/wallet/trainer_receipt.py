"""Why a trainer was paid what it was: the rule of the ledger, step by step, from the sheets on chain."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hansa.cli.tables import fitting
from hansa.protocol.errors import FatalError
from hansa.protocol.pay import Record
from hansa.protocol.sheet import decode_sheet
from hansa.protocol.types import Code
from hansa.runtime.amounts import fixed
from hansa.runtime.snapshot import JobSnapshot, SettledSnapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from hansa.protocol.ledger import RoundLedger
    from hansa.protocol.types import Address
    from hansa.runtime.amounts import Token
    from hansa.runtime.history.reader import CycleRecord

COLUMNS = ("round", "verdict", "gain", "news", "avg gain", "avg news", "fresh", "differs", "share", "pay")
LEAST_FIRST = ("fresh", "avg news", "avg gain", "differs", "news", "gain", "verdict", "share")
"""Columns that a narrow screen does without, in this order; never the pay."""


def receipt(view: SettledSnapshot, trainer: Address, round_: int | None) -> dict[str, Any]:
    """A trainer's receipt: every finalised round, or one.

    Gains and news in 1e-9 of validation loss, running averages in multiples of a round's mean; amounts are strings.
    """
    check_round(view, round_)
    numbers = range(1, len(view.rounds) + 1) if round_ is None else [round_]
    lines = [_line(view, trainer, number) for number in numbers]
    return {
        "job": view.job,
        "address": trainer,
        "reward_per_round": str(view.terms.reward_per_round),
        "rounds": lines,
        "pay": str(sum(int(line["pay"]) for line in lines if line["root_matches"])),
    }


def check_round(view: JobSnapshot, round_: int | None) -> None:
    """FatalError unless the round is finalised."""
    count = len(view.finalised)
    if round_ is not None and not 1 <= round_ <= count:
        raise FatalError(f"job {view.job} has no finalised round {round_}", cause=f"{count} are")


def _line(view: SettledSnapshot, trainer: Address, number: int) -> dict[str, Any]:
    cycle, outcome = view.finalised[number - 1]
    ledger = view.rounds[number - 1]
    leaf = next(leaf for leaf in ledger.leaves if leaf.trainer == trainer)
    data: dict[str, Any] = {
        "round": number,
        "verdict": "absent",
        "pay": str(leaf.pay),
        "strike": leaf.strike,
        "reputation": leaf.reputation,
        "root_matches": number not in view.misvoted(),
    }
    place = next((i for i, update in enumerate(cycle.updates) if update.trainer == trainer), None)
    if place is None:
        return data
    data |= _measured(cycle, ledger, place)
    record = ledger.records.get(trainer, Record())
    data |= {
        "average_gain": record.cg / record.dg if record.dg else 0.0,
        "average_news": record.cn / record.dn if record.dn else 0.0,
        "average_fresh": record.cf / record.df if record.df else 0.0,
        "record": {name: str(value) for name, value in asdict(record).items()},
    }
    if trainer in ledger.shares:
        data["share"] = _share(ledger, trainer)
    return data


def _measured(cycle: CycleRecord, ledger: RoundLedger, place: int) -> dict[str, Any]:
    """What the validators said of one update, and what that makes of it."""
    judged = ledger.judgements[place]
    entries = {r.seat: decode_sheet(r.sheet, len(cycle.updates))[place] for r in cycle.sheets}
    said: dict[str, Any] = {
        "verdict": judged.code.name.lower(),
        "included": place in ledger.included,
        "by_validator": [
            {
                "validator": cycle.committee[seat],
                "verdict": entry.code.name.lower(),
                "gain": entry.gain,
                "news": entry.news,
                "counts": cycle.committee[seat] != cycle.updates[place].trainer,
            }
            for seat, entry in sorted(entries.items())
        ],
    }
    if judged.code == Code.OK:
        said |= {"median_gain": judged.gain, "median_news": judged.news}
    return said


def _share(ledger: RoundLedger, trainer: Address) -> dict[str, Any]:
    """How the part of the reward came about; large integers as strings."""
    share = ledger.shares[trainer]
    total = sum(other.p for other in ledger.shares.values())
    return {
        **{name: str(value) for name, value in asdict(share).items()},
        "differs": share.d / share.middle if share.middle else 1.0,
        "sum_of_p": str(total),
        "capped": share.before_cap > share.cap,
        "part": share.p / total if total else 0.0,
    }


def show_receipt(console: Console, data: dict[str, Any], token: Token) -> None:
    """The receipt for people: a line a round, or one round in full."""
    console.print(
        f"[bold]{data['address']}[/] in job {data['job']}; a round pays {token.text(int(data['reward_per_round']))}"
    )
    if len(data["rounds"]) == 1:
        _show_round(console, data["rounds"][0], data, token)
        return
    narrower: list[tuple[str, ...]] = [COLUMNS]
    for name in LEAST_FIRST:
        narrower.append(tuple(other for other in narrower[-1] if other != name))
    table, shown = fitting(console, lambda columns: _rounds(data["rounds"], columns, token), *narrower)
    console.print(table)
    if missing := [name for name in COLUMNS if name not in shown]:
        console.print(f"not shown in {console.width} columns: {', '.join(missing)}")
    console.print(
        f"total {token.text(int(data['pay']))}; gain and news: validation loss taken off, in thousandths; "
        "averages: 1 is a round's mean; "
        "differs: 1 is the middle one's, below ¼ pays less"
    )
    console.print("`--round R` shows one round in full")


def _rounds(lines: Sequence[dict[str, Any]], columns: Sequence[str], token: Token) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in columns:
        table.add_column(heading, justify="left" if heading == "verdict" else "right", no_wrap=heading != "verdict")
    for line in lines:
        cells = _cells(line, token)
        table.add_row(*(cells[heading] for heading in columns))
    return table


def _cells(line: dict[str, Any], token: Token) -> dict[str, str]:
    """A round's line of the receipt, by column."""
    dropped, strike = "" if line.get("included", True) else ", dropped", " ⚡" if line["strike"] else ""
    share = line.get("share")
    return {
        "round": str(line["round"]),
        "verdict": line["verdict"] + dropped + strike,
        "gain": _small(line.get("median_gain")),
        "news": _small(line.get("median_news")),
        "avg gain": _times(line.get("average_gain")),
        "avg news": _times(line.get("average_news")),
        "fresh": _times(line.get("average_fresh")),
        "differs": _times(share and share["differs"]),
        "share": f"{100 * share['part']:.1f} %" if share else "–",
        "pay": token.text(int(line["pay"]), unit=False),
    }


def _show_round(console: Console, line: dict[str, Any], data: dict[str, Any], token: Token) -> None:
    console.print(f"round {line['round']}: {line['verdict']}")
    for entry in line.get("by_validator", []):
        console.print(
            f"  {entry['validator']}: {entry['verdict']}, gain {_small(entry['gain'])}, news {_small(entry['news'])}"
            + ("" if entry["counts"] else " (its own update: does not count)")
        )
    if "median_gain" in line:
        console.print(
            f"  medians: gain {_small(line['median_gain'])}, news {_small(line['median_news'])} (thousandths of loss)"
        )
    if not line.get("included", True):
        console.print("  not included: the rule dropped it")
    if "record" in line:
        averages = ", ".join(f"{name} {_times(line[f'average_{name}'])}" for name in ("gain", "news", "fresh"))
        console.print(f"  running averages: {averages}")
    if "share" in line:
        share = line["share"]
        console.print(
            f"  e = {share['e']}, k = {share['k']}, f = {share['f']}, a = {share['weight']}: "
            f"s = a · min(e·K·F, 2·k·E·F, 2·f·E·K) = {share['s']}"
        )
        console.print(
            f"  this round's update differs by d = {share['d']} from the model's course, the middle one by D = "
            f"{share['middle']}: {_times(share['differs'])}"
        )
        capped = f", capped at {share['cap']}" if share["capped"] else ""
        console.print(f"  p = max(0, 4·A·s − a·Σs) · min(D, 4·d) // D = {share['before_cap']}{capped}")
        console.print(f"  share = {share['p']} / {share['sum_of_p']} = {100 * share['part']:.2f} %")
        console.print(f"  pay = {data['reward_per_round']} · p // Σp = {line['pay']}")
    console.print(f"  {token.text(int(line['pay']))}" + (", and a strike" if line["strike"] else ""))
    if not line["root_matches"]:
        console.print("  [red]the quorum voted other rewards than these: the round can't be claimed[/]")


def _small(value: int | None) -> str:
    """Units of 1e-9 as thousandths."""
    return "–" if value is None else fixed(value, 6, 3)


def _times(value: float | None) -> str:
    return "–" if value is None else f"×{value:.2f}"
