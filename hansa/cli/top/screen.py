"""One screen of `hansa top`: fits the terminal's width and height, and leaves out columns before it breaks lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hansa.cli.job.state import metric_text
from hansa.cli.top.status import JobStatus, Person
from hansa.protocol.phases import PHASES
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.text import counted, escape_untrusted, numbered
from hansa.runtime.amounts import Token, fixed
from hansa.sponsor.terms import in_words

P = TypeVar("P", bound=Person)

BARS = "▁▂▃▄▅▆▇█"
NARROW = 72  # columns, below which tables show only what matters most
STALE = 15  # seconds since the last block, after which that is said in yellow
ANYONE = {
    "OPEN": "anyone, to start the next attempt",
    "FINALIZE": "anyone who knows the result",
    "LAPSED": "anyone, to end it",
}


def screen(job: JobStatus, token: Token, *, width: int, height: int | None, note: str = "") -> RenderableType:
    """One job, as `job_status` has it. height: lines that there are; None: no limit. note: the last line."""
    parts: list[RenderableType] = [_head(job), _countdown(job, width), *_turns(job, width), *_metric(job)]
    if job.misvoted:
        rounds = numbered("round", job.misvoted)
        parts.append(Text(f"rewards of {rounds} differ from what the sheets give", style="red", **_LINE))
    left = None if height is None else max(2, height - len(parts) - 5)
    trainers, validators = _rooms(left, len(job.trainers), len(job.validators))
    parts += [Text(""), _trainers(job, token, width, trainers)]
    if job.validators:
        parts += [_validators(job, token, width, validators)]
    parts.append(_money(job, token, width))
    if note:
        parts.append(Text(note, style="dim", **_LINE))
    return Group(*parts)


_LINE: dict[str, Any] = {"no_wrap": True, "overflow": "ellipsis"}


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """A bar a value, in eighths of low…high."""
    span = high - low
    return "".join(BARS[min(7, int(8 * (value - low) / span)) if span > 0 else 3] for value in values)


def short(person: Person) -> str:
    """A name of this directory, else the address without its middle."""
    return str(person.name or f"{person.address[:6]}…{person.address[-4:]}")


def _head(job: JobStatus) -> Text:
    rounds = job.rounds
    at = f"round {job.state.round} of {rounds.at_most}" if job.state.deadline else counted(rounds.finalised, "round")
    failed = f", {counted(job.state.failures, 'attempt')} failed in a row" if job.state.failures else ""
    task = escape_untrusted(job.task, 80)
    return Text.assemble(
        (f"job {job.job}", "bold"), f"  {task}  ", (PHASES[job.state.phase].title, "bold cyan"), f"  {at}{failed}",
        **_LINE,
    )  # fmt: skip


def _countdown(job: JobStatus, width: int) -> Text:
    age = max(0, job.age)
    block = Text(f"block {job.block}, {in_words(age)} ago", style="yellow" if age > STALE else "dim")
    if not job.state.deadline or not job.phase_seconds:
        return Text.assemble(block, **_LINE)
    left, whole = job.seconds_left, job.phase_seconds
    size = max(8, min(30, width // 4))
    filled = round(size * min(left, whole) / whole)
    said = f" {in_words(left)} left  " if left else " time is up  "
    return Text.assemble(("█" * filled, "cyan"), ("░" * (size - filled), "dim"), said, block, **_LINE)


def _turns(job: JobStatus, width: int) -> list[Text]:
    """Who has acted, who is waited for; as many names as one line takes."""
    if job.state.phase.name in ANYONE:
        return [Text(f"waiting for: {ANYONE[job.state.phase.name]}", **_LINE)]
    if job.seconds_left == 0 and not job.state.deadline:
        return []
    waiting = _names(job.awaited, width - 13)
    if job.places_left:
        waiting = counted(job.places_left, "more trainer")
    return [
        Text.assemble(("acted:       ", "dim"), (_names(job.acted, width - 13), "green"), **_LINE),
        Text.assemble(("waiting for: ", "dim"), (waiting or "the next block", "yellow"), **_LINE),
    ]


def _names(people: Sequence[Person], room: int) -> str:
    names = [short(person) for person in people]
    for shown in range(len(names), 0, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        if len(text := ", ".join(names[:shown]) + more) <= room:
            return text
    return f"{len(names)}" if names else ""


def _metric(job: JobStatus) -> list[Text]:
    """The metric by round and, on the same scale, what the spec compares it with."""
    values = [value for value in job.metrics if value != NO_METRIC]
    baselines = job.baselines
    everything = [*values, *baselines.values()]
    low, high = min(everything, default=0), max(everything, default=0)
    lines = [Text("metric  none yet", style="dim")]
    if values:
        best = max(values)
        lines = [
            Text.assemble(("metric  ", "dim"), (sparkline(values[-40:], low, high), "cyan"),
                          (f" {metric_text(values[-1])}", "bold"), f"  best {metric_text(best)}", **_LINE)
        ]  # fmt: skip
    if baselines:
        shown = "   ".join(
            f"{escape_untrusted(name, 40)} {sparkline([value], low, high)} {metric_text(value)}"
            + _against(values, value)
            for name, value in baselines.items()
        )
        lines.append(Text.assemble(("against ", "dim"), shown, **_LINE))
    return lines


def _against(values: Sequence[int], baseline: int) -> str:
    if not values:
        return ""
    off = values[-1] - baseline
    return f" ({'+' if off > 0 else ''}{metric_text(off)})"


def _rooms(left: int | None, trainers: int, validators: int) -> tuple[int, int]:
    """Rows for each table: all, or what `left` lines have room for, at least one each."""
    if left is None or trainers + validators <= left:
        return trainers, validators
    for_validators = min(validators, max(1, left // 3))
    return max(1, left - for_validators), for_validators


def _table(headings: Sequence[str], wide: bool) -> Table:
    table = Table(box=None, padding=(0, 2 if wide else 1, 0, 0), header_style="dim")
    for heading in headings:
        left = heading in ("trainer", "validator", "update", "verdict", "did")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True, overflow="ellipsis")
    return table


def _trainers(job: JobStatus, token: Token, width: int, room: int) -> Table:
    wide = width >= NARROW
    awaited = {person.address for person in job.awaited}
    table = _table(["trainer", "update", "verdict", *(["gain"] if wide else []), "share", "earned",
                    *(["strikes"] if wide else [])], wide)  # fmt: skip
    for item in _first(job.trainers, room, awaited):
        update = "awaited" if item.address in awaited else "in" if item.submitted and job.state.deadline else "–"
        share = "–" if item.share is None else f"{100 * item.share:.1f} %"
        gain = "–" if item.gain is None else fixed(item.gain, 6, 3)
        style = "red" if item.verdict == "malformed" else ""
        verdict = Text(item.verdict or "–", style=style)
        row: list[Any] = [short(item), update, verdict, *([gain] if wide else []), share]
        row += [token.text(item.earned, places=2, unit=False), *([str(item.strikes)] if wide else [])]
        table.add_row(*row)
    _more(table, len(job.trainers) - room)
    return table


def _validators(job: JobStatus, token: Token, width: int, room: int) -> Table:
    awaited = {person.address for person in job.awaited}
    table = _table(
        ["validator", "did", "matched", "wrong", "missed", *(["fees"] if width >= NARROW else [])], width >= NARROW
    )
    for item in _first(job.validators, room, awaited):
        did = "awaited" if item.address in awaited else item.did or ("no seat" if item.seat is None else "–")
        counts = item.attendance
        numbers = [str(count) for count in (counts.matched, counts.wrong, counts.missed)]
        fees = [token.text(item.fees, places=2, unit=False)] if width >= NARROW else []
        table.add_row(short(item), did, *numbers, *fees)
    _more(table, len(job.validators) - room)
    return table


def _first(people: Sequence[P], room: int, awaited: Collection[str]) -> list[P]:
    """Who is shown where there is no room for all: first those who are waited for."""
    if len(people) <= room:
        return list(people)
    return sorted(people, key=lambda item: item.address not in awaited)[: room - 1]


def _more(table: Table, hidden: int) -> None:
    if hidden > 0:
        table.add_row(Text(f"… {hidden + 1} more", style="dim"))


def _money(job: JobStatus, token: Token, width: int) -> Text:
    names = ("left", "booked", "paid", "burnt", "bonded") if width >= NARROW else ("left", "paid", "burnt")
    shown = "  ".join(f"{name} {token.text(getattr(job.money, name), places=2, unit=False)}" for name in names)
    return Text.assemble((f"{token.symbol}  ", "dim"), shown, **_LINE)
