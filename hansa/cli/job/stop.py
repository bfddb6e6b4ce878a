"""`hansa job stop`: a sponsor ends its job."""

from __future__ import annotations

from hansa.cli.command import Command
from hansa.cli.job.state import JobNumber, StateView
from hansa.cli.key_options import AccountName, MaxFee, MaxTip, PasswordFile, fee_caps
from hansa.protocol.errors import FatalError
from hansa.protocol.types import JobId
from hansa.runtime.accounts import load_account
from hansa.runtime.session import connect
from hansa.runtime.snapshot import check_job
from hansa.runtime.transactions.signer import signing_with


def run(
    command: Command,
    job: JobNumber,
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    max_fee: MaxFee = None,
    max_tip: MaxTip = None,
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
    caps = fee_caps(max_fee, max_tip)
    with signing_with(session.chain, account, workspace.journal(account.address), caps) as signer:
        signer.do(federation.stop_call(JobId(job)))
    state = federation.state(JobId(job))
    ended = f"job {job} is {state.phase.name}" if state.phase.is_over else f"job {job} ends with the cycle under way"
    command.answer(StateView.of(state), lambda console: console.print(ended))
