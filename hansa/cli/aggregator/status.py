"""`hansa aggregator status`: what a validator has done and earned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.daemon_options import JobOption
from hansa.cli.document import INLINE, Amount
from hansa.cli.key_options import AccountName
from hansa.cli.tables import named
from hansa.protocol.phases import PHASES
from hansa.protocol.text import counted
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.accounts import address_of, names_of_accounts
from hansa.runtime.amounts import Token
from hansa.runtime.session import connect
from hansa.runtime.snapshot import Attendance, read_job


@dataclass(frozen=True)
class ValidatorStatus:
    job: int
    address: Address
    phase: str
    round: int
    seat: int | None
    released: bool  # its shares, where the job has such a step
    committed: bool
    revealed: bool
    voted: bool
    key: str | None  # X25519, that updates are sealed to
    attendance: Annotated[Attendance, INLINE]
    earned: Amount


def run(command: Command, job: JobOption, account_name: AccountName = None) -> None:
    """What a validator has done and earned in a job, as the chain tells it.

    --account may be an address.
    """
    session = connect(command.workspace)
    who, names = address_of(command.workspace, account_name), names_of_accounts(command.workspace.keys)
    snapshot = read_job(session.federation, session.store, JobId(job))
    state, did, seat = snapshot.state, snapshot.attendance(who), snapshot.state.seat_of(who)
    key = session.federation.announced_key(who)
    view = ValidatorStatus(
        job=job,
        address=who,
        phase=state.phase.name,
        round=state.round,
        seat=seat,
        released=seat is not None and bool(state.released >> seat & 1),
        committed=seat is not None and bool(state.committed >> seat & 1),
        revealed=seat is not None and bool(state.revealed >> seat & 1),
        voted=seat is not None and bool(state.voted >> seat & 1),
        key=None if key is None else "0x" + key.hex(),
        attendance=did,
        earned=did.matched * snapshot.terms.fee_per_seat,
    )
    token = session.token(snapshot.terms.token)
    command.answer(view, lambda console: show(console, view, token, names))


def show(console: Console, view: ValidatorStatus, token: Token, names: Mapping[Address, str]) -> None:
    """A validator's part in a job, in a few lines."""
    seat = "no seat" if view.seat is None else f"seat {view.seat}"
    done = [step for step in ("released", "committed", "revealed", "voted") if getattr(view, step)]
    rounds = counted(view.round - 1, "round")
    phase, said = PHASES[Phase[view.phase]].title, ", ".join(done) or "nothing done in this attempt"
    console.print(f"[bold]{named(view.address, names)}[/] in job {view.job}: {phase} ({rounds} done), {seat}, {said}")
    if view.key is None:
        console.print("  [yellow]no encryption key announced yet: nothing can be sealed to it[/]")
    else:
        console.print(f"  key      {view.key}")
    did = view.attendance
    console.print(f"  matched  {did.matched}\n  wrong    {did.wrong}\n  missed   {did.missed}")
    console.print(f"  earned   {token.text(view.earned)}")
