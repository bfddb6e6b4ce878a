"""`hansa doctor`: is everything here that a demo, or a daemon on a chain, needs?"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.accounts import keystores
from cli.anvil import find_anvil
from cli.context import Here
from protocol.errors import FatalError, HansaError

if TYPE_CHECKING:
    from rich.console import Console

    from cli.wire import Wire
    from protocol.chain.federation import JobTerms

GOOD, WARNING, BAD = "ok", "warning", "wrong"
SIGNS = {GOOD: "[green]✓[/]", WARNING: "[yellow]![/]", BAD: "[red]✗[/]"}
LEAST_DISK = 2**30  # bytes
CLOCK_SECONDS = 60  # that this machine's clock may be off the chain's


@dataclass(frozen=True)
class Finding:
    what: str
    state: str
    text: str


def doctor(
    here: Here, job: Annotated[int | None, typer.Option("--job", help="Also: can this job be kept up with?")] = None
) -> None:
    """Check this machine, and chain, store and keys of the directory. Ends with 1 when something is wrong."""
    findings = [_check("python", _python), _check("torch", _torch), _check("anvil", _anvil), _check("ipfs", _ipfs)]
    findings += [_check("disk", lambda: _disk(here.dir)), _check("keystores", lambda: _keys(here.keys))]
    if here.deployment_file.is_file():
        findings += _deployment(here, job)
    else:
        findings.append(Finding("deployment", WARNING, f"{here.dir} has none; `hansa up` or `hansa deploy` makes one"))
    data = {"findings": [vars(item) for item in findings], "healthy": all(item.state != BAD for item in findings)}
    here.answer(data, lambda console: _show(console, findings))
    if not data["healthy"]:
        raise typer.Exit(1)


def too_short(terms: JobTerms, confirmations: int, block_seconds: float = 12.0) -> str | None:
    """Why a job's phases can't be kept up with: each must be longer than three times the confirmations."""
    needed = 3 * confirmations * block_seconds
    phases = ("submit", "score", "reveal", "vote", "finalize")
    short = [name for name in phases if getattr(terms, f"{name}_time") < needed]
    if not short:
        return None
    return f"{', '.join(short)} shorter than the {needed:.0f} s that {confirmations} confirmations ask for"


def _check(what: str, look: Callable[[], tuple[str, str]]) -> Finding:
    try:
        return Finding(what, *look())
    except HansaError as error:
        return Finding(what, BAD, str(error))


def _python() -> tuple[str, str]:
    return (
        GOOD if sys.version_info[:2] == (3, 11) else WARNING
    ), f"{platform.python_version()} on {os.cpu_count()} cores"


def _torch() -> tuple[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    if importlib.util.find_spec("torch") is None:
        return BAD, "not installed; run `make setup`"
    try:
        return GOOD, version("torch")
    except PackageNotFoundError:
        return WARNING, "of an unknown version"


def _anvil() -> tuple[str, str]:
    try:
        done = subprocess.run([find_anvil(), "--version"], capture_output=True, text=True, timeout=20, check=True)
    except FatalError as error:
        return WARNING, f"{error}; only `up` and `demo` need it"
    except (OSError, subprocess.SubprocessError) as error:
        return BAD, f"does not run: {error}"
    return GOOD, done.stdout.splitlines()[0].strip()


def _ipfs() -> tuple[str, str]:
    found = shutil.which("ipfs")
    return GOOD, f"Kubo at {found}" if found else "not on PATH; only stores of kind kubo need it"


def _disk(directory: Path) -> tuple[str, str]:
    place = next(path for path in (directory, *directory.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    return (GOOD if free >= LEAST_DISK else WARNING), f"{free / 2**30:.1f} GB free"


def _keys(directory: Path) -> tuple[str, str]:
    stores = [path for path, _ in keystores(directory)]
    readable = [path.name for path in stores if path.stat().st_mode & 0o077]
    if readable:
        return BAD, f"{', '.join(readable)} can be read by others; chmod 600 them"
    return GOOD, f"{len(stores)} in {directory}"


def _deployment(here: Here, job: int | None) -> list[Finding]:
    from cli.wire import connect

    try:
        wire = connect(here)
    except HansaError as error:
        return [Finding("deployment", BAD, str(error))]
    findings = [
        _check("chain", lambda: _chain(wire)),
        _check("contracts", lambda: _contracts(wire)),
        _check("logs", lambda: _logs(wire)),
        _check("store", lambda: _store(wire)),
    ]
    if job is not None:
        findings.append(_check(f"job {job}", lambda: _job(wire, job)))
    return findings


def _chain(wire: Wire) -> tuple[str, str]:
    wire.chain.rpc.check_all()
    head = wire.chain.head()
    off = abs(time.time() - head.timestamp)
    text = f"{wire.chain.chain_id}, block {head.number}, {len(wire.deployment.rpc)} endpoint(s)"
    if off > CLOCK_SECONDS:
        return WARNING, f"{text}; its last block is {off:.0f} s from this machine's clock"
    return GOOD, text


def _contracts(wire: Wire) -> tuple[str, str]:
    wire.federation.check()
    return (
        GOOD,
        f"federation {wire.deployment.federation}, {wire.federation.job_count()} jobs, token {wire.token().symbol}",
    )


def _logs(wire: Wire) -> tuple[str, str]:
    """A node that has pruned the events of the first block is of no use."""
    from protocol.chain.codec import artifact

    topic = artifact("Federation").event("JobPosted").topic
    found = wire.chain.logs(wire.deployment.federation, [topic], wire.deployment.first_block, wire.chain.head())
    count = wire.federation.job_count()
    if len(found) != count:
        return BAD, f"the node gives {len(found)} of {count} posted jobs; use one that has all events"
    return GOOD, f"complete from block {wire.deployment.first_block}"


def _store(wire: Wire) -> tuple[str, str]:
    from protocol.cid import to_cid

    data = b"hansa doctor"
    digest = wire.store.put(data)
    if wire.store.get(digest, limit=64, timeout=10.0) != data:
        return BAD, "gives back other bytes than it was given"
    return GOOD, f"{wire.deployment.store['kind']}, gave back {to_cid(digest)}"


def _job(wire: Wire, job: int) -> tuple[str, str]:
    from cli.books import check_job
    from protocol.job import JobContext
    from protocol.types import JobId

    check_job(wire.federation, JobId(job))
    context = JobContext.read(wire.federation, wire.store, JobId(job))
    problem = too_short(context.terms, wire.deployment.confirmations)
    return (BAD, problem) if problem else (GOOD, str(context))


def _show(console: Console, findings: list[Finding]) -> None:
    for item in findings:
        console.print(f"{SIGNS[item.state]} {item.what:11} {item.text}")
