"""`hansa wallet why`: the reasons of every payment to an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.audit.bound import UNBOUND
from hansa.cli.command import Command
from hansa.cli.document import INLINE, OMIT_NONE
from hansa.cli.file_options import ArchiveFile
from hansa.cli.tables import named
from hansa.cli.unit_option import Unit, UnitOption, read_unit, token_in
from hansa.cli.wallet.archived import ArchiveView, read_archived
from hansa.cli.wallet.escrow_receipt import (
    EscrowReceipt,
    FeeReceipt,
    escrow_receipt,
    fee_receipt,
    show_escrow,
    show_fees,
)
from hansa.cli.wallet.owed import Who
from hansa.cli.wallet.portfolio import Portfolio, Problem, report_problems
from hansa.cli.wallet.reasons import Why, groups_of, show_reasons
from hansa.cli.wallet.trainer_receipt import TrainerReceipt, check_round, show_receipt, trainer_receipt
from hansa.protocol.errors import FatalError
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.history.records import JobHistory
from hansa.runtime.session import connect
from hansa.runtime.snapshot import FullSnapshot, SettledSnapshot


@dataclass(frozen=True)
class WhyView:
    """What an account was paid and why, by its parts in the job: those that it has."""

    job: int
    address: Address
    archive: Annotated[ArchiveView | None, OMIT_NONE]
    trainer: Annotated[TrainerReceipt | None, INLINE]
    why: Annotated[Why | None, OMIT_NONE]  # of a trainer, over all rounds
    seat: Annotated[FeeReceipt | None, OMIT_NONE]
    escrow: Annotated[EscrowReceipt | None, OMIT_NONE]
    problems: list[Problem]
    sees: Annotated[str | None, OMIT_NONE] = None  # who can see one update in the job; None where its spec is lost


def run(
    command: Command,
    who: Who = None,
    job: Annotated[
        int | None, typer.Option("--job", help="The last one that the account took part in by default.")
    ] = None,
    round_: Annotated[int | None, typer.Option("--round", help="Only this round, in full.")] = None,
    archive: ArchiveFile = None,
    unit: UnitOption = None,
) -> None:
    """Explain a trainer's pay, a validator's fees and a sponsor's escrow, to the last unit.

    A trainer's pay: verdicts, measurements, averages, share. A validator's fees: what it matched, what it lost and why.
    What became of a sponsor's escrow. All of it equal to the chain; with --archive, to a file that passes its audit.
    """
    address, shown_in = address_of(command.workspace, who), read_unit(unit)
    names = names_of_accounts(command.workspace.keys)
    if archive is not None:
        view, token = _explain_archived(archive, job, address, round_, shown_in, names)
        command.answer(view, lambda console: show(console, view, token, names))
        report_problems(view.problems)
        return
    session = connect(command.workspace)
    portfolio = Portfolio(session, address, job)
    snapshot = portfolio.last()
    if snapshot is None:
        portfolio.report_problems()
        where = f"job {job}" if job is not None else "any job"
        raise FatalError(
            f"{named(address, names)} has no part in {where}", next_step="`hansa job show JOB` lists who has"
        )
    rounds = snapshot.rounds if isinstance(snapshot, SettledSnapshot) else None
    found = explain(snapshot.history, rounds, address, round_, portfolio.problems)
    if isinstance(snapshot, FullSnapshot):
        found = replace(found, sees=snapshot.context.who_sees)
    token = session.token(snapshot.terms.token) if shown_in is None else token_in(shown_in, snapshot.terms.token)
    command.answer(found, lambda console: show(console, found, token, names))
    portfolio.report_problems()


def _explain_archived(
    path: Path,
    job: int | None,
    address: Address,
    round_: int | None,
    unit: Unit | None,
    names: Mapping[Address, str],
) -> tuple[WhyView, Token]:
    settled, source, problems = read_archived(path, job)
    history, token = settled.history, token_in(unit, settled.history.posted.terms.token)
    if address not in (history.posted.sponsor, *history.trainers, *history.members()):
        raise FatalError(
            f"{named(address, names)} has no part in job {history.job}, which {path} is of",
            next_step=f"`hansa audit --archive {path}` lists who has",
        )
    if settled.ledgers is None:
        is_grave = address in (history.posted.sponsor, *history.trainers)
        why = f"its pay can't be worked out: its spec, {settled.paid.spec}, is not in the archive"
        problems.append(Problem(history.job, why, is_grave))
    found = explain(history, settled.ledgers, address, round_, problems, source)
    return replace(found, sees=settled.sees), token


def explain(
    history: JobHistory,
    rounds: Sequence[RoundLedger] | None,
    address: Address,
    round_: int | None,
    problems: list[Problem],
    source: ArchiveView | None = None,
) -> WhyView:
    """Every part that an account has in a job, of all rounds or one; FatalError where that isn't finalised.

    rounds: the ledgers of the finalised ones; None: they can't be worked out.
    """
    check_round(history, round_)
    seat = fee_receipt(history, address, round_) if address in history.members() else None
    trainer, why, escrow = None, None, None
    if rounds is not None and address in history.trainers:
        trainer = trainer_receipt(history, rounds, address, round_)
        if round_ is None:
            why = Why(groups_of(trainer.rounds), sum(leaf.pay for ledger in rounds for leaf in ledger.leaves))
    if rounds is not None and address == history.posted.sponsor:
        escrow = escrow_receipt(history, rounds, round_)
    return WhyView(history.job, address, source, trainer, why, seat, escrow, problems)


def show(console: Console, view: WhyView, token: Token, names: Mapping[Address, str]) -> None:
    """Each receipt after the other."""
    title = f"[bold]{named(view.address, names)}[/] in job {view.job}"
    if view.trainer is not None:
        show_receipt(console, view.trainer, token, title, names)
        if view.why is not None:
            show_reasons(console, view.why, token, lambda account: named(account, names))
    else:
        console.print(title)
    if view.seat is not None:
        show_fees(console, view.seat, token)
    if view.escrow is not None:
        show_escrow(console, view.escrow, token)
    if view.sees is not None:
        console.print(f"[dim]privacy: {view.sees}[/]")
    if (of := view.archive) is not None and not of.bound:
        console.print(f"[yellow]from {escape_untrusted(of.file)}: {UNBOUND}[/]")
    elif of is not None:
        console.print(
            f"from {escape_untrusted(of.file)}, as true as that block {of.block} of chain {of.chain_id} has the hash "
            f"{of.block_hash}: compare it with what a node says"
        )
