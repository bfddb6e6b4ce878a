"""`hansa relay run`: sends what trainers without coin signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansa.cli.command import Command
from hansa.cli.daemon_options import as_service, await_chain
from hansa.cli.key_options import AccountName, FeeOptions, PasswordFile
from hansa.cli.serving import OneJob, chosen_jobs
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId
from hansa.runtime.accounts import load_account
from hansa.runtime.job import check_contracts
from hansa.runtime.journal import Journal
from hansa.runtime.log import open_log
from hansa.runtime.metrics import Metrics
from hansa.runtime.metrics_server import MetricsServer
from hansa.runtime.relay.service import RelayService, run_alone
from hansa.runtime.session import connect
from hansa.runtime.snapshot import check_job
from hansa.runtime.transactions.sender import Sender


@as_service
def run(
    command: Command,
    *,
    job: OneJob = None,
    jobs: Annotated[
        str | None,
        typer.Option("--jobs", help="Serve these: numbers, or all whose contracts are trusted.", metavar="all|1,2"),
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", help="Where it is asked; port 0: any free one, logged.", metavar="HOST:PORT")
    ] = "127.0.0.1:9545",
    account_name: AccountName = None,
    password_file: PasswordFile = None,
    fees: FeeOptions,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", help="Trust this token, committee or admission (address) too; repeat it."),
    ] = None,
    log_file: Annotated[
        Path | None, typer.Option("--log-file", help="JSON lines go there; to standard error by default.")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option("--metrics", help="Answer /metrics and /healthz there.", metavar="HOST:PORT")
    ] = None,
) -> None:
    """Send what trainers without coin signed, and pay for its gas. Ctrl-C stops; run it again to go on."""
    numbers = chosen_jobs(job, jobs)
    session, workspace = connect(command.workspace), command.workspace
    await_chain(session)
    federation = session.federation
    federation.check()
    for number in numbers or ():
        check_job(federation, number)
    account = load_account(workspace, account_name, password_file)
    me = Address(account.address)
    log, own = open_log(log_file, daemon="relay", account=me), Metrics()

    with Journal(workspace.journal(me, "relay"), log) as journal:
        sender = Sender(federation.chain, account, journal, fees.caps)
        sender.on_sign = lambda sent, replaces: own.signed.inc()

        def sender_of(number: JobId) -> Sender:
            if numbers is not None and number not in numbers:
                served = ", ".join(map(str, numbers))
                raise FatalError(f"job {number} is not served here", next_step=f"this relay serves {served}")
            trusted = workspace.deployment()
            check_contracts(number, federation.terms(number), trusted, allow or ())
            return sender

        service = RelayService(listen, federation, sender_of, log)
        if metrics is not None:
            log.info("metrics", url=f"http://{MetricsServer(metrics, own).address}/metrics")
        run_alone(service, federation, sender, own, log)
