"""`hansa trainer run`: the daemon that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client import TrainerConfig
from client.committee_keys import read_pinned_keys
from client.trainer import Trainer
from hansa.cli.command import Command
from hansa.cli.daemon_options import TRUST, DaemonOptions, JobOption, prepare_run, run_daemon
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId, Phase, Wei
from hansa.runtime.accounts import load_account
from hansa.runtime.amounts import Token
from hansa.runtime.session import Session, connect
from hansa.sponsor.terms import seconds


def run(
    command: Command,
    *,
    job: JobOption,
    source: Annotated[str, typer.Option("--source", help="Your rows: a party of the task, or a file of your own.")],
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
    bond: Annotated[
        str | None, typer.Option("--bond", help="Tokens; the least that the job asks for by default.")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on after a cycle that failed with your update in.")
    ] = False,
    pin_keys: Annotated[
        Path | None,
        TRUST("--pin-keys", help="Seal updates to these keys alone: a JSON file, account to key, from the sponsor."),
    ] = None,
    options: DaemonOptions,
) -> None:
    """Enrol, train, submit and claim, until the job has ended. Ctrl-C stops; run it again to go on."""
    session = connect(command.workspace)
    prepare_run(session, job)
    account = load_account(command.workspace, account_name, password_file)
    paid_in = session.token(session.federation.terms(JobId(job)).token)
    own_bond = None if bond is None else paid_in.units(bond, "--bond")
    check_bond(session, JobId(job), Address(account.address), paid_in, own_bond)
    config = TrainerConfig(
        deployment=session.deployment,
        account=account,
        journal=command.workspace.journal(account.address, f"job-{job}"),
        job=JobId(job),
        source=source,
        bond=own_bond,
        pinned_keys=None if pin_keys is None else read_pinned_keys(pin_keys),
        keep_going=keep_going,
        max_bytes=options.max_bytes,
        min_claim=seconds(options.min_claim),
        device=options.device,
        threads=options.threads,
        task_file=options.task_file,
        allow=frozenset(options.allow or ()),
        log_file=options.log_file,
        caps=fees.caps,
    )
    run_daemon(Trainer(config), options.metrics)


def check_bond(session: Session, job: JobId, trainer: Address, token: Token, bond: Wei | None) -> None:
    """FatalError where a trainer that has yet to enrol can't: its bond is too small, or it has too few tokens."""
    federation = session.federation
    if federation.state(job).phase != Phase.ENROL or federation.trainer(job, trainer).enrolled:
        return
    least = federation.terms(job).min_bond
    bond = least if bond is None else bond
    if bond < least:
        raise FatalError(
            f"a bond of {token.text(bond)} is too small",
            cause=f"job {job} asks for {token.text(least)}",
            next_step="raise --bond",
        )
    session.check_funds(trainer, token, bond, "a bond", "send it tokens, or name another account")
