"""`hansa job export`: a job's history as a file, and as a picture."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hansa.audit.archive import Archive
from hansa.audit.bound import UNBOUND
from hansa.cli.command import Command
from hansa.cli.document import OMIT_NONE, to_json
from hansa.cli.file_options import ArchiveFile, Force, JobOrArchived
from hansa.cli.job.export_plot import plot
from hansa.cli.job.export_table import to_csv, to_parquet
from hansa.cli.job.export_target import Kind, check_targets, choose_kind
from hansa.cli.job.export_view import HistoryView, Source, view_history
from hansa.cli.job.round_gas import gas_by_round
from hansa.cli.unit_option import Unit, UnitOption, read_unit, token_in
from hansa.cli.wallet.archived import read_archived
from hansa.protocol.errors import FatalError
from hansa.protocol.spec import MAX_BYTES, JobSpec
from hansa.protocol.text import counted, escape_untrusted, numbered
from hansa.protocol.types import Digest, JobId
from hansa.results.source import needing
from hansa.runtime.accounts import names_of_accounts
from hansa.runtime.files import write_file
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import JobHistory
from hansa.runtime.session import connect
from hansa.runtime.snapshot import check_job, read_snapshot, with_ledgers
from hansa.runtime.workspace import Workspace


@dataclass(frozen=True)
class ExportedView:
    job: int
    rounds: int
    out: str
    plot: Annotated[str | None, OMIT_NONE]


def run(
    command: Command,
    job: JobOrArchived = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where to: .csv, .json or .parquet; else standard output.", metavar="FILE"),
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option("--format", help="What to write, whatever FILE ends with; CSV by default.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Also draw metric and pay by round.", metavar="FILE.svg")
    ] = None,
    archive: ArchiveFile = None,
    unit: UnitOption = None,
    force: Force = False,
) -> None:
    """Write a job's history for a spreadsheet or a notebook: metric, gas and pay by round; or draw it.

    CSV and Parquet have a line for each finalised round: job, round, ended (UTC), cycle, metric, updates, included
    (those that are in the model), model (its CID), gas (of all that was done for the round), token, pay, and a column
    `pay NAME` for each trainer. Amounts are exact, in whole tokens; an empty cell is not known.

    JSON has all of it, with amounts in the token's smallest unit; for each trainer in each round also verdict, gain and
    news (1e-9 of validation loss), strike and reputation; and the cycles that failed.

    With --archive the file is audited first. It knows no gas, and its amounts are in the token's smallest unit unless
    --unit says what to show them in.
    """
    chosen = choose_kind(out, kind, command.json)
    check_targets(out, picture, archive, force)
    shown_in = read_unit(unit)
    names = names_of_accounts(command.workspace.keys)
    source = from_chain(command.workspace, job, shown_in) if archive is None else from_archive(archive, job, shown_in)
    view = view_history(source, names)
    data, drawn = encode(view, chosen), None if picture is None else plot(view).encode()
    check_targets(out, picture, archive, force)  # whatever came while it was read
    if picture is not None and drawn is not None:
        write_file(picture, drawn)
    _warn(view)
    if out is None:
        print(data.decode(), end="")
        return
    write_file(out, data)
    answer = ExportedView(view.job, len(view.rounds), str(out), None if picture is None else str(picture))
    files = escape_untrusted(" and ".join([answer.out, *([answer.plot] if answer.plot else [])]))
    command.answer(
        answer, lambda console: console.print(f"job {answer.job}: {counted(answer.rounds, 'round')} in {files}")
    )


def from_chain(workspace: Workspace, job: int | None, unit: Unit | None) -> Source:
    """A job as chain and store have it. FatalError where there is nothing to export."""
    if job is None:
        raise FatalError("no job is named", next_step="name one, like `hansa job export 1`, or a file with --archive")
    session = connect(workspace)
    check_job(session.federation, JobId(job))
    follower = JobFollower(session.federation, session.store, JobId(job))
    with needing(f"the spec of job {job}"):
        spec = follower.context.spec
    require_round(read_snapshot(follower).history)
    snapshot = with_ledgers(follower)
    address = snapshot.terms.token
    return Source(
        history=snapshot.history,
        ledgers=snapshot.rounds,
        spec=spec,
        chain_id=session.deployment.chain_id,
        federation=session.federation.address,
        token=session.token(address) if unit is None else token_in(unit, address),
        gas=gas_by_round(session.federation, snapshot.history, snapshot.at),
    )


def from_archive(path: Path, job: int | None, unit: Unit | None) -> Source:
    """A job as an archive has it that passes its audit. FatalError as above, and where its spec is not in it."""
    settled, view, problems = read_archived(path, job)
    require_round(settled.history)
    if settled.ledgers is None:
        raise FatalError(
            f"the pay of job {settled.history.job} can't be worked out",
            cause=f"its spec, {settled.paid.spec}, is not in {path}",
            next_step="export it from the chain",
        )
    for problem in problems:
        print(f"hansa: {problem}", file=sys.stderr)
    terms = settled.history.posted.terms
    return Source(
        history=settled.history,
        ledgers=settled.ledgers,
        spec=_read_spec(path, terms.spec),
        chain_id=settled.paid.chain_id,
        federation=settled.paid.federation,
        token=token_in(unit, terms.token),
        gas={},
        archive=view,
    )


def _read_spec(path: Path, digest: Digest) -> JobSpec:
    with Archive.open(path) as archive:
        return JobSpec.decode(archive.get(digest, limit=MAX_BYTES, timeout=0.0))


def require_round(history: JobHistory) -> None:
    """FatalError for a job without a finalised round."""
    if history.finalised:
        return
    why, step = "none of its rounds is finalised", f"`hansa job watch {history.job}` tells when one is"
    if history.ended is not None:
        why, step = f"it ended as {history.ended.name} without a finalised round", "`hansa job list` shows others"
    raise FatalError(f"job {history.job} has no history to export", cause=why, next_step=step)


def encode(view: HistoryView, kind: Kind) -> bytes:
    """The file."""
    if kind is Kind.PARQUET:
        return to_parquet(view)
    text = to_csv(view) if kind is Kind.CSV else json.dumps(to_json(view), indent=2) + "\n"
    return text.encode()


def _warn(view: HistoryView) -> None:
    """What is empty, and why, on standard error."""
    lost = [row.round for row in view.rounds if row.pay is None]
    if lost:
        print(f"hansa: the pay of {numbered('round', lost)} is left out: nobody can claim it", file=sys.stderr)
    unknown = [row.round for row in view.rounds if row.gas is None]
    if unknown and view.archive is None:
        print(f"hansa: the node does not have the gas of {numbered('round', unknown)} any more", file=sys.stderr)
    if view.archive is not None and not view.archive.bound:
        print(f"hansa: {escape_untrusted(view.archive.file)}: {UNBOUND}", file=sys.stderr)
