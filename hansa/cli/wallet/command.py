"""`hansa wallet`: keys, balances, what a job owes an account, and why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hansa.cli.command import Here, command
from hansa.cli.key_options import Account, Light, PasswordFile
from hansa.cli.wallet.keys import free_path, import_key, list_keys
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of, load_account, new_password

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hansa.runtime.amounts import Token
    from hansa.runtime.claims import Owed
    from hansa.runtime.session import Session
    from hansa.runtime.snapshot import JobSnapshot

app = typer.Typer(help="Keys, balances, claims and their reasons.", no_args_is_help=True)

WAITING = (
    "Any running daemon of it moves it on: wait, or start yours (`hansa trainer run`, `hansa aggregator run`); "
    "its sponsor can end it with `hansa job stop {job}`."
)

Who = Annotated[str | None, typer.Argument(help="A keystore's name, or an address.", metavar="[WHO]")]
JobChoice = Annotated[int | None, typer.Option("--job", help="Only this job.")]


@command(app, "new")
def new(
    here: Here,
    name: Annotated[str, typer.Argument(help="What to call the keystore.")],
    password_file: PasswordFile = None,
    light: Light = False,
) -> None:
    """Make a key and keep it in DIR/keys/NAME.json, readable by you alone."""
    from hansa.runtime.keystore import Keyfile

    path = free_path(here, name)
    here.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    account = Keyfile.create(path, new_password(path, password_file), light=light)
    data = {"name": name, "address": account.address, "path": str(path)}
    here.answer(
        data, lambda console: console.print(f"{name}: {account.address}, in {path}. Back it up: nobody else has it.")
    )


command(app, "import")(import_key)
command(app, "list")(list_keys)


@command(app, "show")
def show(here: Here, who: Who = None, job: JobChoice = None) -> None:
    """Coins and tokens of an account, and what every job owes it."""
    from hansa.cli.wallet.portfolio import Portfolio
    from hansa.runtime.claims import owed
    from hansa.runtime.session import connect

    wire = connect(here)
    account = address_of(here, who)
    portfolio = Portfolio(wire, account, job)
    found = [view for number in portfolio.jobs if (view := portfolio.read(number)) is not None]
    rows = [_owed_data(view, owed(view, wire.federation, account)) for view in found]
    token = wire.token()
    data = {
        "address": account,
        "coins": str(wire.chain.balance(account)),
        "balance": str(wire.federation.token_balance(Address(token.address), account)),
        "token": token.address,
        "symbol": token.symbol,
        "decimals": token.decimals,
        "jobs": rows,
        "problems": [problem.data() for problem in portfolio.problems],
    }
    here.answer(data, lambda console: _show(console, data, wire))
    portfolio.told()


@command(app, "claim")
def claim(
    here: Here,
    who: Annotated[str | None, typer.Option("--for", help="Whom to claim for; the signing account by default.")] = None,
    job: JobChoice = None,
    account: Account = None,
    password_file: PasswordFile = None,
) -> None:
    """Claim pay, fees, bonds and a sponsor's rest, all rounds of a job at once. Anyone may claim for anyone."""
    from hansa.cli.wallet.portfolio import Portfolio
    from hansa.runtime import claims
    from hansa.runtime.session import connect
    from hansa.runtime.transactions.signer import signing_with

    wire = connect(here)
    signer = load_account(here, account, password_file)
    target = address_of(here, who) if who is not None else address_of(here, signer.address)
    portfolio = Portfolio(wire, target, job)
    rows = []
    with signing_with(wire.chain, signer, here.journal(signer.address)) as actor:
        for number in portfolio.jobs:
            if (view := portfolio.read(number)) is None:
                continue
            try:
                rows.append(_owed_data(view, claims.claim(view, wire.federation, actor, target)))
            except FatalError as error:
                portfolio.add(number, str(error))
    data = {"address": target, "jobs": rows, "problems": [problem.data() for problem in portfolio.problems]}
    here.answer(data, lambda console: _show_claimed(console, data, wire))
    portfolio.told()


@command(app, "history")
def history(here: Here, who: Who = None, job: JobChoice = None) -> None:
    """Every movement of tokens between an account and the vault, and what its jobs burnt, oldest first."""
    from hansa.cli.wallet.history import movements
    from hansa.runtime.session import connect

    wire = connect(here)
    account = address_of(here, who)
    rows = movements(wire, account, job)
    data = {"address": account, "movements": rows}
    here.answer(data, lambda console: _show_history(console, data, wire))


@command(app, "why")
def why(
    here: Here,
    who: Who = None,
    job: Annotated[
        int | None, typer.Option("--job", help="The last one that the account took part in by default.")
    ] = None,
    round_: Annotated[int | None, typer.Option("--round", help="Only this round, in full.")] = None,
) -> None:
    """Explain, equal to the chain to the last unit, a trainer's pay (verdicts, measurements, averages, share), a
    validator's fees (what it matched, what it lost and why) and what became of a sponsor's escrow."""
    from hansa.cli.wallet.fee_receipt import escrow_receipt, fee_receipt, show_escrow, show_fees
    from hansa.cli.wallet.portfolio import Portfolio
    from hansa.cli.wallet.trainer_receipt import check_round, receipt, show_receipt
    from hansa.runtime.session import connect
    from hansa.runtime.snapshot import SettledSnapshot

    wire = connect(here)
    account = address_of(here, who)
    portfolio = Portfolio(wire, account, job)
    view = portfolio.last()
    if view is None:
        portfolio.told()
        where = f"job {job}" if job is not None else "any job"
        raise FatalError(f"{account} has no part in {where}", next_step="`hansa job show JOB` lists who has")
    check_round(view, round_)
    data: dict[str, Any] = {"job": view.job, "address": account}
    if account in view.trainers and isinstance(view, SettledSnapshot):
        data |= receipt(view, account, round_)
    if account in view.members():
        data["seat"] = fee_receipt(view, account, round_)
    if account == view.state.sponsor and isinstance(view, SettledSnapshot):
        data["escrow"] = escrow_receipt(view, round_)
    data["problems"] = [problem.data() for problem in portfolio.problems]
    token = wire.token(view.terms.token)

    def shown(console: Console) -> None:
        if "rounds" in data:
            show_receipt(console, data, token)
        else:
            console.print(f"[bold]{account}[/] in job {view.job}")
        if "seat" in data:
            show_fees(console, data["seat"], token)
        if "escrow" in data:
            show_escrow(console, data["escrow"], token)

    here.answer(data, shown)
    portfolio.told()


def _owed_data(view: JobSnapshot, due: Owed) -> dict[str, Any]:
    from hansa.runtime.snapshot import SettledSnapshot

    return {
        "job": view.job,
        "phase": view.state.phase.name,
        "token": view.terms.token,
        "pay": None if due.pay_unknown else str(due.pay),
        "rounds": [item.round for item in due.rewards],
        "fees": str(due.fees),
        "bond": str(due.bond),
        "rest": str(due.rest),
        "later": {what: {"amount": str(amount), "from": when} for what, (amount, when) in due.later.items()},
        "expired": due.expired,
        "misvoted_rounds": view.misvoted() if isinstance(view, SettledSnapshot) else [],
    }


def _show(console: Console, data: dict[str, Any], wire: Session) -> None:
    coin = f"{int(data['coins']) / 1e18:.4f} of the chain's coin"
    console.print(f"[bold]{data['address']}[/]\n  {wire.token().text(int(data['balance']))}, {coin}")
    for row in data["jobs"]:
        parts = _parts(row, wire.token(row["token"]))
        console.print(
            f"  job {row['job']} ({row['phase']}): " + (f"owes {', '.join(parts)}" if parts else "owes nothing now")
        )
        _tell_later(console, row, wire.token(row["token"]))
    if not data["jobs"]:
        console.print("  takes part in no job")


def _show_claimed(console: Console, data: dict[str, Any], wire: Session) -> None:
    for row in data["jobs"]:
        parts = _parts(row, wire.token(row["token"]))
        console.print(f"job {row['job']}: " + (f"claimed {', '.join(parts)}" if parts else "nothing to claim now"))
        _tell_later(console, row, wire.token(row["token"]))
        if row["phase"] == "LAPSED":
            console.print(f"    a phase of job {row['job']} has run out. {WAITING.format(job=row['job'])}")
    if not data["jobs"]:
        console.print(f"{data['address']} takes part in no job")


def _parts(row: dict[str, Any], token: Token) -> list[str]:
    named = [("pay", f" for {len(row['rounds'])} rounds"), ("fees", ""), ("bond", ""), ("rest", "")]
    unknown = ["pay that can't be worked out"] if row["pay"] is None else []
    return unknown + [f"{name} {token.text(int(row[name]))}{more}" for name, more in named if int(row[name] or 0)]


def _tell_later(console: Console, row: dict[str, Any], token: Token) -> None:
    for what, item in row["later"].items():
        when = f"from {_moment(item['from'])}" if item["from"] else "after the job's end"
        console.print(f"    {what} {token.text(int(item['amount']))} {when}")
    if row["expired"]:
        console.print("    the time to claim pay and fees is over")
    if row["misvoted_rounds"]:
        rounds = ", ".join(map(str, row["misvoted_rounds"]))
        console.print(f"    [red]rounds {rounds} pay by wrong rewards; nobody can claim those[/]")


def _show_history(console: Console, data: dict[str, Any], wire: Session) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("when", "block", "job", "what", "amount"):
        table.add_column(heading, justify="right" if heading == "amount" else "left", no_wrap=heading != "what")
    rows: Sequence[dict[str, Any]] = data["movements"]
    for row in rows:
        amount = wire.token(row["token"]).text(int(row["amount"]))
        table.add_row(_moment(row["time"]), str(row["block"]), str(row["job"]), row["what"], amount)
    if not rows:
        console.print(f"no tokens have moved between {data['address']} and the vault")
        return
    console.print(table)
    for token in dict.fromkeys(row["token"] for row in rows):
        moved = sum(int(row["moved"]) for row in rows if row["token"] == token)
        console.print(f"in all, from the vault to this account: {wire.token(token).text(moved)}")


def _moment(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp).isoformat(" ", "seconds") if timestamp else "the job's end"
