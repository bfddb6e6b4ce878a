"""`hansa trainer run`: the daemon that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client import TrainerConfig
from client.committee_keys import read_pinned_keys
from client.relayed import relays_of
from client.trainer import Trainer
from hansa.cli.command import Command
from hansa.cli.daemon_options import TRUST, DaemonOptions, KeepModels, as_service, prepare_run, run_daemon
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.cli.serving import Listing, ManyJobs, OneJob, chosen_jobs, serve
from hansa.cli.tables import named
from hansa.cli.trainer.privacy_options import PrivacyOptions
from hansa.devnet.roles import coupled
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId, Phase, Wei
from hansa.runtime.accounts import load_account, names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Federation
from hansa.runtime.session import Session, connect

MAX_JOBS = 4


@as_service
def run(
    command: Command,
    *,
    job: OneJob = None,
    jobs: ManyJobs = None,
    source: Annotated[str, typer.Option("--source", help="Your rows: a party of the task, or a file of your own.")],
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
    bond: Annotated[
        str | None,
        typer.Option(
            "--bond",
            help="Tokens for a job; one that asks for more is refused. The least that it asks for by default.",
        ),
    ] = None,
    max_jobs: Annotated[
        int, typer.Option("--max-jobs", help="With --jobs: so many at a time, each with a bond.", min=1)
    ] = MAX_JOBS,
    stop_after_failure: Annotated[
        bool,
        typer.Option(
            "--stop-after-failure",
            help="End after a cycle that failed with your update in; without it the same integers are sent again.",
        ),
    ] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", hidden=True)] = False,  # what is done anyway
    validate: Annotated[
        bool, typer.Option("--validate", help="Take a seat too where the job draws its committees from the trainers.")
    ] = False,
    validation: Annotated[
        str | None,
        typer.Option("--validation", help="With --validate: your validation rows, as the task asks.", metavar="FILE"),
    ] = None,
    keep_models: KeepModels = None,
    pin_keys: Annotated[
        Path | None,
        TRUST("--pin-keys", help="Seal updates to these keys alone: a JSON file, account to key, from the sponsor."),
    ] = None,
    repeat: Annotated[
        bool,
        TRUST("--repeat", help="Masked jobs: train from weights that your update was summed over elsewhere, too."),
    ] = False,
    min_group: Annotated[
        int, TRUST("--min-group", help="Masked jobs: open no sums of fewer updates than this.", min=0)
    ] = 0,
    privacy: PrivacyOptions,
    gasless: Annotated[
        bool,
        typer.Option("--gasless", help="Sign instead of sending: relays send, and pay for gas. Needs --relay."),
    ] = False,
    relays: Annotated[
        list[str] | None,
        typer.Option(
            "--relay", help="A relay's address; repeat it for others, that are asked where one fails.", metavar="URL"
        ),
    ] = None,
    options: DaemonOptions,
) -> None:
    """Enrol, train, submit and claim, until the job has ended. Ctrl-C stops; run it again to go on."""
    numbers = chosen_jobs(job, jobs)
    budget = privacy.own_settings(command.workspace)
    check_relays(gasless, relays or [], validate)
    if validate and keep_models is not None:
        raise FatalError(
            "--validate is given with --keep-models",
            cause="a member keeps every model, and the store is the same",
            next_step="leave one of them out",
        )
    session, workspace = connect(command.workspace), command.workspace
    if job is not None:
        prepare_run(session, job)
    account = load_account(workspace, account_name, password_file)
    me = Address(account.address)
    name = named(me, names_of_accounts(workspace.keys))
    pinned = None if pin_keys is None else read_pinned_keys(pin_keys)
    if validate and job is None:
        raise FatalError("--validate is given with --jobs", next_step="give --job N, once for each job")

    def configure(number: JobId, deployment: Deployment, asked_for: bool) -> TrainerConfig | None:
        if not asked_for and not has_work(session.federation, number, me):
            return None
        if job is None:
            listing.check(number, deployment)
        paid_in = session.token(session.federation.terms(number).token)
        own_bond = None if bond is None else paid_in.units(bond, "--bond")
        check_bond(session, number, me, paid_in, own_bond, name=name)
        return TrainerConfig(
            deployment=deployment,
            account=account,
            journal=workspace.journal(me, f"job-{number}"),
            job=number,
            source=source,
            bond=own_bond,
            pinned_keys=pinned,
            privacy=budget,
            stop_after_failure=stop_after_failure,
            repeat=repeat,
            min_group=min_group,
            keep_models=keep_models,
            validation=validation,
            caps=fees.caps,
            relays=tuple(relays or ()),
            **options.fields(),
        )

    def make(number: JobId, deployment: Deployment, asked_for: bool) -> Trainer | None:
        config = configure(number, deployment, asked_for)
        return None if config is None else Trainer(config)

    listing = Listing(session, workspace, options, numbers, make)
    if job is None:
        serve(listing, "trainer", me, max_jobs)
    elif validate and (config := configure(JobId(job), session.deployment, True)) is not None:
        run_daemon(coupled(config), options.metrics)
    elif (trainer := make(JobId(job), session.deployment, True)) is not None:
        run_daemon(trainer, options.metrics)


def check_relays(gasless: bool, relays: list[str], validate: bool) -> None:
    """FatalError where --gasless names no relay or has a seat too, a relay is named without it, or one can't be an
    address."""
    if validate and gasless:
        raise FatalError(
            "--validate is given with --gasless",
            cause="a member announces its key and sends its own steps: no relay sends these, it needs coin",
            next_step="leave one of them out",
        )
    if gasless != bool(relays):
        raise FatalError(
            "--gasless names no relay" if gasless else "--relay is given without --gasless",
            next_step="give --gasless and --relay URL, as often as there are relays",
        )
    relays_of(relays)


def has_work(federation: Federation, job: JobId, trainer: Address) -> bool:
    """Whether a job enrols, or has this trainer in it until it has its bond back."""
    phase = federation.state(job).phase
    if not federation.trainer(job, trainer).enrolled:
        return phase == Phase.ENROL
    return not phase.is_over or bool(federation.bond(job, trainer))


def check_bond(
    session: Session, job: JobId, trainer: Address, token: Token, bond: Wei | None, *, name: str = ""
) -> None:
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
    session.check_funds(trainer, token, bond, "a bond", "send it tokens, or name another account", name=name)
