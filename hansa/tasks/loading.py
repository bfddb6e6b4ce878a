"""Finding the task that a job names, without running anything that the user has not allowed, and running it inside a
daemon.

A job names one of
- a built-in task: `heart`;
- an installed one: `package.module:Class`, allowed as `package.module` or `package.module:Class`;
- a file: `file.py:Class` and the file's SHA-256. The file is the user's own copy, allowed by its path or its SHA-256;
  what runs is the very bytes that were hashed.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict, Unpack

from hansa.protocol.errors import FatalError, HansaError, NotAllowed, check_range, described
from hansa.protocol.spec import JobSpec
from hansa.tasks.base import Movable, Task
from hansa.tasks.frozen import check_frozen
from hansa.tasks.naming import only_task
from hansa.tasks.rows import BadRows
from hansa.tasks.settings import Settings

BUILT_IN = {
    "fashion": "hansa.tasks.fashion:Fashion",
    "heart": "hansa.tasks.heart:Heart",
    "mail": "hansa.tasks.mail:Mail",
    "maintenance": "hansa.tasks.maintenance:Maintenance",
    "mnist": "hansa.tasks.mnist:Mnist",
    "traffic": "hansa.tasks.traffic:Traffic",
}


USERS = (Exception, SystemExit)
"""What code of a user's may end with: a script that calls exit() shall not end the program that asked for its task."""


class Place(TypedDict, total=False):
    """Where a task's code is. task_digest: what the job says of a file or module; task_file: the user's own copy of
    that file (found among `allowed` too); allowed: what the user lets run."""

    task_digest: str | None
    task_file: Path | None
    allowed: Collection[str]


def consent(task: str) -> tuple[str, Place]:
    """A task that its user names, which is consent to run it: its name in a job, and where it is."""
    name, digest, file = name_task(task)
    allowed = [str(file)] if file else [name, name.partition(":")[0]]
    return name, {"task_digest": digest, "task_file": file, "allowed": allowed}


def name_task(task: str) -> tuple[str, str | None, Path | None]:
    """A task as a spec names it, with the SHA-256 and path of a user's file: 'path/to/file.py:Class', or no class
    where the file has only one that can train."""
    place, _, attribute = task.partition(":")
    if not place.endswith(".py"):
        return task, None, None
    path = Path(place).expanduser()
    code = _read(path)
    return f"{path.name}:{attribute or only_task(path, code)}", hashlib.sha256(code).hexdigest(), path


def task_digest(path: str | Path) -> str:
    """SHA-256 of a task file, in hex: what a job and an allow-list name."""
    return hashlib.sha256(_read(Path(path))).hexdigest()


def load_task_of(spec: JobSpec, *, task_file: Path | None = None, allowed: Collection[str] = ()) -> Task:
    """The task that a job's spec names, its frozen files those of the job; arguments and errors as of `load_task`."""
    task = load_task(
        spec.task, spec.settings, spec.seed, task_digest=spec.task_digest, task_file=task_file, allowed=allowed
    )
    with running(task.name, "looking at its frozen files"):
        check_frozen(task, spec.frozen)
    return task


def load_task(name: str, settings: Mapping[str, object], seed: int, **place: Unpack[Place]) -> Task:
    """The task `name` with a job's settings and seed.

    NotAllowed: the user's list does not have it. FatalError: it isn't there, differs, or refuses its settings.
    """
    kind = _task_class(name, **place)
    if lacking := sorted(getattr(kind, "__abstractmethods__", ())):
        raise FatalError(
            f"task {name} lacks {', '.join(lacking)}",
            cause="every task of its kind has a method of its own for each",
            next_step="write what lacks, as docs/tasks.md tells",
        )
    try:
        task = kind(settings, seed)
    except HansaError:
        raise
    except USERS as error:
        raise FatalError(
            f"task {name} refused its settings {dict(settings)}",
            cause=described(error),
            next_step="compare them with the task's own page; a class of your own is made by Class(settings, seed)",
        ) from error
    if not isinstance(task, Task):
        missing = [part for part in TASK_PARTS if not hasattr(task, part)]
        raise FatalError(
            f"task {name} is not a task: it has no {', '.join(missing)}", next_step="docs/tasks.md lists what one needs"
        )
    return task


TASK_PARTS = ("name", "model", "load", "validation", "train", "metric")


def defaults(name: str, **place: Unpack[Place]) -> dict[str, Any]:
    """What the task recommends for a job: rounds, steps, bits, parties, settings (its `defaults()`, if it has that)."""
    kind = _task_class(name, **place)
    with running(name, "asking for its defaults()"):
        own = dict(kind.defaults()) if hasattr(kind, "defaults") else {}
    given = Settings(f"{name}, defaults()", own)
    found: dict[str, Any] = {"settings": given.table("settings")}
    for part, usual in {"rounds": 10, "steps": 100, "bits": 8, "parties": 4}.items():
        found[part] = given.integer(part, usual, low=1, high=1_000_000)
    given.done()
    return found


def _task_class(name: str, **place: Unpack[Place]) -> Any:
    """The class behind a task's name; arguments and errors as in `load_task`."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    code, _, attribute = name.rpartition(":")
    if not code or not attribute.isidentifier():
        raise FatalError(
            f"no task {name!r}", next_step=f"name {', '.join(BUILT_IN)}, package.module:Class or file.py:Class"
        )
    digest, allowed = place.get("task_digest"), place.get("allowed", ())
    if code.endswith(".py"):
        found: ModuleType = _from_file(code, digest, place.get("task_file"), allowed)
    else:
        found = _installed(name, code, digest, allowed)
    with running(name, "looking for its class"):
        if (kind := getattr(found, attribute, None)) is not None:
            return kind
    raise FatalError(f"task {name}: {code} has no class {attribute}")


def _installed(name: str, module: str, digest: str | None, allowed: Collection[str]) -> ModuleType:
    if name not in allowed and module not in allowed:
        raise NotAllowed(
            f"task {name} is not on your allow-list", next_step=f"read it, then allow it with --allow {module}"
        )
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None:
        raise FatalError(f"task {name} is not installed", next_step="install the package that it comes from")
    if digest is not None and task_digest(spec.origin) != _plain(digest):
        raise FatalError(
            f"task {name} differs from the job's",
            cause=f"{spec.origin} has SHA-256 {task_digest(spec.origin)}, the job names {_plain(digest)}",
            next_step="install the version that the sponsor used",
        )
    try:
        return importlib.import_module(module)
    except USERS as error:
        raise FatalError(f"task {name} cannot be imported", cause=described(error)) from error


def _from_file(name: str, digest: str | None, task_file: Path | None, allowed: Collection[str]) -> ModuleType:
    """The module of the first allowed copy whose bytes have the job's digest."""
    if digest is None:
        raise FatalError(f"the job names the task file {name} without its SHA-256", next_step="ask its sponsor for it")
    wanted = _plain(digest)
    tried = []
    for copy in _copies(name, wanted, task_file, allowed):
        try:
            code = _read(copy)
        except FatalError as error:
            tried.append(str(error))
            continue
        found = hashlib.sha256(code).hexdigest()
        if found == wanted:
            return _run(copy, code, wanted)
        tried.append(f"{copy} has SHA-256 {found}")
    raise FatalError(
        f"task file {name} differs from the job's, {wanted}",
        cause=", ".join(tried),
        next_step="get the file that the sponsor used",
    )


def _copies(name: str, wanted: str, task_file: Path | None, allowed: Collection[str]) -> list[Path]:
    """The user's own copies of a task file; NotAllowed without one."""
    listed = [Path(entry).expanduser() for entry in allowed if entry.endswith(".py")]
    if task_file is None:
        if listed:
            return listed
        raise NotAllowed(
            f"task file {name} (SHA-256 {wanted}) is not on your allow-list",
            next_step="get it from the sponsor, read it, then allow it with --allow PATH",
        )
    copy = Path(task_file).expanduser()
    if wanted in map(_plain, allowed) or copy.resolve() in [path.resolve() for path in listed]:
        return [copy]
    raise NotAllowed(
        f"task file {copy} (SHA-256 {wanted}) is not on your allow-list",
        next_step=f"read it, then allow it with --allow {copy}",
    )


def _run(path: Path, code: bytes, digest: str) -> ModuleType:
    """The module made from `code`, once a process: classes stay the same ones."""
    name = f"hansa_task_{digest[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look themselves up here
    try:
        exec(compile(code, str(path), "exec"), module.__dict__)
    except USERS as error:
        del sys.modules[name]
        raise FatalError(f"task file {path} does not run", cause=described(error)) from error
    return module


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FatalError(f"task file {path} can't be read", cause=error.strerror) from error


def _plain(digest: str) -> str:
    return digest.lower().removeprefix("0x")


@contextmanager
def running(task: str, doing: str) -> Iterator[None]:
    """Turns whatever a task raises into one sentence that names it and what it was doing."""
    try:
        yield
    except BadRows as error:
        raise FatalError(f"task {task} failed while {doing}", cause=error.message, next_step=error.next_step) from error
    except HansaError:
        raise
    except USERS as error:
        if (variable := _missing_variable(error)) is not None:
            raise FatalError(
                f"task {task} failed while {doing}",
                cause=f"the environment variable {variable} is not set",
                next_step=f"set it, as in `export {variable}=…`",
            ) from error
        raise FatalError(
            f"task {task} failed while {doing}",
            cause=described(error),
            next_step="`python -m hansa.tasks` rehearses a task without a chain; --debug shows where",
        ) from error


def _missing_variable(error: BaseException) -> str | None:
    """The name that `os.environ` was asked for in vain."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, KeyError) and frames and frames[-1].f_globals.get("__name__") == os.__name__:
        return str(error.args[0])
    return None


MOST_THREADS = 1024


def use_device(task: Task, device: str, threads: int | None) -> str:
    """Lets a task compute on a device (auto, cpu, cuda, cuda:1 or mps) and on so many threads, None being torch's own
    choice; returns the device's name. FatalError where it isn't there."""
    if threads is not None:
        check_range("--threads", threads, 1, MOST_THREADS)
    torch = sys.modules.get("torch")
    if torch is not None and threads is not None:
        torch.set_num_threads(threads)
    if isinstance(task, Movable):
        return task.move_to(device, threads)
    if device not in ("auto", "cpu"):
        raise FatalError(
            f"--device {device} is no use to task {task.name}",
            cause="it computes on the CPU",
            next_step="leave --device out",
        )
    return "cpu"
