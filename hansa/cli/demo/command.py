"""`hansa demo`: posts a job, starts every daemon, shows the rounds, and ends with who got what and why."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client.privacy.ledger import NAME
from hansa.cli.audit import write_job
from hansa.cli.command import Command
from hansa.cli.demo import tables
from hansa.cli.demo.gas import Gas
from hansa.cli.demo.progress import Progress
from hansa.cli.demo.report import DemoView, report
from hansa.cli.demo.rows import check_rows
from hansa.cli.demo.view import View
from hansa.cli.party_options import PartyOptions
from hansa.cli.trainer.privacy_options import BudgetOptions, PrivacyStatus, privacy_status, show_privacy
from hansa.devnet.chain_file import ChainFile, require_stopped
from hansa.devnet.chains.starting import ANVIL, KINDS
from hansa.devnet.checks import check_setup
from hansa.devnet.federation import LocalFederation
from hansa.devnet.folder import Devnet, make_room
from hansa.devnet.setup import Setup
from hansa.protocol.baselines import parse_baselines
from hansa.protocol.errors import FatalError, check_range
from hansa.protocol.tables import LIMITS
from hansa.protocol.text import counted, escape_untrusted
from hansa.runtime.amounts import Token
from hansa.runtime.snapshot import FullSnapshot
from hansa.runtime.workspace import DEFAULT_DIR, Workspace
from hansa.sponsor.privacy import PRIVACY_HELP, check_mode, usual_seats
from hansa.sponsor.validation import DEALT
from hansa.tasks import consent, defaults

PATIENCE = 240.0  # seconds that the demo waits for anything to happen, at least


def run(
    command: Command,
    *,
    task: Annotated[str, typer.Option("--task", help="What to train: a built-in task, or FILE.py:Class.")] = "heart",
    trainers: Annotated[
        int | None, typer.Option("--trainers", help="As many as the task has parties by default.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="A trainer's rows, once for each, where the task brings none.", metavar="FILE"),
    ] = None,
    validation: Annotated[
        str | None, typer.Option("--validation", help="The validators' rows, likewise.", metavar="FILE")
    ] = None,
    validators: Annotated[
        int | None, typer.Option("--validators", help="Members of the committee: 3 by default, 4 with masked.")
    ] = None,
    parties: PartyOptions,
    rounds: Annotated[int | None, typer.Option("--rounds", help="What the task recommends by default.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of splits, model 0 and training: same seed, same models.")] = 0,
    store: Annotated[str, typer.Option("--store", help="local, or kubo: a real node for each daemon.")] = "local",
    chain: Annotated[str, typer.Option("--chain", help=f"One of {', '.join(KINDS)}.")] = ANVIL,
    keep: Annotated[bool, typer.Option("--keep", help="Leave chain and store running at the end.")] = False,
    shuffle: Annotated[int | None, typer.Option("--shuffle", help="Start the daemons in another order.")] = None,
    privacy: Annotated[str, typer.Option("--privacy", help=PRIVACY_HELP)] = "committee",
    validation_rows: Annotated[
        str, typer.Option("--validation-rows", help="What validators measure on: dealt (rows of all parties) or own.")
    ] = DEALT,
    threads: Annotated[str, typer.Option("--validator-threads", help="torch threads by validator, like 1,2.")] = "1",
    budget: BudgetOptions,
) -> None:
    """Train on a chain of your own, every party a process, and see who is paid what."""
    if trainers is None:
        trainers = len(data) if data else parties_of(task)
    if validators is None:
        validators = usual_seats(check_mode(privacy))
    setup = Setup(
        task=task,
        trainers=check_range("--trainers", trainers, 1, 100),
        validators=check_range("--validators", validators, 1, LIMITS.seats),
        rounds=None if rounds is None else check_range("--rounds", rounds, 1, 1000),
        seed=check_range("--seed", seed, 0, 2**31 - 1),
        store=store,
        chain=chain,
        shuffle=shuffle,
        validator_threads=_parse_threads(threads),
        data=tuple(data or ()),
        validation=validation,
        privacy=check_mode(privacy),
        validation_rows=validation_rows,
        rehearsed=True,
        **parties.chosen(),
    )
    check_setup(setup)
    check_rows(setup)
    given = command.workspace.dir
    directory = given / "demo" if str(given) == DEFAULT_DIR else given
    if (kept := budget.settings(Workspace(directory))) is not None:
        setup = replace(setup, trainer_options={"privacy": kept})
    require_stopped(directory)
    ChainFile.remove(directory)
    make_room(directory, Devnet.of("demo", setup))
    _run(replace(command, workspace=Workspace(directory)), LocalFederation(setup, directory, outlived=keep), keep)


def _run(command: Command, local: LocalFederation, keep: bool) -> None:
    began = time.monotonic()
    setup = local.setup
    title = f"{setup.task}: {counted(setup.trainers, 'trainer')}, {setup.committee}"
    with View(command.console, title, setup.rounds or 0) as view:
        local.say = view.step
        with local:
            view.rounds = local.offer.rounds
            local.start_all()
            baselines = local.start_study()
            with local.timed("rounds"):
                phases = follow(local, view)
            view.step("claiming rewards, fees and bonds")
            with local.timed("claims"):
                local.wait_for_exit(15.0)
                local.settle()
            view.step("measuring the baselines")
            with local.timed("baselines"):
                measured = baselines if local.finish_study(baselines) else None
            with local.timed("report"):
                found, snapshot, gas = report(local, measured, time.monotonic() - began)
                budgets = read_budgets(local)
                archive = write_job(local.session, snapshot.job, command.workspace.dir)
            view.step("")
            token = local.session.token()
            if keep:
                local.stop(keep_chain=True)
    done = replace(found, seconds=round(time.monotonic() - began, 1))

    def render(console: Console) -> None:
        show(console, done, snapshot, gas, phases, local, token)
        for name, budget in budgets.items():
            console.print(f"\n[bold]{name}[/]")
            show_privacy(console, budget)
        console.print("\nCheck every number of it, now or in ten years, without chain or store:")
        seated = snapshot.members()
        member = next(local.known_as[who] for who in local.members if who in seated)
        console.print(f"  hansa audit --archive {archive} --dir {command.workspace.dir} --account {member}")
        console.print(f"Its models, for other programs: hansa model list --archive {archive}")
        _suggest_next(console, command.workspace.dir, local, keep)

    command.answer(done, render)


def show(
    console: Console,
    done: DemoView,
    snapshot: FullSnapshot,
    gas: Gas,
    phases: Mapping[str, float],
    local: LocalFederation,
    token: Token,
) -> None:
    """What the federation reached, who got what, and what it cost."""
    console.print()
    spec = snapshot.context.spec
    metrics = [outcome.metric for _, outcome in snapshot.finalised]
    tables.show_metric(
        console, escape_untrusted(spec.metric or "metric"), metrics, dict(parse_baselines(spec.baselines))
    )
    console.print()
    tables.show_accuracy(console, done.accuracy, getattr(local.prepared.task, "measure", "metric"))
    console.print()
    tables.show_rewards(console, done.rewards, snapshot, local, token)
    console.print()
    tables.show_validators(console, done.validators, token, local.known_as)
    console.print()
    tables.show_conservation(console, done.conservation, token)
    console.print()
    if done.coinless:
        console.print("No trainer has had any coin, or has sent a transaction: validators sent what they signed.\n")
    tables.show_costs(console, gas, local)
    tables.show_time(console, local.took, phases, done.seconds)


def read_budgets(local: LocalFederation) -> dict[str, PrivacyStatus]:
    """What each trainer's rows have spent, where they have a budget."""
    file, federation, job = local.workspace.dir / NAME, local.session.federation, local.posted.job
    found = {local.known_as[each]: privacy_status(file, federation, job, each) for each in local.trainers}
    return {name: budget for name, budget in found.items() if budget is not None}


def follow(local: LocalFederation, view: View) -> dict[str, float]:
    """Shows the rounds until the job is over; the seconds that each phase took, longest first."""
    progress = Progress(local, view)
    patience = max(PATIENCE, 2.0 * max(local.times.values()))
    deadline = time.monotonic() + patience
    while not progress.look():
        if progress.moved:
            deadline = time.monotonic() + patience
        if time.monotonic() > deadline:
            raise FatalError(
                f"nothing has happened for {patience:.0f} s", next_step=f"look into {local.workspace.dir / 'logs'}"
            )
    return dict(sorted(progress.phases.items(), key=lambda item: -item[1]))


def parties_of(task: str) -> int:
    """How many parties the task recommends."""
    name, place = consent(task)
    return int(defaults(name, **place)["parties"])


def _parse_threads(text: str) -> tuple[int, ...]:
    try:
        return tuple(check_range("--validator-threads", int(part), 1, 64) for part in text.split(","))
    except ValueError:
        raise FatalError(f"--validator-threads {text!r} is no list of numbers", next_step="write it like 1,2") from None


def _suggest_next(console: Console, directory: Path, local: LocalFederation, keep: bool) -> None:
    if not keep:
        console.print(
            "[dim]--keep leaves chain and store running, to look around in: the page, `hansa dashboard`, too[/]"
        )
        return
    console.print(f"\nThe chain runs on at {local.anvil.url}. Look around, first in the browser:")
    for line in (
        "hansa dashboard --open",
        f"hansa job show {local.posted.job}",
        "hansa wallet show trainer-1",
        "hansa wallet why trainer-1 --round 1",
        f"hansa wallet history {local.known_as[local.members[0]]}",
        "hansa up --stop",
    ):
        console.print(f"  {line} --dir {directory}")
