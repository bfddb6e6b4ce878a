"""`hansa audit`: checks every number of a job again, from chain and store or from one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.audit.archive import write_archive
from hansa.audit.bound import UNBOUND
from hansa.audit.collect import collect
from hansa.audit.compare import compare_block
from hansa.audit.facts import Facts
from hansa.audit.openers import Openers, read_keys
from hansa.audit.paid import Paid
from hansa.audit.report import Report, Wrong
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.cli.command import Command
from hansa.cli.document import INLINE, OMIT_NONE, AsJson, Only
from hansa.cli.file_options import JobOrArchived
from hansa.cli.key_options import AccountName, PasswordFile
from hansa.cli.paid_table import show_paid
from hansa.cli.report_html import check_target, write_page
from hansa.cli.report_page import report_page
from hansa.cli.tables import naming
from hansa.cli.unit_option import Unit, UnitOption, read_unit, token_in
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError
from hansa.protocol.text import escape_untrusted, redact
from hansa.protocol.types import Address, JobId
from hansa.runtime.accounts import load_account, names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.keystore import encryption_secret
from hansa.runtime.session import Session, connect
from hansa.runtime.workspace import Workspace

Told = Annotated[
    Facts,
    Only(
        "job chain_id federation block=at block_hash=at",
        block=attrgetter("number"),
        block_hash=lambda block: f"0x{block.hash.hex()}",
    ),
]


RESTS = "this is what to compare: all below follows from this hash, if it is that of a block of the chain"


@dataclass(frozen=True)
class AuditView:
    source: str
    facts: Annotated[Told | None, INLINE]  # None: not even those could be read
    archive: Annotated[str | None, OMIT_NONE]  # that was written
    page: Annotated[str | None, OMIT_NONE]  # that was written
    report: Annotated[Report, AsJson(Report.data), INLINE]
    unit: Annotated[Token | None, Only("symbol decimals")]
    paid: Paid | None  # None: the events are not as they must be


def run(
    command: Command,
    job: JobOrArchived = None,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="Audit this file, without chain or store.", metavar="FILE")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Also write the job's archive, as job-N.hansa.", metavar="FILE")
    ] = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option("--rpc", help="Ask this node for the hash of the archive's block; again for more.", metavar="URL"),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="Published content keys: {CID of a sealed update: hex}.", metavar="FILE"),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--report", help="Also write a page for people: who was paid what.", metavar="FILE.html"),
    ] = None,
    unit: UnitOption = None,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
) -> None:
    """Check every number of a job again: sheets, verdicts, pay, votes, claims, files, models.

    Events and burns too. A committee member's --account, or --keys, opens the sealed updates: then every model is made
    again from them, bit for bit. Then it says who was paid what, by whom and when. All rests on one block's hash, which
    is printed: compare it with nodes that you trust, or name them with --rpc. Exit code: 0, everything holds; 1,
    something is wrong; 3, nothing is, but something is missing.
    """
    if archive is not None and export is not None:
        raise FatalError("--archive and --export don't go together", next_step="copy the file")
    if page is not None:
        check_target(page)
    shown_in = read_unit(unit)
    openers = _collect_openers(command.workspace, keys, account_name, password_file)
    facts: Facts | None
    session = None
    if archive is not None:
        report, facts = audit_archive(archive, openers)
        if facts is not None and job is not None and facts.job != job:
            raise FatalError(f"{archive} is of job {facts.job}, not of job {job}")
        source = str(archive)
    else:
        if job is None:
            raise FatalError("no job is named", next_step="name one, like `hansa audit 1`, or a file with --archive")
        session = connect(command.workspace)
        facts = collect(session.federation, JobId(job))
        if export is not None:
            _export(command.console, facts, session, export)
        report = audit(facts, session.store, openers)
        source = f"{redact(session.deployment.rpc[0])}, store {session.deployment.store['kind']}"
    if facts is not None:
        compare_block(facts, rpc or (), report)
    paid = report.settlement.paid if report.settlement is not None else None
    token = _token(session, shown_in, paid)
    names = names_of_accounts(command.workspace.keys)
    written = None
    if page is not None and facts is not None:
        write_page(page, report_page(facts, report, token, names))
        written = str(page)
    elif page is not None:
        command.say("no report is written: nothing of the job can be read")
    view = AuditView(source, facts, None if export is None else str(export), written, report, token, paid)
    command.answer(view, lambda console: show(console, view, names))
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def write_job(session: Session, job: JobId, directory: Path) -> str:
    """Leaves the archive of a job in a directory, and returns its path."""
    path = directory / f"job-{job}.hansa"
    facts = collect(session.federation, job)
    write_archive(path, facts, files_with_limits(facts, session.store), session.store)
    return str(path)


def _export(console: Console, facts: Facts, session: Session, path: Path) -> None:
    try:
        named = files_with_limits(facts, session.store)
    except Wrong as error:
        raise FatalError("no archive is written", cause=error, next_step="try another RPC endpoint") from error
    missing = write_archive(path, facts, named, session.store)
    for digest in missing:
        console.print(f"[yellow]not in the store, so not in the archive: {to_cid(digest)}[/]")


def _token(session: Session | None, unit: Unit | None, paid: Paid | None) -> Token | None:
    """What amounts are shown in; None where there are none."""
    if paid is None:
        return None
    return token_in(unit, paid.token) if session is None or unit is not None else session.token(paid.token)


def _collect_openers(
    workspace: Workspace, keys: Path | None, account_name: str | None, password_file: Path | None
) -> Openers:
    secrets = {}
    if account_name is not None:
        account = load_account(workspace, account_name, password_file)
        secrets[Address(account.address)] = encryption_secret(account)
    return Openers(secrets, read_keys(keys) if keys is not None else {})


def show(console: Console, view: AuditView, names: Mapping[Address, str]) -> None:
    """What holds, what was not checked, who was paid, what is wrong."""
    report, facts = view.report, view.facts
    if facts is not None:
        console.print(
            f"[bold]job {facts.job}[/] of {facts.federation} on chain {facts.chain_id}, from {view.source}, "
            f"as of block {facts.at.number}"
        )
        console.print(f"block hash 0x{facts.at.hash.hex()}")
        console.print(RESTS if facts.proof is not None else f"[yellow]{UNBOUND}[/]")
    for name, times in report.checked.items():
        console.print(f"  [green]✓[/] {name}: {times}")
    for name, what in report.noted.items():
        console.print(f"  [dim]· {name}: {what}[/]")
    for gap in report.gaps:
        mark = "[dim]–[/]" if gap.expected else "[yellow]?[/]"
        what = naming(escape_untrusted(gap.what), names)
        console.print(f"  {mark} not checked: {what}: {escape_untrusted(gap.why)}")
    if view.paid is not None and view.unit is not None:
        show_paid(console, view.paid, view.unit, names)
    if view.page is not None:
        console.print(f"report: {escape_untrusted(view.page)}")
    if report.wrong:
        console.print(f"[bold red]wrong:[/] {naming(escape_untrusted(str(report.wrong[0])), names)}")
        if others := len(report.wrong) - 1 + report.more["wrong"]:
            console.print(f"  and {others} more, which --json lists")
        return
    if report.exit_code:
        console.print("[yellow]nothing is wrong, but not everything could be checked that should be there[/]")
    else:
        console.print("[green]everything that was checked holds[/]")
    if view.archive is not None:
        console.print(f"archive: {view.archive}")
