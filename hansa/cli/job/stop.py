"""`hansa job stop`: a sponsor ends its job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hansa.cli.command import Command
from hansa.cli.document import INLINE
from hansa.cli.job.state import JobNumber, State
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.protocol.errors import FatalError
from hansa.protocol.types import JobId
from hansa.runtime.accounts import load_account
from hansa.runtime.session import connect
from hansa.runtime.snapshot import check_job
from hansa.runtime.transactions.signer import signing_with


@dataclass(frozen=True)
class StoppedView:
    state: Annotated[State, INLINE]


def run(
    command: Command,
    *,
    job: JobNumber,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
) -> None:
    """End a job of yours: at once while it waits for trainers or a cycle, else with the cycle under way."""
    workspace = command.workspace
    session = connect(workspace)
    federation = session.federation
    check_job(federation, JobId(job))
    if (phase := federation.state(JobId(job)).phase).is_over:
        raise FatalError(
            f"job {job} has ended already",
            cause=f"it is {phase.name}",
            next_step="`hansa wallet claim` pays what is left",
        )
    account = load_account(workspace, account_name, password_file)
    with signing_with(session.chain, account, workspace.journal(account.address), fees.caps) as signer:
        signer.do(federation.stop_call(JobId(job)))
    state = federation.state(JobId(job))
    ended = f"job {job} is {state.phase.name}" if state.phase.is_over else f"job {job} ends with the cycle under way"
    command.answer(StoppedView(state), lambda console: console.print(ended))
