"""`hansa aggregator run`: the daemon that validates."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aggregator.seats import check_can_be_drawn, has_work, missing_stake
from aggregator.validator import Validator
from hansa.cli.command import Command
from hansa.cli.daemon_options import TRUST, DaemonOptions, KeepModels, as_service, prepare_run, run_daemon
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.cli.serving import Listing, ManyJobs, OneJob, chosen_jobs, serve
from hansa.cli.tables import named
from hansa.protocol.types import Address, JobId
from hansa.runtime.accounts import load_account, names_of_accounts
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Federation, JobState
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.service import NothingYet
from hansa.runtime.session import connect


@as_service
def run(
    command: Command,
    *,
    job: OneJob = None,
    jobs: ManyJobs = None,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
    keep_models: KeepModels = None,
    keep_updates: Annotated[
        int | None,
        typer.Option(
            "--keep-updates",
            help="Rounds whose updates the store keeps; all by default, for an audit that opens them.",
            min=1,
        ),
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(
            "--validation",
            help="Your validation rows, for a job or a task that asks for them: a file, or a party of the task; "
            "nobody may train on these.",
            metavar="FILE",
        ),
    ] = None,
    rotate_keys: Annotated[
        bool,
        TRUST(
            "--rotate-keys",
            help="Announce a new encryption key for every cycle, and delete its secret when that is over: who gets "
            "this account's key later can't read old updates; your audit can't either. Not where trainers pin keys.",
        ),
    ] = False,
    relay: Annotated[
        str | None,
        typer.Option(
            "--relay",
            help="Send there, at this account's cost, what trainers without coin signed, like 127.0.0.1:9545. Off by "
            "default.",
            metavar="HOST:PORT",
        ),
    ] = None,
    options: DaemonOptions,
) -> None:
    """Score, aggregate, vote and claim, until the job has ended. Ctrl-C stops; run it again to go on."""
    numbers = chosen_jobs(job, jobs)
    session, workspace = connect(command.workspace), command.workspace
    if job is not None:
        prepare_run(session, job)
    account = load_account(workspace, account_name, password_file)
    me = Address(account.address)
    name = named(me, names_of_accounts(workspace.keys))

    def make(number: JobId, deployment: Deployment, asked_for: bool) -> Validator | None:
        federation = session.federation
        state = federation.state(number)
        if not has_work(federation, number, state, me) and not (asked_for and me in state.committee):
            if (pool := waiting_pool(federation, number, state, me)) is None:
                if asked_for:
                    say_why(federation, number, state, me, name)
                return None
            said = f"{name} has no stake in the pool {pool} that job {number} draws from"
            if not asked_for:
                raise NothingYet(said)
            stake = f"hansa aggregator stake --pool {pool} --amount TOKENS{command.dir_option}"
            print(f"hansa: {said}; it waits for one: `{stake}`", file=sys.stderr)
        if job is None:
            listing.check(number, deployment)
        config = DaemonConfig(
            deployment=deployment,
            account=account,
            journal=workspace.journal(me, f"job-{number}"),
            job=number,
            keep_models=keep_models,
            keep_updates=keep_updates,
            validation=validation,
            caps=fees.caps,
            rotate_keys=rotate_keys,
            **options.fields(),
        )
        if state.committee and me not in state.committee:
            print(f"hansa: {name} is not in the committee of job {number}; it waits to be drawn", file=sys.stderr)
        return Validator(config)

    listing = Listing(session, workspace, options, numbers, make)
    if job is None:
        serve(listing, "validator", me, relay=relay)
    elif (validator := make(JobId(job), session.deployment, True)) is not None:
        run_daemon(validator, options.metrics, relay)


def waiting_pool(federation: Federation, job: JobId, state: JobState, account: Address) -> Address | None:
    """The pool in which a stake would give an account a part in a job that is not over."""
    pool = None if state.phase.is_over else missing_stake(federation, job, state, account)
    return None if pool is None else pool.address


def say_why(federation: Federation, job: JobId, state: JobState, account: Address, name: str) -> None:
    """Says of a job that was named that it is over; FatalError where the account can never have a seat in it."""
    if not state.phase.is_over:
        check_can_be_drawn(federation, job, state, account)
    said = f"job {job} is over ({state.phase.name}) and owes {name} no fees: there is nothing to do"
    print(f"hansa: {said}", file=sys.stderr)
