"""`hansa doctor`: is everything here that a demo, or a daemon on a chain, needs?"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hansa.cli.command import Command
from hansa.cli.doctor.check import BAD, GOOD, WARNING, Check, Result, check
from hansa.protocol.errors import FatalError
from hansa.protocol.text import escape_untrusted

SIGNS = {GOOD: "[green]✓[/]", WARNING: "[yellow]![/]", BAD: "[red]✗[/]"}
LEAST_DISK = 2**30  # bytes
BUDGET = "privacy.sqlite"  # where trainers count what they give away of their rows
PAGE = Path(__file__).parents[1] / "page" / "index.html"


@dataclass(frozen=True)
class Findings:
    findings: list[Check]
    healthy: bool


def run(
    command: Command,
    job: Annotated[int | None, typer.Option("--job", help="Also: can this job be kept up with?")] = None,
) -> None:
    """Check this machine, and chain, store and keys of the directory.

    Ends with 1 when something is wrong.
    """
    workspace = command.workspace
    looks = {"python": _python, "packages": _packages, "anvil": _anvil, "ipfs": _ipfs, "page": _page}
    found = [check(what, look) for what, look in looks.items()]
    found += [check("disk", _disk, workspace.dir), check("keystores", _keys, workspace.keys)]
    budget = workspace.dir / BUDGET
    if budget.is_file():
        found.append(check("privacy", _privacy, budget))
    if workspace.deployment_file.is_file():
        try:
            from hansa.cli.doctor.deployment import check_deployment  # needs packages that may be what is missing
        except ImportError as error:
            found.append(Check("deployment", BAD, f"not looked at: {error.name or error} can't be imported"))
        else:
            found += check_deployment(workspace, job)
    else:
        none = f"{workspace.dir} has none; `hansa up` or `hansa deploy` makes one"
        found.append(Check("deployment", WARNING, none))
    view = Findings(found, healthy=all(item.state != BAD for item in found))
    command.answer(view, lambda console: show(console, view))
    if not view.healthy:
        raise typer.Exit(1)


def _python() -> Result:
    text = f"{platform.python_version()} on {os.cpu_count()} cores"
    return (GOOD, text) if sys.version_info[:2] == (3, 11) else (WARNING, f"{text}; tested with 3.11, install that")


def _packages() -> Result:
    needed = [re.split(r"[<>=!~\[ ]", line)[0] for line in requires("hansa") or () if "extra ==" not in line]
    found = {}
    for name in ("hansa", *needed):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            return BAD, f"{name} is not installed; run `make setup`"
    return GOOD, ", ".join(f"{name} {found[name]}" for name in ("hansa", "torch", "eth-account", "numpy"))


def _page() -> Result:
    if not PAGE.is_file():
        return WARNING, "not built; `make page` builds it, only `dashboard` needs it"
    return GOOD, "built"


def _anvil() -> Result:
    from hansa.devnet.anvil import find_anvil

    try:
        done = subprocess.run([find_anvil(), "--version"], capture_output=True, text=True, timeout=20, check=True)
    except FatalError as error:
        return WARNING, f"{error}; only `up` and `demo` need it"
    except (OSError, subprocess.SubprocessError) as error:
        return BAD, f"does not run: {error}; run `make setup`"
    return GOOD, done.stdout.splitlines()[0].strip()


def _ipfs() -> Result:
    found = shutil.which("ipfs")
    return GOOD, f"Kubo at {found}" if found else "not on PATH; only stores of kind kubo need it"


def _disk(directory: Path) -> Result:
    place = next(path for path in (directory, *directory.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 2**30:.1f} GB free at {place}"
    return (
        (GOOD, text) if free >= LEAST_DISK else (WARNING, f"{text}; a daemon's journal and store need more: make room")
    )


def _keys(directory: Path) -> Result:
    from hansa.runtime.accounts import keystores

    files = sorted(directory.glob("*.json"))
    known = {path for path, _ in keystores(directory)}
    if broken := [path.name for path in files if path not in known]:
        return BAD, f"{', '.join(broken)} can't be read as keystores; put them right from a backup, or take them away"
    if readable := [path.name for path in files if path.stat().st_mode & 0o077]:
        return BAD, f"{', '.join(readable)} can be read by others; chmod 600 them"
    return GOOD, f"{len(files)} in {directory}"


def _privacy(file: Path) -> Result:
    from client.privacy.ledger import PrivacyLedger

    with PrivacyLedger(file) as ledger:
        rows = ledger.count()
    text = f"{rows:,} rows have a budget in {file}; a copy of it that is put back forgets what was spent since"
    return GOOD, f"{text}. Whether a task scales rows by constants, not by the rows, can't be checked"


def show(console: Console, view: Findings) -> None:
    """A line a check."""
    for item in view.findings:
        console.print(f"{SIGNS[item.state]} {item.what:11} {escape_untrusted(item.text)}")
