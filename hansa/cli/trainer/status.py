"""`hansa trainer status`: what a trainer has done and earned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from client.privacy.ledger import NAME
from hansa.cli.command import Command
from hansa.cli.daemon_options import JobOption
from hansa.cli.document import Amount
from hansa.cli.key_options import AccountName
from hansa.cli.tables import named
from hansa.cli.trainer.privacy_options import PrivacyStatus, privacy_status, show_privacy
from hansa.protocol.errors import FatalError
from hansa.protocol.phases import PHASES
from hansa.protocol.text import counted
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.amounts import Token, fixed
from hansa.runtime.session import connect
from hansa.runtime.snapshot import read_job


@dataclass(frozen=True)
class TrainerStatus:
    job: int
    address: Address
    phase: str
    round: int
    submitted: bool  # in the last cycle
    updates: int
    bond: Amount
    earned: Amount
    strikes: int
    reputation: int  # in 1e-6
    privacy: PrivacyStatus | None  # None: without a budget


def run(command: Command, job: JobOption, account_name: AccountName = None) -> None:
    """What a trainer has done and earned in a job, as the chain tells it.

    And what its rows have spent of their privacy budget. --account may be an address.
    """
    session = connect(command.workspace)
    who, names = address_of(command.workspace, account_name), names_of_accounts(command.workspace.keys)
    snapshot = read_job(session.federation, session.store, JobId(job))
    if who not in snapshot.trainers:
        raise FatalError(
            f"{named(who, names)} is not enrolled in job {job}", next_step=f"`hansa job show {job}` lists who is"
        )
    sent = [sum(update.trainer == who for update in cycle.updates) for cycle in snapshot.history.cycles]
    view = TrainerStatus(
        job=job,
        address=who,
        phase=snapshot.state.phase.name,
        round=snapshot.state.round,
        submitted=bool(sent) and sent[-1] > 0,
        updates=sum(sent),
        bond=session.federation.bond(JobId(job), who),
        earned=snapshot.earned(who),
        strikes=snapshot.strikes(who),
        reputation=snapshot.reputation(who),
        privacy=privacy_status(command.workspace.dir / NAME, session.federation, JobId(job), who),
    )
    token = session.token(snapshot.terms.token)
    command.answer(view, lambda console: show(console, view, token, names))


def show(console: Console, view: TrainerStatus, token: Token, names: Mapping[Address, str]) -> None:
    """A trainer's part in a job, in a few lines."""
    now = "sent its update to the last attempt" if view.submitted else "sent nothing to the last attempt"
    rounds, who = counted(view.round - 1, "round"), named(view.address, names)
    console.print(f"[bold]{who}[/] in job {view.job}: {PHASES[Phase[view.phase]].title} ({rounds} done), {now}")
    console.print(f"  updates     {view.updates}\n  earned      {token.text(view.earned)}")
    console.print(f"  bond        {token.text(view.bond)}\n  strikes     {view.strikes}")
    console.print(f"  reputation  {fixed(view.reputation, 6, 3)}")
    if view.privacy is not None:
        show_privacy(console, view.privacy)
