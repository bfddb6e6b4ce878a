"""`hansa aggregator`: run the daemon that validates, and ask how it stands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hansa.cli.command import Here, command
from hansa.cli.daemon_options import Allow, JobOption, LogFile, MaxBytes, MetricsAt, MinClaim, TaskFile, Threads
from hansa.cli.key_options import Account, PasswordFile
from hansa.protocol.types import Address, JobId
from hansa.runtime.accounts import address_of, load_account
from hansa.sponsor.terms import seconds

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.runtime.amounts import Token
    from hansa.runtime.session import Session

app = typer.Typer(help="Validate and aggregate in a job.", no_args_is_help=True)


@command(app, "run")
def run(
    here: Here,
    job: JobOption,
    account: Account = None,
    password_file: PasswordFile = None,
    keep_models: Annotated[
        int | None, typer.Option("--keep-models", help="Models to keep; all by default.", min=3)
    ] = None,
    allow: Allow = None,
    task_file: TaskFile = None,
    max_bytes: MaxBytes = 2**30,
    min_claim: MinClaim = "1h",
    threads: Threads = 1,
    log_file: LogFile = None,
    metrics: MetricsAt = None,
) -> None:
    """Score, aggregate, vote and claim, until the job has ended. Ctrl-C stops; run it again to go on."""
    from aggregator import ValidatorConfig
    from aggregator.validator import Validator
    from hansa.cli.daemon_options import prepare_run, run_daemon
    from hansa.runtime.session import connect

    wire = connect(here)
    prepare_run(wire, job)
    signer = load_account(here, account, password_file)
    config = ValidatorConfig(
        deployment=wire.deployment,
        account=signer,
        journal=here.journal(signer.address, f"job-{job}"),
        job=JobId(job),
        keep_models=keep_models,
        max_bytes=max_bytes,
        min_claim=seconds(min_claim),
        threads=threads,
        task_file=task_file,
        allow=frozenset(allow or ()),
        log_file=log_file,
    )
    if is_outside(wire, JobId(job), signer.address):
        phase = wire.federation.state(JobId(job)).phase
        if phase.is_over and not wire.federation.fees(JobId(job), Address(signer.address)):
            said = f"job {job} is over ({phase.name}) and owes {signer.address} no fees: there is nothing to do"
            print(f"hansa: {said}", file=sys.stderr)
            return
        if not phase.is_over:
            said = f"{signer.address} is not in the committee of job {job}; it waits to be drawn"
            print(f"hansa: {said}", file=sys.stderr)
    run_daemon(Validator(config), metrics)


def is_outside(wire: Session, job: JobId, account: str) -> bool:
    """Whether the committee of the last cycle, or the one that would be drawn for the first, is without `account`."""
    from hansa.runtime.chain.abi import ContractError, artifact

    state, head = wire.federation.state(job), wire.chain.head()
    if state.phase.is_over or state.committee:
        return account not in state.committee
    select = artifact("ICommittee").functions["select"]
    try:
        drawn = wire.chain.read([(wire.federation.terms(job).committee, select, (job, 0, bytes(32), head.timestamp))])
    except ContractError:
        return False
    return account.lower() not in [member.lower() for member in drawn[0][0]]


@command(app, "status")
def status(here: Here, job: JobOption, account: Account = None) -> None:
    """What a validator has done and earned in a job, as the chain tells it. --account may be an address."""
    from hansa.runtime.session import connect
    from hansa.runtime.snapshot import read_job

    wire = connect(here)
    who = address_of(here, account)
    view = read_job(wire.federation, wire.store, JobId(job))
    did, seat = view.attendance(who), view.seat(who)
    data: dict[str, Any] = {
        "job": job,
        "address": who,
        "phase": view.state.phase.name,
        "round": view.state.round,
        "seat": seat,
        "committed": seat is not None and bool(view.state.committed >> seat & 1),
        "revealed": seat is not None and bool(view.state.revealed >> seat & 1),
        "voted": seat is not None and bool(view.state.voted >> seat & 1),
        "key_announced": wire.federation.announced_key(who) is not None,
        "matched": did.matched,
        "wrong": did.wrong,
        "missed": did.missed,
        "earned": str(did.matched * view.context.terms.fee_per_seat),
    }
    token = wire.token(view.context.terms.token)
    here.answer(data, lambda console: _show(console, data, token))


def _show(console: Console, data: dict[str, Any], token: Token) -> None:
    seat = "no seat" if data["seat"] is None else f"seat {data['seat']}"
    done = ", ".join(step for step in ("committed", "revealed", "voted") if data[step]) or "nothing done in this cycle"
    at = f"{data['phase']} ({data['round'] - 1} rounds done)"
    console.print(f"[bold]{data['address']}[/] in job {data['job']}: {at}, {seat}, {done}")
    if not data["key_announced"]:
        console.print("  [yellow]no encryption key announced yet: nothing can be sealed to it[/]")
    console.print(f"  matched  {data['matched']}\n  wrong    {data['wrong']}\n  missed   {data['missed']}")
    console.print(f"  earned   {token.text(int(data['earned']))}")
