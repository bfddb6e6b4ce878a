"""What every command shares: where its files are, how it answers, and how a failure is told.

A command is a function whose first argument is a `Here`; `command` registers it and adds `--dir`, `--json` and
`--debug`. A failure ends in one sentence on standard error and an exit code; the traceback is for `--debug`.
"""

from __future__ import annotations

import errno
import functools
import inspect
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hansa.protocol.errors import HansaError
from hansa.protocol.text import escape_untrusted
from hansa.runtime.workspace import DEFAULT_DIR, Workspace

if TYPE_CHECKING:
    from rich.console import Console


F = TypeVar("F", bound=Callable[..., None])

UNEXPECTED = 70  # exit code of a failure that nobody foresaw
INTERRUPTED = 130
PIPE_WIDTH = 200
FILE_TROUBLE = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
)

_Dir = Annotated[
    Path, typer.Option("--dir", envvar="HANSA_DIR", help="Holds the deployment, journals and keystores.", metavar="DIR")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, token amounts as integer strings.")]
_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]


@dataclass(frozen=True)
class Here(Workspace):
    """The directory a command works in, and how it answers."""

    json: bool = False
    debug: bool = False

    @functools.cached_property
    def console(self) -> Console:
        """Where people read: standard error when standard output carries JSON. A sentence is never broken by us, so
        that commands and addresses can be copied; a file or a pipe is as wide as our tables."""
        from rich.console import Console

        stream = sys.stderr if self.json else sys.stdout
        width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
        return Console(stderr=self.json, highlight=False, emoji=False, soft_wrap=True, width=width)

    def answer(self, data: Any, render: Callable[[Console], None]) -> None:
        """Prints `data` as one JSON object, or lets `render` show it to a person."""
        if self.json:
            print(json.dumps(data, indent=2))
        else:
            render(self.console)

    def say(self, text: str) -> None:
        self.console.print(text)


def command(app: typer.Typer, name: str | None = None, **options: Any) -> Callable[[F], F]:
    """Registers a command; its first argument becomes a `Here` made of --dir, --json and --debug."""

    def register(function: F) -> F:
        signature = inspect.signature(function, eval_str=True)
        extra = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, default, annotation in (
                ("here_dir", Path(DEFAULT_DIR), _Dir),
                ("here_json", False, _Json),
                ("here_debug", False, _Debug),
            )
        ]
        own = list(signature.parameters.values())[1:]

        @functools.wraps(function)
        def run(here_dir: Path, here_json: bool, here_debug: bool, **arguments: Any) -> None:
            with_errors_told(here_debug, lambda: function(Here(here_dir, here_json, here_debug), **arguments))

        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        run.__signature__ = signature.replace(parameters=[*keyword_only, *extra])  # type: ignore[attr-defined]
        app.command(name, **options)(run)
        return function

    return register


def with_errors_told(debug: bool, action: Callable[[], None]) -> None:
    """Runs `action`; a failure becomes one sentence and `typer.Exit` with its code."""
    try:
        action()
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except HansaError as error:
        if debug:
            raise
        print(f"hansa: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        print("hansa: interrupted", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno in FILE_TROUBLE:
            what = escape_untrusted(str(error.filename)) if error.filename is not None else "a file"
            print(f"hansa: {what} can't be used: {error.strerror}; put it right, or name another", file=sys.stderr)
            raise typer.Exit(1) from None
        said = escape_untrusted(str(error).partition("\n")[0]) or "no message"
        print(
            f"hansa: unexpected {type(error).__name__}: {said}; "
            "run the command again with --debug and report what it prints",
            file=sys.stderr,
        )
        raise typer.Exit(UNEXPECTED) from None
