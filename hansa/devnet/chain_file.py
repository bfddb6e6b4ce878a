"""DIR/chain.json: the local chain that a directory's deployment lives on, so that it is found and stopped later."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hansa.devnet.anvil import Anvil
from hansa.protocol.errors import FatalError

FILE = "chain.json"
STOP_SECONDS = 60.0
START_FIELD = 19  # of /proc/PID/stat, counted after the command's name


@dataclass(frozen=True)
class ChainFile:
    """A chain's address and the processes that belong to it: anvil, and Kubo nodes where there are some."""

    url: str
    pids: list[int] = field(default_factory=list)
    owner: int = 0  # the command that started it; 0 where it was left behind on purpose
    owner_began: str = ""  # when that began, as the system counts; "" where it doesn't say

    @classmethod
    def of(cls, anvil: Anvil, *others: int, kept: bool = False) -> ChainFile:
        owner = 0 if kept else os.getpid()
        return cls(anvil.url, [*anvil.pids, *others], owner, _began(owner))

    @classmethod
    def load(cls, directory: Path) -> ChainFile | None:
        """None where there is none, or where it makes no sense."""
        try:
            return cls(**json.loads((directory / FILE).read_text()))
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    def save(self, directory: Path) -> None:
        (directory / FILE).write_text(json.dumps(asdict(self)) + "\n")

    @staticmethod
    def remove(directory: Path) -> None:
        (directory / FILE).unlink(missing_ok=True)

    @property
    def alive(self) -> bool:
        """Whether the chain's process still is the one that was started."""
        return any(_is_ours(pid) for pid in self.pids)

    def _is_owner(self, pid: int) -> bool:
        """Process ids are used again: whether it still is the command that started the chain."""
        return pid != 0 and _exists(pid) and self.owner_began in ("", _began(pid))

    def stop(self) -> None:
        """Ends everything that belongs to it, and waits until it is gone; FatalError where it stays."""
        held = [self.owner] if self.owner != os.getpid() and self._is_owner(self.owner) else []
        for pid in held or filter(_is_ours, self.pids):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.alive or any(map(_exists, held)):
            if time.monotonic() > deadline:
                raise FatalError(f"the chain at {self.url} does not end", next_step=f"end process {self.pids[0]}")
            time.sleep(0.05)


def require_stopped(directory: Path) -> None:
    """FatalError while the directory's chain still runs."""
    running = ChainFile.load(directory)
    if running is not None and running.alive:
        raise FatalError(
            f"{directory} has a chain already, at {running.url}",
            next_step=f"stop it with `hansa up --stop --dir {directory}`, or name another --dir",
        )


@contextlib.contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Makes a folder this process's alone to start a chain in; FatalError where it is another's."""
    directory.mkdir(parents=True, exist_ok=True)
    held = os.open(directory, os.O_RDONLY)
    try:
        _lock(held, directory)
        yield
    finally:
        os.close(held)


def _lock(held: int, directory: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FatalError(
            f"another `hansa up` has begun in {directory}", next_step="wait for it, or name another --dir"
        ) from error


def _began(pid: int) -> str:
    """When a process began, in the system's ticks; "" where that can't be known."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[START_FIELD]
    except (OSError, IndexError):
        return ""


def _exists(pid: int) -> bool:
    """Whether it runs; one that has ended, and that its parent has not asked about yet, doesn't."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1] != ["Z"]
    except OSError:
        return True


def _is_ours(pid: int) -> bool:
    """Process ids are used again: on Linux its command must be one of those that we start."""
    if not _exists(pid):
        return False
    command = Path(f"/proc/{pid}/cmdline")
    if not command.exists():
        return True
    name = os.path.basename(command.read_bytes().split(b"\0", 1)[0].decode(errors="replace"))
    return name in ("anvil", "ipfs", "node", "geth", "injectived")
