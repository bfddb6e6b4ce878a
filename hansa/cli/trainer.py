"""`hansa trainer`: run the daemon that trains, and ask how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hansa.cli.command import Here, command
from hansa.cli.daemon_options import Allow, JobOption, LogFile, MaxBytes, MetricsAt, MinClaim, TaskFile, Threads
from hansa.cli.key_options import Account, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.accounts import address_of, load_account
from hansa.runtime.amounts import fixed
from hansa.sponsor.terms import seconds

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.protocol.types import Wei
    from hansa.runtime.amounts import Token
    from hansa.runtime.chain.federation import Federation

app = typer.Typer(help="Train in a job.", no_args_is_help=True)


@command(app, "run")
def run(
    here: Here,
    job: JobOption,
    source: Annotated[str, typer.Option("--source", help="Your rows: a party of the task, or a file of your own.")],
    account: Account = None,
    password_file: PasswordFile = None,
    bond: Annotated[
        str | None, typer.Option("--bond", help="Tokens; the least that the job asks for by default.")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on after a cycle that failed with your update in.")
    ] = False,
    allow: Allow = None,
    task_file: TaskFile = None,
    max_bytes: MaxBytes = 2**30,
    min_claim: MinClaim = "1h",
    threads: Threads = 1,
    log_file: LogFile = None,
    metrics: MetricsAt = None,
) -> None:
    """Enrol, train, submit and claim, until the job has ended. Ctrl-C stops; run it again to go on."""
    from client import TrainerConfig
    from client.trainer import Trainer
    from hansa.cli.daemon_options import prepare_run, run_daemon
    from hansa.runtime.session import connect

    wire = connect(here)
    prepare_run(wire, job)
    signer = load_account(here, account, password_file)
    terms = wire.federation.terms(JobId(job))
    paid_in = wire.token(terms.token)
    own_bond = None if bond is None else paid_in.units(bond, "--bond")
    check_bond(wire.federation, JobId(job), Address(signer.address), paid_in, own_bond)
    config = TrainerConfig(
        deployment=wire.deployment,
        account=signer,
        journal=here.journal(signer.address, f"job-{job}"),
        job=JobId(job),
        source=source,
        bond=own_bond,
        keep_going=keep_going,
        max_bytes=max_bytes,
        min_claim=seconds(min_claim),
        threads=threads,
        task_file=task_file,
        allow=frozenset(allow or ()),
        log_file=log_file,
    )
    run_daemon(Trainer(config), metrics)


def check_bond(federation: Federation, job: JobId, trainer: Address, token: Token, bond: Wei | None) -> None:
    """FatalError where a trainer that has yet to enrol can't: its bond is too small, or it has too few tokens."""
    if federation.state(job).phase != Phase.ENROL or federation.trainer(job, trainer)[0]:
        return
    least = federation.terms(job).min_bond
    bond = least if bond is None else bond
    if bond < least:
        raise FatalError(
            f"a bond of {token.text(bond)} is too small",
            cause=f"job {job} asks for {token.text(least)}",
            next_step="raise --bond",
        )
    held = federation.token_balance(Address(token.address), trainer)
    if held < bond:
        raise FatalError(
            f"{trainer} can't pay a bond of {token.text(bond)}",
            cause=f"it has {token.text(held)}",
            next_step="send it tokens, or name another account",
        )


@command(app, "status")
def status(here: Here, job: JobOption, account: Account = None) -> None:
    """What a trainer has done and earned in a job, as the chain tells it. --account may be an address."""
    from hansa.runtime.session import connect
    from hansa.runtime.snapshot import read_job

    wire = connect(here)
    who = address_of(here, account)
    view = read_job(wire.federation, wire.store, JobId(job))
    if who not in view.trainers:
        raise FatalError(f"{who} is not enrolled in job {job}", next_step=f"`hansa job show {job}` lists who is")
    last = view.history.cycles[-1] if view.history.cycles else None
    data: dict[str, Any] = {
        "job": job,
        "address": who,
        "phase": view.state.phase.name,
        "round": view.state.round,
        "submitted": last is not None and any(update.trainer == who for update in last.updates),
        "updates": sum(update.trainer == who for cycle in view.history.cycles for update in cycle.updates),
        "bond": str(wire.federation.bond(JobId(job), who)),
        "earned": str(view.earned(who)),
        "strikes": view.strikes(who),
        "reputation": view.reputation(who),
    }
    token = wire.token(view.context.terms.token)
    here.answer(data, lambda console: _show(console, data, token))


def _show(console: Console, data: dict[str, Any], token: Any) -> None:
    now = "submitted in the last cycle" if data["submitted"] else "nothing submitted in the last cycle"
    console.print(
        f"[bold]{data['address']}[/] in job {data['job']}: {data['phase']} ({data['round'] - 1} rounds done), {now}"
    )
    console.print(f"  updates     {data['updates']}\n  earned      {token.text(int(data['earned']))}")
    console.print(f"  bond        {token.text(int(data['bond']))}\n  strikes     {data['strikes']}")
    console.print(f"  reputation  {fixed(data['reputation'], 6, 3)}")
