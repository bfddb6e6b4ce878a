"""Why a trainer was paid what it was: the rule of the ledger, step by step, from the sheets on chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from rich.console import Console
from rich.table import Table

from hansa.cli.document import INLINE, OMIT_NONE, Amount, AsJson, Large, integers_as_text
from hansa.cli.tables import fitting, named
from hansa.protocol.errors import FatalError
from hansa.protocol.geometry import Likeness
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.pay import Record, Share
from hansa.protocol.sheet import Entry, decode_sheet
from hansa.protocol.tally import likeness
from hansa.protocol.types import Address, Code, Seat
from hansa.runtime.amounts import Token, fixed
from hansa.runtime.history.records import CycleRecord, JobHistory
from hansa.runtime.snapshot import misvoted

COLUMNS = ("round", "verdict", "gain", "news", "gain so far", "news so far", "counts", "share", "pay")
LEAST_FIRST = ("news so far", "counts", "gain so far", "news", "gain", "verdict", "share")
"""Columns that a narrow screen does without, in this order; never the pay."""

UNDER_TABLE = (
    "gain, news: what the update took off the error, and the same without what the model's course already showed",
    "gain so far, news so far: the sums of both; of what was, five sixths stay each round",
    "counts: what of the gain so far is paid, all of it where enough of it was news; all in thousandths of loss",
)
"""What the columns of a receipt mean, as docs/pay.md says it."""


@dataclass(frozen=True)
class ValidatorsWord:
    """What one validator said of an update. counts: it is not its own."""

    validator: Address
    verdict: str
    gain: int  # 1e-9 of validation loss, as below; 0 unless it said ok
    news: int
    counts: bool
    repeats: Annotated[Likeness | None, OMIT_NONE]  # of a duplicate, as it said


@dataclass(frozen=True)
class Repeated:
    """The update that a duplicate repeats, as most sheets have it."""

    place: int
    trainer: Address
    cosine: int  # 1e-9


@dataclass(frozen=True)
class Measured:
    """What the validators said of one update, and what that makes of it; medians only of one that is ok."""

    included: bool
    by_validator: list[ValidatorsWord]
    median_gain: Annotated[int | None, OMIT_NONE]
    median_news: Annotated[int | None, OMIT_NONE]
    repeats: Annotated[Repeated | None, OMIT_NONE]


@dataclass(frozen=True)
class ShareView:
    """How the part of the reward came about."""

    share: Annotated[Share, AsJson(integers_as_text), INLINE]
    counted: int  # what of the gain so far counts, 1e-9
    all_counted: int  # the same of all who share the round
    sum_of_p: Large
    part: float


@dataclass(frozen=True)
class RoundLine:
    """One finalised round. measured: None where the trainer sent nothing."""

    round: int
    verdict: str
    pay: Amount
    strike: int
    reputation: int  # 1e-6
    root_matches: bool  # False: nobody can claim it
    measured: Annotated[Measured | None, INLINE]
    record: Annotated[Record, AsJson(integers_as_text)]
    share: Annotated[ShareView | None, OMIT_NONE]


@dataclass(frozen=True)
class TrainerReceipt:
    reward_per_round: Amount
    rounds: list[RoundLine]
    pay: Amount


def trainer_receipt(
    history: JobHistory, rounds: Sequence[RoundLedger], trainer: Address, round_: int | None
) -> TrainerReceipt:
    """A trainer's receipt: every finalised round, or one. rounds: the ledgers of all."""
    check_round(history, round_)
    lost = misvoted(history, rounds)
    lines = [
        line_of(cycle, ledger, trainer, number, number not in lost)
        for number, ((cycle, _), ledger) in enumerate(zip(history.finalised, rounds, strict=True), 1)
        if round_ in (None, number)
    ]
    pay = sum(line.pay for line in lines if line.root_matches)
    return TrainerReceipt(history.posted.terms.reward_per_round, lines, pay)


def check_round(history: JobHistory, round_: int | None) -> None:
    """FatalError unless the round is finalised."""
    count = len(history.finalised)
    if round_ is not None and not 1 <= round_ <= count:
        raise FatalError(f"job {history.job} has no finalised round {round_}", cause=f"{count} are")


def line_of(cycle: CycleRecord, ledger: RoundLedger, trainer: Address, number: int, root_matches: bool) -> RoundLine:
    """What a receipt has of one finalised round. root_matches: the quorum voted the rewards of this ledger."""
    leaf = next(leaf for leaf in ledger.leaves if leaf.trainer == trainer)
    place = cycle.place_of(trainer)
    return RoundLine(
        round=number,
        verdict="absent" if place is None else ledger.judgements[place].code.name.lower(),
        pay=leaf.pay,
        strike=leaf.strike,
        reputation=leaf.reputation,
        root_matches=root_matches,
        measured=None if place is None else _measured(cycle, ledger, place),
        record=ledger.records.get(trainer, Record()),
        share=_share(ledger, trainer) if trainer in ledger.shares else None,
    )


def _measured(cycle: CycleRecord, ledger: RoundLedger, place: int) -> Measured:
    judged = ledger.judgements[place]
    entries = {r.seat: decode_sheet(r.sheet, len(cycle.updates))[place] for r in cycle.sheets}
    ok = judged.code == Code.OK
    return Measured(
        included=place in ledger.included,
        by_validator=[
            ValidatorsWord(
                validator=cycle.committee[seat],
                verdict=entry.code.name.lower(),
                gain=entry.gain if entry.code == Code.OK else 0,
                news=entry.news if entry.code == Code.OK else 0,
                counts=cycle.committee[seat] != cycle.updates[place].trainer,
                repeats=Likeness(entry.gain, entry.news) if entry.code == Code.DUPLICATE else None,
            )
            for seat, entry in sorted(entries.items())
        ],
        median_gain=judged.gain if ok else None,
        median_news=judged.news if ok else None,
        repeats=_repeated(cycle, _of_others(cycle, entries, place)) if judged.code == Code.DUPLICATE else None,
    )


def _of_others(cycle: CycleRecord, entries: Mapping[Seat, Entry], place: int) -> list[Entry]:
    """Without what a member says of its own update."""
    trainer = cycle.updates[place].trainer
    return [entry for seat, entry in entries.items() if cycle.committee[seat] != trainer]


def _repeated(cycle: CycleRecord, entries: Iterable[Entry]) -> Repeated | None:
    """None where no majority of the sheets says so, or none that makes sense."""
    said = likeness(entries)
    if said is None or not 0 <= said.place < len(cycle.updates):
        return None
    return Repeated(said.place, cycle.updates[said.place].trainer, said.cosine)


def _share(ledger: RoundLedger, trainer: Address) -> ShareView:
    share = ledger.shares[trainer]
    total = sum(other.p for other in ledger.shares.values())
    scale = share.all_news or 1
    return ShareView(
        share=share,
        counted=share.p // scale,
        all_counted=total // scale,
        sum_of_p=total,
        part=share.p / total if total else 0.0,
    )


def show_receipt(
    console: Console, receipt: TrainerReceipt, token: Token, title: str, names: Mapping[Address, str]
) -> None:
    """The receipt for people: a line a round, or one round in full."""
    console.print(f"{title}; a round pays {token.text(receipt.reward_per_round)}")
    if len(receipt.rounds) == 1:
        _show_round(console, receipt.rounds[0], receipt.reward_per_round, token, names)
        return
    narrower: list[tuple[str, ...]] = [COLUMNS]
    for name in LEAST_FIRST:
        narrower.append(tuple(other for other in narrower[-1] if other != name))
    table, shown = fitting(console, lambda columns: _rounds(receipt.rounds, columns, token), *narrower)
    console.print(table)
    if missing := [name for name in COLUMNS if name not in shown]:
        console.print(f"not shown in {console.width} columns: {', '.join(missing)}")
    console.print(f"total {token.text(receipt.pay)}; share: of the round's reward; pay: in {token.symbol}")
    for line in UNDER_TABLE:
        console.print(line)
    console.print("`--round R` shows one round in full")


def _rounds(lines: Sequence[RoundLine], columns: Sequence[str], token: Token) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in columns:
        table.add_column(heading, justify="left" if heading == "verdict" else "right", no_wrap=heading != "verdict")
    for line in lines:
        cells = _cells(line, token)
        table.add_row(*(cells[heading] for heading in columns))
    return table


def _cells(line: RoundLine, token: Token) -> dict[str, str]:
    """A round's line of the receipt, by column."""
    measured, share = line.measured, line.share
    verdict = line.verdict
    if measured and verdict == Code.OK.name.lower():
        verdict = "used" if measured.included else "left out"
    return {
        "round": str(line.round),
        "verdict": verdict + (" ⚡" if line.strike else ""),
        "gain": _small(measured.median_gain if measured else None),
        "news": _small(measured.median_news if measured else None),
        "gain so far": _small(line.record.gain),
        "news so far": _small(line.record.news),
        "counts": _small(share.counted if share else None),
        "share": f"{100 * share.part:.1f} %" if share else "–",
        "pay": token.text(line.pay, unit=False),
    }


def _show_round(
    console: Console, line: RoundLine, reward_per_round: int, token: Token, names: Mapping[Address, str]
) -> None:
    console.print(f"round {line.round}: {line.verdict}")
    if line.measured is not None:
        _show_measured(console, line.measured, names)
    if line.share is not None:
        _show_share(console, line.share)
        console.print(f"  pay = {reward_per_round} · p // Σp = {line.pay}")
    console.print(f"  {explained(line, reward_per_round, token)}" + (" It costs a strike." if line.strike else ""))
    if not line.root_matches:
        console.print("  [red]the quorum voted other rewards than these: the round can't be claimed[/]")


def _show_measured(console: Console, measured: Measured, names: Mapping[Address, str]) -> None:
    for word in measured.by_validator:
        console.print(
            f"  {named(word.validator, names)}: {word.verdict}{_said(word)}"
            + ("" if word.counts else " (its own update: does not count)")
        )
    if measured.repeats is not None:
        of = measured.repeats
        whose = named(of.trainer, names)
        console.print(
            f"  too like the update of {whose} (place {of.place}): cosine {fixed(of.cosine, 9, 6)}, as most say"
        )
    if measured.median_gain is not None:
        medians = f"gain {_small(measured.median_gain)}, news {_small(measured.median_news)}"
        console.print(f"  medians: {medians} (thousandths of loss)")


def _said(word: ValidatorsWord) -> str:
    """What a validator wrote beside its verdict, where that means anything."""
    if word.repeats is not None:
        return f" of place {word.repeats.place}, cosine {fixed(word.repeats.cosine, 9, 6)}"
    return f", gain {_small(word.gain)}, news {_small(word.news)}" if word.verdict == Code.OK.name.lower() else ""


def _show_share(console: Console, view: ShareView) -> None:
    share, rule = view.share, "min(s·U, 2·u·S)" if view.share.all_news else "s"
    console.print(f"  so far, in 1e-9 of loss: gain s = {share.gain}, news u = {share.news}")
    console.print(f"  of all before the round, likewise: gain S = {share.all_gain}, news U = {share.all_news}")
    console.print(f"  p = {rule} = {share.p}, Σp = {view.sum_of_p}: {100 * view.part:.2f} %")


def explained(line: RoundLine, reward_per_round: int, token: Token) -> str:
    """A round's pay in a sentence, or two, that a pocket calculator can check."""
    if line.share is None:
        return _unpaid(line)
    view, share, reward = line.share, line.share.share, token.text(reward_per_round)
    if share.gain == 0:
        return "No pay: so far, its updates have taken nothing off the error."
    so_far = f"So far, its updates have taken {_small(share.gain)} off the error"
    if view.counted < share.gain:
        so_far += f", of which {_small(view.counted)} counts, for too little of it was news ({_small(share.news)})"
    if view.counted == 0:
        return f"{so_far}: no pay."
    part = f"{100 * view.part:.2f} % of {reward} is {token.text(line.pay)}"
    return f"{so_far}; all together {_small(view.all_counted)} counts: {part}."


def _unpaid(line: RoundLine) -> str:
    """Why a round without a share pays nothing."""
    if line.measured is None:
        return "No pay: no update came."
    if line.verdict != Code.OK.name.lower():
        return f"No pay: {Code[line.verdict.upper()].sentence}"
    if not line.measured.included:
        return "No pay: the update made the error larger, and was left out."
    return "No pay: validators of the round are not paid for updates."


def _small(value: int | None) -> str:
    """Units of 1e-9 as thousandths."""
    return "–" if value is None else fixed(value, 6, 3)
