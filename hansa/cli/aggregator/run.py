"""`hansa aggregator run`: the daemon that validates."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aggregator.validator import Validator
from hansa.cli.command import Command
from hansa.cli.daemon_options import DaemonOptions, JobOption, prepare_run, run_daemon
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.types import Address, JobId
from hansa.runtime.accounts import load_account
from hansa.runtime.chain.abi import ContractError, artifact
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.session import Session, connect
from hansa.sponsor.terms import seconds


def run(
    command: Command,
    *,
    job: JobOption,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
    keep_models: Annotated[
        int | None, typer.Option("--keep-models", help="Models to keep; all by default.", min=3)
    ] = None,
    options: DaemonOptions,
) -> None:
    """Score, aggregate, vote and claim, until the job has ended. Ctrl-C stops; run it again to go on."""
    session = connect(command.workspace)
    prepare_run(session, job)
    account = load_account(command.workspace, account_name, password_file)
    config = DaemonConfig(
        deployment=session.deployment,
        account=account,
        journal=command.workspace.journal(account.address, f"job-{job}"),
        job=JobId(job),
        keep_models=keep_models,
        max_bytes=options.max_bytes,
        min_claim=seconds(options.min_claim),
        device=options.device,
        threads=options.threads,
        task_file=options.task_file,
        allow=frozenset(options.allow or ()),
        log_file=options.log_file,
        caps=fees.caps,
    )
    if is_outside(session, JobId(job), account.address):
        phase = session.federation.state(JobId(job)).phase
        if phase.is_over and not session.federation.fees(JobId(job), Address(account.address)):
            said = f"job {job} is over ({phase.name}) and owes {account.address} no fees: there is nothing to do"
            print(f"hansa: {said}", file=sys.stderr)
            return
        if not phase.is_over:
            said = f"{account.address} is not in the committee of job {job}; it waits to be drawn"
            print(f"hansa: {said}", file=sys.stderr)
    run_daemon(Validator(config), options.metrics)


def is_outside(session: Session, job: JobId, account: str) -> bool:
    """Whether the committee of the last cycle, or the one that would be drawn for the first, is without `account`."""
    federation, chain = session.federation, session.chain
    state, head = federation.state(job), chain.head()
    if state.phase.is_over or state.committee:
        return account not in state.committee
    select = artifact("ICommittee").functions["select"]
    try:
        drawn = chain.read([(federation.terms(job).committee, select, (job, 0, bytes(32), head.timestamp))])
    except ContractError:
        return False
    return account.lower() not in [member.lower() for member in drawn[0][0]]
