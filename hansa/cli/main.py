"""The `hansa` command's door: a table of all commands. The path of a command is the path of its file.

`hansa wallet why` is hansa/cli/wallet/why.py, `hansa doctor` hansa/cli/doctor/command.py; a word that Python keeps for
itself has an underscore there (wallet/import_.py). Such a file's `run` is the command. It is imported when it is run,
or asked for its own help or options; `hansa --help` and the completion of names read this table alone.
"""

from __future__ import annotations

import sys
import traceback
from importlib.util import find_spec
from keyword import iskeyword
from typing import Annotated, Any

from hansa.runtime import stopping

if __name__ == "__main__" or sys.argv[0].endswith("/hansa"):
    stopping.listen()  # before what takes long: nothing else would end a process that is PID 1

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "up": "Start a local chain and store, deploy the contracts, print the accounts. Ctrl-C stops it.",
    "demo": "Train on a chain of your own, every party a process, and see who is paid what.",
    "doctor": "Check this machine, and chain, store and keys of the directory.",
    "top": "Watch a job live: phase, who is waited for, metric, shares, validators, money.",
    "deploy": "Deploy the contracts on any EVM chain and write DIR/deployment.json.",
    "audit": "Check every number of a job again: sheets, verdicts, pay, votes, claims, files, models.",
    "dashboard": "Serve the page: jobs, ledgers, rewards, read from the chain in your browser.",
    "job post": "Put spec and model 0 into the store, appoint the committee, escrow the reward and post.",
    "job cost": "Gas and fees of a job that is planned, by call and by who pays it, at what the chain asks for now.",
    "job list": "Every job of the deployment, newest first.",
    "job show": "Terms, state, rounds and accounts of a job.",
    "job watch": "Tell what happens in a job until it ends, in a terminal with a bar of its rounds.",
    "job export": "Write a job's history for a spreadsheet or a notebook: metric, gas and pay by round; or draw it.",
    "job stop": "End a job of yours: at once while it waits for trainers or a cycle, else with the cycle under way.",
    "model list": "Every model of a job: round, metric, when, CID, and whether its file is at hand.",
    "model get": "Write a model's own file, the bytes that its CID names: safetensors, with its job, round and parent.",
    "model export": "Write a model for other programs: safetensors, a torch state dict (pt), or a graph of ONNX.",
    "model predict": "What a job's model says of new data: a line of CSV for each row of the input.",
    "trainer run": "Enrol, train, submit and claim, until the job has ended. Ctrl-C stops; run it again to go on.",
    "trainer status": "What a trainer has done and earned in a job, as the chain tells it.",
    "aggregator run": "Score, aggregate, vote and claim, until the job has ended. Ctrl-C stops; run it again to go on.",
    "aggregator status": "What a validator has done and earned in a job, as the chain tells it.",
    "aggregator stake": "Stake tokens in a pool that committees are drawn from.",
    "aggregator unstake": "Take a stake out of a pool; what has left before is paid out.",
    "aggregator report": "List who was at fault in a job's cycles; with --send, report them: 1 % of a stake is burnt.",
    "relay run": "Send what trainers without coin signed, and pay for its gas. Ctrl-C stops; run it again to go on.",
    "wallet new": "Make a key and keep it in DIR/keys/NAME.json, readable by you alone.",
    "wallet fund": "Give an account test coins and tokens, on a local chain alone.",
    "wallet import": "Keep a key that exists already in DIR/keys/NAME.json. A keystore keeps its password.",
    "wallet list": "Every keystore of DIR/keys, with its balances where a chain answers.",
    "wallet show": "Coins and tokens of an account, and what every job owes it.",
    "wallet claim": "Claim pay, fees, bonds and a sponsor's rest, all rounds of a job at once.",
    "wallet history": "Every movement of tokens between an account and the vault, and what its jobs burnt.",
    "wallet why": "Explain a trainer's pay, a validator's fees and a sponsor's escrow, to the last unit.",
    "id show": "Show an account's DID, who owns it and signs for it, and its encryption key in both places.",
    "id key": "Announce the account's encryption key on the federation and in its DID, where it isn't there already.",
    "id delegate": "Let another account sign credentials for this one's DID, for a time; --revoke takes that back.",
    "id resolve": "Print the W3C DID document of an account, as the registry's events make it.",
    "credential issue": "Issue a credential about an account, on chain, for everybody to read; "
    "it takes the place of an earlier one.",
    "credential revoke": "Revoke the latest credential that you issued about an account: it enrols no more by it.",
    "credential list": "Every credential of the deployment, oldest first, and whether it counts.",
    "credential verify": "Check a VC-JWT, or what an issuer says of an account: signature, times, revocation.",
    "credential export": "Sign the latest credential that you issued about an account as a W3C VC-JWT, "
    "to be handed to it.",
}
"""By path: the first line of the command's docstring."""

PANELS = {
    "Try it on this machine": ("demo", "up"),
    "Take part": ("job", "trainer", "aggregator", "relay", "wallet"),
    "Say who may": ("id", "credential"),
    "Use the result": ("model",),
    "Look on, and check": ("top", "audit", "dashboard"),
    "Set up": ("deploy", "doctor"),
}
"""The headings that the words after `hansa` stand under in its help."""

WHOLE = 1000  # characters of a line of the table, more than any has

NOUNS = {
    "job": "Post a job, look at it, stop it.",
    "trainer": "Train in a job.",
    "aggregator": "Validate and aggregate in a job.",
    "relay": "Send what trainers without coin signed.",
    "wallet": "Keys, balances, claims and their reasons.",
    "id": "Who an account is to others: its DID, its keys, its delegates.",
    "credential": "Vouch for accounts, take it back, check it.",
    "model": "A job's models, checked against the chain: look, take, export, predict.",
}


class CommandGroup(TyperGroup):
    """The door, or a noun. Where no option is given, none is looked at: typer loads pydantic even for a missing one."""

    has_options = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        self.has_options = not args or args[0].startswith("-")
        try:
            return super().parse_args(ctx, args)
        finally:
            self.has_options = True

    def get_params(self, ctx: Any) -> list[Any]:
        return super().get_params(ctx) if self.has_options else []


class Door(CommandGroup):
    """The command itself: the words after it stand under headings."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for heading, words in PANELS.items():
            with formatter.section(heading):
                formatter.write_dl([(word, self.commands[word].get_short_help_str(WHOLE)) for word in words])


class LazyCommand(TyperCommand):
    """A line of the table; the command itself takes over where arguments are read."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        from hansa.cli.command import load, report_failures  # the only import that waits: nothing was named before

        words = [str(self.name)] if parent.parent is None else [str(parent.command.name), str(self.name)]
        with report_failures("--debug" in args):
            try:
                found = load(words[-1], module_of(words))
            except ImportError:
                if not extra.get("resilient_parsing"):
                    raise
                return super().make_context(info_name, args, parent, **extra)  # nothing to complete
        return found.make_context(info_name, args, parent, **extra)


def module_of(words: list[str]) -> str:
    """Where a command is: `wallet import` → hansa.cli.wallet.import_."""
    name = ".".join(["hansa.cli", *(word + "_" * iskeyword(word) for word in words)])
    spec = find_spec(name)
    return f"{name}.command" if spec is not None and spec.submodule_search_locations is not None else name


def print_version(asked: bool) -> None:
    """Prints the installed version and ends."""
    if asked:
        from importlib.metadata import version

        print(f"hansa {version('hansa')}")
        raise typer.Exit


app = typer.Typer(
    name="hansa",
    cls=Door,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def hansa(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=print_version)
    ] = False,
) -> None:
    """Train one model together with parties you don't trust. Rewards follow measured contribution."""


def fill(door: typer.Typer) -> None:
    """Puts the table into a typer application."""
    rooms = {
        noun: typer.Typer(cls=CommandGroup, help=line, no_args_is_help=True, rich_markup_mode=None)
        for noun, line in NOUNS.items()
    }
    for path, line in COMMANDS.items():
        noun, _, word = path.rpartition(" ")
        rooms.get(noun, door).command(word, cls=LazyCommand, short_help=line)(lambda: None)
    for noun, room in rooms.items():
        door.add_typer(room, name=noun)


fill(app)


def main() -> None:
    """The console script's entry point. A traceback, which --debug asks for, shows no secret of an endpoint's URL."""
    stopping.listen()
    try:
        app()
    except stopping.Stopped as stopped:
        stopping.leave(stopping.say(stopped))
    except SystemExit as ended:
        stopping.leave(ended.code)
        raise
    except Exception:
        from hansa.protocol.text import redact  # the door loads nothing that --help can do without

        sys.stderr.write(redact(traceback.format_exc()))
        sys.exit(1)


if __name__ == "__main__":
    main()
