"""`hansa job post`: a job's files, its committee, its escrow."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from rich.console import Console

from hansa.cli.command import Command, in_panel
from hansa.cli.document import Amount
from hansa.cli.job.admission_options import AdmissionOptions
from hansa.cli.job.committee_options import (
    CommitteeOptions,
    answer_pool,
    check_committee,
    committee_for,
    names_or_anybody,
)
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.cli.tables import named
from hansa.protocol.cid import to_cid
from hansa.protocol.privacy import COMMITTEE
from hansa.protocol.text import counted, escape_untrusted
from hansa.protocol.types import Address
from hansa.runtime.accounts import load_account, names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.chain.timing import pace_of
from hansa.runtime.deploy import trusting
from hansa.runtime.session import connect, read_token
from hansa.runtime.transactions.signer import signing_with
from hansa.sponsor.committees import COUPLED
from hansa.sponsor.pace import on_chain
from hansa.sponsor.post import PreparedJob, check_offer, parse_baseline_options, post_job, prepare
from hansa.sponsor.privacy import PRIVACY_HELP, check_members, with_privacy
from hansa.sponsor.rehearse import rehearse
from hansa.sponsor.terms import NO_TARGET, JobOffer, parse_times
from hansa.sponsor.validation import with_validation
from hansa.tasks.loading import BUILT_IN
from hansa.tasks.settings import parse_settings

JOB = in_panel("Job")
PARTIES = in_panel("Parties")
MONEY = in_panel("Money")
END = in_panel("Times and end")
RULES = in_panel("Rules")


@dataclass(frozen=True)
class PostedView:
    job: int
    committee: Address
    consensus: str
    seats: int
    members: list[Address]  # who is appointed
    spec: str  # CID
    model: str  # CID
    task: str
    trainers: int
    rounds: int
    escrow: Amount
    costliest_failures: Amount  # what failed cycles in a row burn at most, before they end the job
    admission: Address | None = None  # where it isn't the deployment's own, which takes everybody


def run(
    command: Command,
    *,
    title: Annotated[str, JOB("--title", help="A few words that lists show for it.")] = "",
    about: Annotated[str, JOB("--about", help="What it is for, who may join, what data it needs.")] = "",
    task: Annotated[str, JOB("--task", help="A built-in task, package.module:Class, or FILE.py:Class.")] = "heart",
    rounds: Annotated[int | None, JOB("--rounds", help="What the task recommends by default.")] = None,
    steps: Annotated[int | None, JOB("--steps", help="Training steps of one round.")] = None,
    bits: Annotated[int | None, JOB("--bits", help="Of an update's integers: 8 or 16.")] = None,
    loss: Annotated[str | None, JOB("--loss-threshold", help="A loss that ends a round's training.")] = None,
    settings: Annotated[list[str] | None, JOB("--set", help="A setting of the task, NAME=VALUE.")] = None,
    seed: Annotated[int, JOB("--seed", help="Of model 0 and of the training.")] = 0,
    baselines: Annotated[
        list[str] | None,
        JOB("--baseline", help="What to compare the metric with, NAME=DECIMAL, such as majority=0.54."),
    ] = None,
    committee: CommitteeOptions,
    trainers: Annotated[int, PARTIES("--trainers", help="How many may enrol; all there: training starts.")] = 4,
    min_updates: Annotated[int | None, PARTIES("--min-updates", help="More than half by default.")] = None,
    quorum: Annotated[int | None, PARTIES("--quorum", help="Votes that must agree; two thirds by default.")] = None,
    reward: Annotated[str, MONEY("--reward", help="Tokens for the trainers of one round.")] = "100",
    fee: Annotated[str, MONEY("--fee", help="Tokens for each validator and round.")] = "5",
    bond: Annotated[str, MONEY("--bond", help="Tokens that a trainer must bond at least.")] = "100",
    penalty: Annotated[str, MONEY("--penalty", help="Tokens that a malformed update costs.")] = "25",
    token: Annotated[str | None, MONEY("--token", help="Another ERC-20 than the deployment's.")] = None,
    failures: Annotated[
        int | None,
        END("--failures", help="Failed cycles in a row that abort the job; 3, or 5 where committees are drawn."),
    ] = None,
    patience: Annotated[int, END("--patience", help="Rounds without a better metric; 0: no limit.")] = 0,
    target: Annotated[str | None, END("--target", help="A metric that ends the job.")] = None,
    times: Annotated[
        list[str] | None, END("--time", help="Length of a phase, like submit=10m; what the task takes by default.")
    ] = None,
    data: Annotated[str | None, END("--data", help="Rows to rehearse the task on.", metavar="FILE")] = None,
    no_rehearsal: Annotated[
        bool, END("--no-rehearsal", help="Don't try the task out: times are as given, or the usual ones.")
    ] = False,
    rule: Annotated[str, RULES("--rule", help="How updates are aggregated.")] = "validated_mean",
    weights: Annotated[str, RULES("--weights", help="equal, or bond.")] = "equal",
    publish_keys: Annotated[
        bool, RULES("--publish-keys", help="Trainers publish their updates' keys at the end: anyone can audit all.")
    ] = False,
    privacy: Annotated[str, RULES("--privacy", help=PRIVACY_HELP)] = COMMITTEE,
    group: Annotated[int | None, RULES("--group", help="masked: the least updates that are opened together.")] = None,
    shares: Annotated[
        int | None, RULES("--shares", help="threshold, masked: validators that it takes to open an update.")
    ] = None,
    validation_rows: Annotated[
        str, RULES("--validation-rows", help="What validators measure on: dealt (rows of all parties) or own.")
    ] = "dealt",
    admission: AdmissionOptions,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """Put spec and model 0 into the store, appoint the committee, escrow the reward and post."""
    workspace = command.workspace
    session = connect(workspace)
    read_token(session.chain, Address(token or session.deployment.token))  # nobody can escrow what is no token
    paid_in = session.token(token)
    consensus = committee.chosen(workspace)
    members = list(consensus.members)
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
        baselines=parse_baseline_options(baselines or []),
        title=title,
        about=about,
    )
    given: Mapping[str, int] = parse_times(times or [])
    offer = JobOffer(
        trainers=trainers,
        seats=consensus.seats,
        rounds=rounds if rounds is not None else prepared.rounds,
        reward=paid_in.units(reward, "--reward"),
        fee=paid_in.units(fee, "--fee"),
        bond=paid_in.units(bond, "--bond"),
        penalty=paid_in.units(penalty, "--penalty"),
        min_updates=min_updates,
        quorum=quorum,
        failures=committee.failures(failures),
        patience=patience,
        target=NO_TARGET if target is None else parse_billionths(target, "--target"),
        times=given,
    )
    prepared, offer = with_privacy(prepared, offer, privacy, group, shares)
    choice = admission.choice(workspace, session)
    prepared, paying = with_validation(prepared, offer, validation_rows)
    for warning in filter(None, (check_offer(prepared, offer, members), paying, offer.claim_warning)):
        print(f"hansa: {warning}", file=sys.stderr)
    account = load_account(workspace, account_name, password_file)
    remedy = "lower --rounds, --reward or --fee, send it tokens, or name another account"
    payer = named(Address(account.address), names_of_accounts(workspace.keys))
    session.check_funds(Address(account.address), paid_in, offer.escrow, "an escrow", remedy, name=payer)
    rehearsed = ""
    if not no_rehearsal:
        lengths, rehearsed = rehearsed_times(prepared, trainers, consensus.seats, given, data)
        offer = replace(offer, times=lengths)
    offer, slowed = on_chain(offer, given, pace_of(session.chain))
    check_committee(session, consensus, offer, prepared, Address(account.address))
    check_members(session.chain, prepared.spec.privacy, consensus)
    with signing_with(session.chain, account, workspace.journal(account.address), fees.caps) as signer:
        contract = committee_for(session, signer, committee, consensus, offer, prepared)
        if contract is not None and consensus.has_pool and consensus.at is None:
            answer_pool(command, consensus, contract)
            return
        posted = post_job(session, signer, prepared, offer, members, token, contract, choice)
    trusting(workspace.deployment(), posted.committee, (), posted.admission).save(workspace.deployment_file)
    for line in filter(None, (rehearsed, slowed)):
        print(f"hansa: {line}", file=sys.stderr)
    view = PostedView(
        job=posted.job,
        committee=posted.committee,
        consensus=consensus.kind,
        seats=consensus.seats,
        members=members,
        spec=to_cid(posted.spec),
        model=to_cid(posted.model),
        task=prepared.spec.task,
        trainers=trainers,
        rounds=offer.rounds,
        escrow=offer.escrow,
        costliest_failures=offer.costliest_failures,
        admission=None if posted.admission == session.deployment.admission else posted.admission,
    )
    names = [names_of_accounts(workspace.keys).get(member, member) for member in members]
    commands = next_commands(view, prepared, names_or_anybody(names), command.dir_option)
    command.answer(view, lambda console: show(console, view, paid_in, commands))


def rehearsed_times(
    prepared: PreparedJob, trainers: int, seats: int, given: Mapping[str, int], source: str | None
) -> tuple[dict[str, int], str]:
    """Lengths of phases, in seconds, by what the task takes here, `given` ones as they are; and a line that says so.

    FatalError for one given too short.
    """
    rehearsal, steps = rehearse(prepared, seats, source), prepared.spec.steps
    times = {**rehearsal.proposed(trainers, steps), **given}
    rehearsal.check(trainers, steps, times)
    return times, rehearsal.says(times)


def parse_billionths(text: str, what: str) -> int:
    """A decimal number in units of 1e-9, as metrics and losses stand on chain."""
    return Token("", "", 9).signed(text, what)


def next_commands(view: PostedView, prepared: PreparedJob, members: Sequence[str], where: str) -> list[str]:
    """What each party types now. members: names, or addresses. where: --dir as a suggested command needs it."""
    parties: list[str] = getattr(prepared.task, "parties", list)()
    source, others = ("0", "--source 1, …") if parties else ("FILE", "its own rows")
    allow = ""
    if prepared.file is not None:
        allow = f" --allow {shlex.quote(str(prepared.file))}"
    elif prepared.spec.task not in BUILT_IN:
        allow = f" --allow {prepared.spec.task.partition(':')[0]}"
    first, *rest = members
    members_too = f"     # and {', '.join(rest)}" if rest else ""
    trainer = f"--account NAME --source {source}{allow}{where}     # each trainer: {others}"
    validates = [f"hansa aggregator run --job {view.job} --account {first}{allow}{where}{members_too}"]
    if view.consensus == COUPLED:
        validates, trainer = [], f"--validate {trainer}"
    commands = [
        *validates,
        f"hansa trainer run --job {view.job} {trainer}",
        f"hansa job watch {view.job}{where}",
    ]
    if prepared.file is not None:
        digest = prepared.spec.task_digest
        commands.append(f"# the others need {prepared.file.name}, SHA-256 {digest}, to read before they allow it")
    contracts = " ".join(f"--allow {each}" for each in (view.committee, view.admission) if each is not None)
    return [*commands, f"# elsewhere: this directory's deployment.json, or {contracts} too"]


def show(console: Console, view: PostedView, token: Token, commands: Sequence[str]) -> None:
    """What was posted, and what to start next."""
    rounds, escrow = counted(view.rounds, "round"), token.text(view.escrow)
    console.print(f"[bold]job {view.job}[/] posted: {view.task}, {rounds}, {escrow} in escrow")
    console.print(f"  committee  {view.committee} ({view.consensus}, {counted(view.seats, 'member')})")
    if view.admission is not None:
        console.print(f"  admission  {view.admission}: it decides who may train")
    console.print(f"  spec       {view.spec}\n  model 0    {view.model}")
    console.print(f"  failures   in a row burn {token.text(view.costliest_failures)} at most, then the job ends")
    console.print("next, each in a terminal of its own:")
    for line in commands:
        console.print(f"  {escape_untrusted(line)}")
