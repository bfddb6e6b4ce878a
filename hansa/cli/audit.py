"""`hansa audit`: checks every number of a job again, from chain and store or from one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hansa.cli.command import Here
from hansa.cli.key_options import Account, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.protocol.text import escape_untrusted, redact
from hansa.protocol.types import JobId
from hansa.runtime.accounts import load_account

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.audit.evidence import Evidence
    from hansa.audit.openers import Openers
    from hansa.audit.report import Report
    from hansa.runtime.session import Session


def audit(
    here: Here,
    job: Annotated[int | None, typer.Argument(help="The job; an archive knows its own.", metavar="[JOB]")] = None,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="Audit this file, without chain or store.", metavar="FILE")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Also write the job's archive, as job-N.hansa.", metavar="FILE")
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="Published content keys: {CID of a sealed update: hex}.", metavar="FILE"),
    ] = None,
    account: Account = None,
    password_file: PasswordFile = None,
) -> None:
    """Check a job again, every number of it: events, sheets, verdicts, pay, votes, claims, burns, files, models.

    A committee member's --account, or --keys, opens the sealed updates: then every model is made again from them, bit
    for bit. Exit code: 0, everything holds; 1, something is wrong; 3, nothing is, but something is missing.
    """
    from hansa.audit.run import audit as audit_facts
    from hansa.audit.run import audit_archive

    if archive is not None and export is not None:
        raise FatalError("--archive and --export don't go together", next_step="copy the file")
    opener = _keys(here, keys, account, password_file)
    facts: Evidence | None
    if archive is not None:
        report, facts = audit_archive(archive, opener)
        if facts is not None and job is not None and facts.job != job:
            raise FatalError(f"{archive} is of job {facts.job}, not of job {job}")
        source = str(archive)
    else:
        from hansa.audit.collect import collect
        from hansa.runtime.session import connect

        if job is None:
            raise FatalError("no job is named", next_step="name one, like `hansa audit 1`, or a file with --archive")
        wire = connect(here)
        facts = collect(wire.federation, JobId(job))
        if export is not None:
            _export(here, facts, wire, export)
        report = audit_facts(facts, wire.store, opener)
        source = f"{redact(wire.deployment.rpc[0])}, store {wire.deployment.store['kind']}"
    data = _data(report, facts, source, export)
    here.answer(data, lambda console: _show(console, report, data))
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def write_job(wire: Session, job: JobId, directory: Path) -> str:
    """Leaves the archive of a job in a directory, and returns its path."""
    from hansa.audit.archive import write_archive
    from hansa.audit.collect import collect
    from hansa.audit.run import files_with_limits

    path = directory / f"job-{job}.hansa"
    facts = collect(wire.federation, job)
    write_archive(path, facts, files_with_limits(facts, wire.store), wire.store)
    return str(path)


def _export(here: Here, facts: Evidence, wire: Session, path: Path) -> None:
    from hansa.audit.archive import write_archive
    from hansa.audit.report import Wrong
    from hansa.audit.run import files_with_limits
    from hansa.protocol.cid import to_cid

    try:
        named = files_with_limits(facts, wire.store)
    except Wrong as error:
        raise FatalError("no archive is written", cause=error, next_step="try another RPC endpoint") from error
    missing = write_archive(path, facts, named, wire.store)
    for digest in missing:
        here.console.print(f"[yellow]not in the store, so not in the archive: {to_cid(digest)}[/]")


def _keys(here: Here, keys: Path | None, account: str | None, password_file: Path | None) -> Openers:
    from hansa.audit.openers import Openers, read_keys

    secrets = {}
    if account is not None:
        from hansa.protocol.types import Address
        from hansa.runtime.keystore import encryption_secret

        signer = load_account(here, account, password_file)
        secrets[Address(signer.address)] = encryption_secret(signer)
    return Openers(secrets, read_keys(keys) if keys is not None else {})


def _data(report: Report, facts: Evidence | None, source: str, export: Path | None) -> dict[str, Any]:
    data: dict[str, Any] = {"source": source}
    if facts is not None:
        data |= {
            "job": facts.job,
            "chain_id": facts.chain_id,
            "federation": facts.federation,
            "block": facts.at.number,
            "block_hash": "0x" + facts.at.hash.hex(),
        }
    return data | ({"archive": str(export)} if export is not None else {}) | report.data()


def _show(console: Console, report: Report, data: dict[str, Any]) -> None:
    if "job" in data:
        console.print(
            f"[bold]job {data['job']}[/] of {data['federation']} on chain {data['chain_id']}, from {data['source']}, "
            f"as of block {data['block']} ({data['block_hash'][:18]}…)"
        )
    for name, times in report.checked.items():
        console.print(f"  [green]✓[/] {times} {name}")
    for gap in report.gaps:
        mark = "[dim]–[/]" if gap.expected else "[yellow]?[/]"
        console.print(f"  {mark} not checked: {escape_untrusted(gap.what)}: {escape_untrusted(gap.why)}")
    if report.wrong:
        console.print(f"[bold red]wrong:[/] {escape_untrusted(str(report.wrong[0]))}")
        if len(report.wrong) > 1:
            console.print(f"  and {len(report.wrong) - 1} more, which --json lists")
        return
    if report.exit_code:
        console.print("[yellow]nothing is wrong, but not everything could be checked that should be there[/]")
    else:
        console.print("[green]everything that was checked holds[/]")
    if "archive" in data:
        console.print(f"archive: {data['archive']}")
