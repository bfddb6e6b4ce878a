"""What every command shares: its workspace, how it answers, and how a failure is told.

A command is a function whose first argument is a `Command`; `load` makes a command line of it and adds `--dir`,
`--json` and `--debug`. An argument that is a dataclass stands for the options that its fields are. A failure ends in
one sentence on standard error and an exit code; the traceback is for `--debug`.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from typer.core import TyperCommand

from hansa.cli.document import to_json
from hansa.protocol.errors import HansaError
from hansa.protocol.text import escape_untrusted, redact
from hansa.runtime import stopping
from hansa.runtime.workspace import DEFAULT_DIR, Workspace

UNEXPECTED = 70  # exit code of a failure that nobody foresaw
INTERRUPTED = 130
PIPE_WIDTH = 200
SUGGESTED = re.compile(r"`(hansa [a-z][^`]*)`")
WITHOUT_DIR = re.compile(r" --(?:dir|archive|help)\b")
MADE_UP = re.compile(r"(?<=<)list\[(?=\w+\]>)|(?<=\w)(?:\]| range)(?=>)")  # in the names that typer gives types
FILE_TROUBLE = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO}
    | {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
)

_Dir = Annotated[
    Path, typer.Option("--dir", envvar="HANSA_DIR", help="Holds the deployment, journals and keystores.", metavar="DIR")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, token amounts as integer strings.")]
_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]


@dataclass(frozen=True)
class Command:
    """One call of a command: the workspace that it works in, and how it answers."""

    workspace: Workspace
    json: bool = False
    debug: bool = False

    @functools.cached_property
    def console(self) -> Console:
        """Where people read: standard error when standard output carries JSON. A sentence is never broken by us, so
        that commands and addresses can be copied; a file or a pipe is as wide as our tables."""
        stream = sys.stderr if self.json else sys.stdout
        width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
        return Console(stderr=self.json, highlight=False, emoji=False, soft_wrap=True, width=width)

    @property
    def dir_option(self) -> str:
        """What a suggested command needs after it to find the same workspace."""
        return "" if str(self.workspace.dir) == DEFAULT_DIR else f" --dir {shlex.quote(str(self.workspace.dir))}"

    def answer(self, document: Any, render: Callable[[Console], None]) -> None:
        """Prints a dataclass as one JSON object, or lets `render` show it to a person."""
        if self.json:
            print(json.dumps(to_json(document), indent=2))
        else:
            render(self.console)

    def say(self, text: str) -> None:
        self.console.print(text)


def in_panel(heading: str) -> Callable[..., Any]:
    """A `typer.Option` that stands under this heading in the help."""
    return functools.partial(typer.Option, rich_help_panel=heading)


class PanelledCommand(TyperCommand):
    """Plain help whose options stand under their headings, see `in_panel`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
            if record is not None:
                record = (MADE_UP.sub("", record[0]), record[1])
                panels.setdefault(getattr(parameter, "rich_help_panel", None) or usual, []).append(record)
        for heading, records in panels.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def load(name: str, module: str) -> Any:
    """The command line of the function `run` in a module."""
    return command_line(name, import_module(module).run)


def command_line(name: str, function: Callable[..., None]) -> Any:
    """A command line for `function`; its first argument becomes a `Command` made of --dir, --json and --debug."""
    signature = inspect.signature(function, eval_str=True)
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, default, annotation in (
            ("command_dir", Path(DEFAULT_DIR), _Dir),
            ("command_json", False, _Json),
            ("command_debug", False, _Debug),
        )
    ]
    groups: dict[str, Any] = {}
    own: list[inspect.Parameter] = []
    for parameter in list(signature.parameters.values())[1:]:
        if is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            own += inspect.signature(groups[parameter.name], eval_str=True).parameters.values()
        else:
            own.append(parameter)
    own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]

    @functools.wraps(function)
    def call(command_dir: Path, command_json: bool, command_debug: bool, **arguments: Any) -> None:
        command = Command(Workspace(command_dir), command_json, command_debug)
        with report_failures(command_debug, command.dir_option):
            for name, group in groups.items():
                arguments[name] = group(**{field.name: arguments.pop(field.name) for field in fields(group)})
            function(command, **arguments)

    call.__signature__ = signature.replace(parameters=[*own, *common])  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name, cls=PanelledCommand)(call)
    return typer.main.get_command(app)


@contextlib.contextmanager
def report_failures(debug: bool, dir_option: str = "") -> Iterator[None]:
    """A failure inside becomes one sentence on standard error, and `typer.Exit` with its code. dir_option: what
    commands that the next step names need to find the same workspace."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except HansaError as error:
        if debug:
            raise
        if error.next_step is not None:
            error.next_step = _with_dir(error.next_step, dir_option)
        _end(str(error), error.exit_code)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except stopping.Stopped as stopped:
        raise typer.Exit(stopping.say(stopped)) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except Exception as error:
        if debug:
            raise
        if isinstance(error, ImportError):
            _end(f"{error.name or error} can't be imported; run `make setup`, or install hansa again", 1)
        if isinstance(error, OSError) and error.errno in FILE_TROUBLE:
            what = escape_untrusted(str(error.filename)) if error.filename is not None else "a file"
            _end(f"{what} can't be used: {error.strerror}; put it right, or name another", 1)
        said = escape_untrusted(redact(str(error).partition("\n")[0])) or "no message"
        _end(
            f"unexpected {type(error).__name__}: {said}; run the command again with --debug and report what it prints",
            UNEXPECTED,
        )


def _with_dir(step: str, dir_option: str) -> str:
    def completed(found: re.Match[str]) -> str:
        return found[0] if WITHOUT_DIR.search(found[1]) else f"`{found[1]}{dir_option}`"

    return SUGGESTED.sub(completed, step)


def _end(sentence: str, code: int) -> NoReturn:
    print(f"hansa: {sentence}", file=sys.stderr)
    raise typer.Exit(code) from None
