"""`hansa trainer run`: the daemon that trains."""

from __future__ import annotations

from typing import Annotated

import typer

from client import TrainerConfig
from client.trainer import Trainer
from hansa.cli.command import Command
from hansa.cli.daemon_options import (
    Allow,
    JobOption,
    LogFile,
    MaxBytes,
    MetricsAt,
    MinClaim,
    TaskFile,
    Threads,
    prepare_run,
    run_daemon,
)
from hansa.cli.key_options import AccountName, MaxFee, MaxTip, PasswordFile, fee_caps
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId, Phase, Wei
from hansa.runtime.accounts import load_account
from hansa.runtime.amounts import Token
from hansa.runtime.chain.federation import Federation
from hansa.runtime.session import connect
from hansa.sponsor.terms import seconds


def run(
    command: Command,
    job: JobOption,
    source: Annotated[str, typer.Option("--source", help="Your rows: a party of the task, or a file of your own.")],
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    max_fee: MaxFee = None,
    max_tip: MaxTip = None,
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
    session = connect(command.workspace)
    prepare_run(session, job)
    account = load_account(command.workspace, account_name, password_file)
    paid_in = session.token(session.federation.terms(JobId(job)).token)
    own_bond = None if bond is None else paid_in.units(bond, "--bond")
    check_bond(session.federation, JobId(job), Address(account.address), paid_in, own_bond)
    config = TrainerConfig(
        deployment=session.deployment,
        account=account,
        journal=command.workspace.journal(account.address, f"job-{job}"),
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
        caps=fee_caps(max_fee, max_tip),
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
