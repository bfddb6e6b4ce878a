"""`hansa job post`: a job's files, its committee, its escrow."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.document import Amount
from hansa.cli.key_options import AccountName, PasswordFile
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, load_account
from hansa.runtime.amounts import Token
from hansa.runtime.chain.federation import Federation
from hansa.runtime.deploy import allow_committee
from hansa.runtime.session import connect, read_token
from hansa.runtime.transactions.signer import signing_with
from hansa.sponsor.post import parse_baselines, parse_settings, post_job, prepare
from hansa.sponsor.terms import NO_TARGET, JobOffer, parse_times

JOB, PARTIES, MONEY, END, RULES = "Job", "Parties", "Money", "Times and end", "Rules"  # headings of the help


@dataclass(frozen=True)
class PostedView:
    job: int
    committee: Address
    members: list[Address]
    spec: str  # CID
    model: str  # CID
    task: str
    trainers: int
    rounds: int
    escrow: Amount


def run(
    command: Command,
    *,
    task: Annotated[
        str,
        typer.Option("--task", help="A built-in task, package.module:Class, or FILE.py:Class.", rich_help_panel=JOB),
    ] = "heart",
    rounds: Annotated[
        int | None, typer.Option("--rounds", help="What the task recommends by default.", rich_help_panel=JOB)
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Training steps of one round.", rich_help_panel=JOB)
    ] = None,
    bits: Annotated[
        int | None, typer.Option("--bits", help="Of an update's integers: 8 or 16.", rich_help_panel=JOB)
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option("--loss-threshold", help="A loss that ends a round's training.", rich_help_panel=JOB),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the task, NAME=VALUE.", rich_help_panel=JOB)
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of model 0 and of the training.", rich_help_panel=JOB)] = 0,
    baselines: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            help="What to compare the metric with, NAME=DECIMAL, such as majority=0.54.",
            rich_help_panel=JOB,
        ),
    ] = None,
    validators: Annotated[
        str,
        typer.Option(
            "--validators",
            help="The committee: addresses or keystore names, with commas.",
            rich_help_panel=PARTIES,
        ),
    ],
    trainers: Annotated[
        int,
        typer.Option("--trainers", help="How many may enrol; all there: training starts.", rich_help_panel=PARTIES),
    ] = 4,
    min_updates: Annotated[
        int | None, typer.Option("--min-updates", help="More than half by default.", rich_help_panel=PARTIES)
    ] = None,
    quorum: Annotated[
        int | None,
        typer.Option("--quorum", help="Votes that must agree; two thirds by default.", rich_help_panel=PARTIES),
    ] = None,
    reward: Annotated[
        str, typer.Option("--reward", help="Tokens for the trainers of one round.", rich_help_panel=MONEY)
    ] = "100",
    fee: Annotated[
        str, typer.Option("--fee", help="Tokens for each validator and round.", rich_help_panel=MONEY)
    ] = "5",
    bond: Annotated[
        str, typer.Option("--bond", help="Tokens that a trainer must bond at least.", rich_help_panel=MONEY)
    ] = "100",
    penalty: Annotated[
        str, typer.Option("--penalty", help="Tokens that a malformed update costs.", rich_help_panel=MONEY)
    ] = "25",
    token: Annotated[
        str | None,
        typer.Option("--token", help="Another ERC-20 than the deployment's.", rich_help_panel=MONEY),
    ] = None,
    failures: Annotated[
        int, typer.Option("--failures", help="Failed cycles in a row that abort the job.", rich_help_panel=END)
    ] = 3,
    patience: Annotated[
        int, typer.Option("--patience", help="Rounds without a better metric; 0: no limit.", rich_help_panel=END)
    ] = 0,
    target: Annotated[
        str | None, typer.Option("--target", help="A metric that ends the job.", rich_help_panel=END)
    ] = None,
    times: Annotated[
        list[str] | None, typer.Option("--time", help="Length of a phase, like submit=10m.", rich_help_panel=END)
    ] = None,
    rule: Annotated[
        str, typer.Option("--rule", help="How updates are aggregated.", rich_help_panel=RULES)
    ] = "validated_mean",
    weights: Annotated[str, typer.Option("--weights", help="equal, or bond.", rich_help_panel=RULES)] = "equal",
    publish_keys: Annotated[
        bool,
        typer.Option(
            "--publish-keys",
            help="Trainers publish their updates' keys at the end: anyone can audit all.",
            rich_help_panel=RULES,
        ),
    ] = False,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
) -> None:
    """Put spec and model 0 into the store, appoint the committee, escrow the reward and post."""
    workspace = command.workspace
    session = connect(workspace)
    read_token(session.chain, Address(token or session.deployment.token))  # nobody can escrow what is no token
    paid_in = session.token(token)
    members = [address_of(workspace, name.strip()) for name in validators.split(",") if name.strip()]
    if not members:
        raise FatalError("--validators names nobody", next_step="name keystores or addresses, with commas")
    if len(set(members)) != len(members):
        raise FatalError("a validator is named twice", next_step="name each member of the committee once")
    prepared = prepare(
        task,
        seed=seed,
        settings=parse_settings(settings or []),
        steps=steps,
        bits=bits,
        loss_threshold=None if loss is None else parse_billionths(loss, "--loss-threshold"),
        rule=rule,
        weights=weights,
        publish_keys=publish_keys,
        baselines=parse_baselines(baselines or []),
    )
    offer = JobOffer(
        trainers=trainers,
        seats=len(members),
        rounds=rounds if rounds is not None else prepared.rounds,
        reward=paid_in.units(reward, "--reward"),
        fee=paid_in.units(fee, "--fee"),
        bond=paid_in.units(bond, "--bond"),
        penalty=paid_in.units(penalty, "--penalty"),
        min_updates=min_updates,
        quorum=quorum,
        failures=failures,
        patience=patience,
        target=NO_TARGET if target is None else parse_billionths(target, "--target"),
        times=parse_times(times or []),
    )
    if warning := offer.claim_warning:
        print(f"hansa: {warning}", file=sys.stderr)
    account = load_account(workspace, account_name, password_file)
    check_escrow(session.federation, Address(account.address), paid_in, offer.escrow)
    with signing_with(session.chain, account, workspace.journal(account.address)) as signer:
        posted = post_job(session, signer, prepared, offer, members, token)
    allow_committee(session.deployment, posted.committee).save(workspace.deployment_file)
    view = PostedView(
        job=posted.job,
        committee=posted.committee,
        members=members,
        spec=to_cid(posted.spec),
        model=to_cid(posted.model),
        task=prepared.spec.task,
        trainers=trainers,
        rounds=offer.rounds,
        escrow=offer.escrow,
    )
    command.answer(view, lambda console: show(console, view, paid_in, command.dir_option))


def check_escrow(federation: Federation, sponsor: Address, token: Token, escrow: int) -> None:
    """FatalError where a sponsor has too few tokens for the escrow."""
    held = federation.token_balance(Address(token.address), sponsor)
    if held < escrow:
        raise FatalError(
            f"{sponsor} can't pay an escrow of {token.text(escrow)}",
            cause=f"it has {token.text(held)}",
            next_step="lower --rounds, --reward or --fee, send it tokens, or name another account",
        )


def parse_billionths(text: str, what: str) -> int:
    """A decimal number in units of 1e-9, as metrics and losses stand on chain."""
    return Token("", "", 9).signed(text, what)


def show(console: Console, view: PostedView, token: Token, where: str) -> None:
    """What was posted, and what to start next. where: --dir as a suggested command needs it."""
    console.print(
        f"[bold]job {view.job}[/] posted: {view.task}, {view.rounds} rounds, {token.text(view.escrow)} in escrow"
    )
    console.print(f"  committee  {view.committee} ({len(view.members)} members)")
    console.print(f"  spec       {view.spec}\n  model 0    {view.model}")
    console.print("next, each in a terminal of its own:")
    console.print(f"  hansa aggregator run --job {view.job} --account NAME{where}     (every member)")
    console.print(f"  hansa trainer run --job {view.job} --source 0 --account NAME{where}     (every trainer)")
