"""`hansa job`: post a job, look at it, stop it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hansa.cli.command import Here, command
from hansa.cli.key_options import Account, PasswordFile
from hansa.protocol.errors import FatalError, HansaError
from hansa.protocol.types import Address, JobId
from hansa.runtime.accounts import address_of, load_account
from hansa.runtime.amounts import Token
from hansa.sponsor.terms import NO_TARGET, JobOffer, parse_times

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.runtime.chain.federation import Federation

app = typer.Typer(help="Post a job, look at it, stop it.", no_args_is_help=True)

Job = Annotated[int, typer.Argument(help="The job's number.", metavar="JOB")]


@command(app, "post")
def post(
    here: Here,
    validators: Annotated[
        str, typer.Option("--validators", help="The committee: addresses or keystore names, with commas.")
    ],
    task: Annotated[
        str, typer.Option("--task", help="A built-in task, package.module:Class, or FILE.py:Class.")
    ] = "heart",
    account: Account = None,
    password_file: PasswordFile = None,
    trainers: Annotated[int, typer.Option("--trainers", help="How many may enrol; all there: training starts.")] = 4,
    min_updates: Annotated[int | None, typer.Option("--min-updates", help="More than half by default.")] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", help="What the task recommends by default.")] = None,
    reward: Annotated[str, typer.Option("--reward", help="Tokens for the trainers of one round.")] = "100",
    fee: Annotated[str, typer.Option("--fee", help="Tokens for each validator and round.")] = "5",
    bond: Annotated[str, typer.Option("--bond", help="Tokens that a trainer must bond at least.")] = "100",
    penalty: Annotated[str, typer.Option("--penalty", help="Tokens that a malformed update costs.")] = "25",
    quorum: Annotated[
        int | None, typer.Option("--quorum", help="Votes that must agree; two thirds by default.")
    ] = None,
    failures: Annotated[int, typer.Option("--failures", help="Failed cycles in a row that abort the job.")] = 3,
    patience: Annotated[int, typer.Option("--patience", help="Rounds without a better metric; 0: no limit.")] = 0,
    target: Annotated[str | None, typer.Option("--target", help="A metric that ends the job.")] = None,
    times: Annotated[list[str] | None, typer.Option("--time", help="Length of a phase, like submit=10m.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Training steps of one round.")] = None,
    bits: Annotated[int | None, typer.Option("--bits", help="Of an update's integers: 8 or 16.")] = None,
    loss: Annotated[str | None, typer.Option("--loss-threshold", help="A loss that ends a round's training.")] = None,
    rule: Annotated[str, typer.Option("--rule", help="How updates are aggregated.")] = "validated_mean",
    weights: Annotated[str, typer.Option("--weights", help="equal, or bond.")] = "equal",
    publish_keys: Annotated[
        bool,
        typer.Option("--publish-keys", help="Trainers publish their updates' keys at the end: anyone can audit all."),
    ] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the task, NAME=VALUE.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of model 0 and of the training.")] = 0,
    baselines: Annotated[
        list[str] | None,
        typer.Option("--baseline", help="What to compare the metric with, NAME=DECIMAL, such as majority=0.54."),
    ] = None,
    token: Annotated[str | None, typer.Option("--token", help="Another ERC-20 than the deployment's.")] = None,
) -> None:
    """Put spec and model 0 into the store, appoint the committee, escrow the reward and post."""
    from hansa.protocol.cid import to_cid
    from hansa.runtime.deploy import allow_committee
    from hansa.runtime.session import connect, read_token
    from hansa.runtime.transactions.signer import signing_with
    from hansa.sponsor.post import parse_baselines, parse_settings, post_job, prepare

    wire = connect(here)
    read_token(wire.chain, Address(token or wire.deployment.token))  # nobody can escrow what is no token
    paid_in = wire.token(token)
    members = [address_of(here, name.strip()) for name in validators.split(",") if name.strip()]
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
        loss_threshold=None if loss is None else billionths(loss, "--loss-threshold"),
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
        target=NO_TARGET if target is None else billionths(target, "--target"),
        times=parse_times(times or []),
    )
    if warning := offer.claim_warning:
        print(f"hansa: {warning}", file=sys.stderr)
    signer = load_account(here, account, password_file)
    check_escrow(wire.federation, Address(signer.address), paid_in, offer.escrow)
    with signing_with(wire.chain, signer, here.journal(signer.address)) as actor:
        posted = post_job(wire, actor, prepared, offer, members, token)
    allow_committee(wire.deployment, posted.committee).save(here.deployment_file)
    data = {
        "job": posted.job,
        "committee": posted.committee,
        "members": members,
        "spec": to_cid(posted.spec),
        "model": to_cid(posted.model),
        "task": prepared.spec.task,
        "trainers": trainers,
        "rounds": offer.rounds,
        "escrow": str(offer.escrow),
    }
    here.answer(data, lambda console: _show_posted(console, here, data, paid_in.text(offer.escrow)))


def check_escrow(federation: Federation, sponsor: Address, token: Token, escrow: int) -> None:
    """FatalError where a sponsor has too few tokens for the escrow."""
    held = federation.token_balance(Address(token.address), sponsor)
    if held < escrow:
        raise FatalError(
            f"{sponsor} can't pay an escrow of {token.text(escrow)}",
            cause=f"it has {token.text(held)}",
            next_step="lower --rounds, --reward or --fee, send it tokens, or name another account",
        )


def billionths(text: str, what: str) -> int:
    """A decimal number in units of 1e-9, as metrics and losses stand on chain."""
    return Token("", "", 9).signed(text, what)


def _show_posted(console: Console, here: Here, data: dict[str, Any], escrow: str) -> None:
    where = "" if str(here.dir) == ".hansa" else f" --dir {here.dir}"
    console.print(f"[bold]job {data['job']}[/] posted: {data['task']}, {data['rounds']} rounds, {escrow} in escrow")
    console.print(f"  committee  {data['committee']} ({len(data['members'])} members)")
    console.print(f"  spec       {data['spec']}\n  model 0    {data['model']}")
    console.print("next, each in a terminal of its own:")
    console.print(f"  hansa aggregator run --job {data['job']} --account NAME{where}     (every member)")
    console.print(f"  hansa trainer run --job {data['job']} --source 0 --account NAME{where}     (every trainer)")


@command(app, "list")
def list_jobs(here: Here) -> None:
    """Every job of the deployment, newest first."""
    from hansa.cli.job.show import metric_of, show_jobs
    from hansa.runtime.session import connect

    wire = connect(here)
    at = wire.chain.head()
    rows = []
    for number in range(wire.federation.job_count(), 0, -1):
        state = wire.federation.state(JobId(number), at)
        terms = wire.federation.terms(JobId(number))
        rows.append(
            {
                "job": number,
                "phase": state.phase.name,
                "round": state.round - 1,
                "rounds": terms.max_rounds,
                "trainers": state.enrolled,
                "seats": terms.seats,
                "metric": metric_of(state.best_metric),
                "sponsor": state.sponsor,
                "reward_per_round": str(terms.reward_per_round),
                "token": terms.token,
            }
        )
    here.answer({"jobs": rows}, lambda console: show_jobs(console, rows, wire))


@command(app, "show")
def show(here: Here, job: Job) -> None:
    """Terms, state, rounds and accounts of a job. Ends with 1 where its spec can't be read, and shows the rest."""
    from hansa.cli.job.show import job_data, show_job
    from hansa.runtime.follower import JobFollower
    from hansa.runtime.session import connect
    from hansa.runtime.snapshot import read_snapshot, with_ledgers

    wire = connect(here)
    follower = JobFollower(wire.federation, wire.store, JobId(job))
    facts = read_snapshot(follower)
    problem: str | None = None
    try:
        facts = with_ledgers(follower)
    except HansaError as error:
        problem = str(error)
    data = job_data(facts, wire.federation, problem)
    here.answer(data, lambda console: show_job(console, data, wire.token(facts.terms.token)))
    if problem is not None:
        raise typer.Exit(1)


@command(app, "watch")
def watch(
    here: Here,
    job: Job,
    interval: Annotated[float, typer.Option("--interval", help="Seconds between two looks.", min=0.1)] = 1.0,
) -> None:
    """Tell what happens in a job until it ends, in a terminal with a bar of its rounds. --json: one object a line."""
    from hansa.cli.job.watch import follow
    from hansa.runtime.session import connect
    from hansa.runtime.snapshot import check_job

    wire = connect(here)
    check_job(wire.federation, JobId(job))
    follow(here, wire, JobId(job), interval)


@command(app, "stop")
def stop(here: Here, job: Job, account: Account = None, password_file: PasswordFile = None) -> None:
    """End a job of yours: at once while it waits for trainers or a cycle, else with the cycle under way."""
    from hansa.cli.job.show import state_data
    from hansa.runtime.session import connect
    from hansa.runtime.snapshot import check_job
    from hansa.runtime.transactions.signer import signing_with

    wire = connect(here)
    check_job(wire.federation, JobId(job))
    if (phase := wire.federation.state(JobId(job)).phase).is_over:
        raise FatalError(
            f"job {job} has ended already",
            cause=f"it is {phase.name}",
            next_step="`hansa wallet claim` pays what is left",
        )
    signer = load_account(here, account, password_file)
    with signing_with(wire.chain, signer, here.journal(signer.address)) as actor:
        actor.do(wire.federation.stop_call(JobId(job)))
    state = wire.federation.state(JobId(job))
    data = state_data(state)
    ended = f"job {job} is {state.phase.name}" if state.phase.is_over else f"job {job} ends with the cycle under way"
    here.answer(data, lambda console: console.print(ended))
