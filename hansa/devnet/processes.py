"""Daemons as operating-system processes, forked from one warm process that has imported torch and the daemons.

The warm process is multiprocessing's fork server: it starts no thread, so forking from it is safe whatever this process
does, and a daemon costs milliseconds instead of seconds to start, each time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from hansa.protocol.text import redact
from hansa.runtime import stopping
from hansa.runtime.files import private_folder

PRELOAD = ["torch", "client.trainer", "aggregator.validator", "hansa.devnet.roles", "hansa.devnet.warm"]

_context = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Starts the warm process, without waiting for its imports. Ctrl-C is its parent's; it ends with it."""
    # numeric libraries start their threads lazily, but read these when they are imported
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _context.set_forkserver_preload(PRELOAD)
    resource_tracker.ensure_running()  # it would unblock what is blocked here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _safe_path():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """A Python started meanwhile does not look for modules in the working folder, where a user's own `client.py` may
    stand."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@dataclass
class Worker:
    """One daemon's process: `target(*arguments)`, started, killed and started again under one name."""

    name: str
    target: Callable[..., None]
    arguments: tuple[Any, ...]
    log: Path
    process: Any = field(default=None, repr=False)
    peak_memory: int = 0  # bytes of its own, the warm parent's pages counted by share
    starts: int = 0

    def start(self) -> None:
        """Starts it, or starts it again."""
        if self.alive:
            return
        private_folder(self.log.parent)
        process = _context.Process(
            target=_child, args=(self.target, self.arguments, str(self.log)), name=self.name, daemon=False
        )
        process.start()
        self.process = process
        self.starts += 1

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before it was started; negative: the signal that ended it."""
        return None if self.process is None else self.process.exitcode

    def kill(self) -> None:
        """SIGKILL, and waits until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.join()

    def ask_to_end(self) -> None:
        """SIGTERM, without waiting for what it does."""
        if self.process is not None:
            self.process.terminate()

    def stop(self, timeout: float = 5.0) -> None:
        """SIGTERM, and SIGKILL for whoever does not listen."""
        if self.process is None:
            return
        self.process.terminate()
        self.process.join(timeout)
        if self.process.is_alive():
            self.kill()

    def join(self, timeout: float) -> bool:
        """Whether it ended within `timeout` seconds."""
        if self.process is not None:
            self.process.join(timeout)
        return not self.alive

    def measure(self) -> None:
        """Keeps its highest memory so far (Linux; 0 elsewhere)."""
        if self.alive and self.pid is not None:
            self.peak_memory = max(self.peak_memory, proportional_memory(self.pid))

    def last_words(self) -> str:
        """The last line that it wrote."""
        if not self.log.is_file():
            return "nothing"
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "nothing"


def proportional_memory(pid: int) -> int:
    """Bytes that the process uses, shared pages divided by their users (PSS); 0 where the system doesn't say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _child(target: Callable[..., None], arguments: tuple[Any, ...], log: str) -> None:
    """Runs in the new process: output goes to its log, and it ends when its parent is gone."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it sends SIGTERM
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with stopping.listening(signal.SIGTERM):
            stopping.ends_well()
            target(*arguments)
    except stopping.Stopped as stopped:
        print(stopped, file=sys.stderr)
    except Exception as error:
        print(redact(f"{traceback.format_exc()}{type(error).__name__}: {error}"), file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 70))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
