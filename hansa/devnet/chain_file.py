"""DIR/chain.json: the local chain that a directory's deployment lives on, so that it is found and stopped later."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hansa.devnet.anvil import Anvil
from hansa.protocol.errors import FatalError

FILE = "chain.json"
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class ChainFile:
    """A chain's address and the processes that belong to it: anvil, and Kubo nodes where there are some."""

    url: str
    pids: list[int] = field(default_factory=list)
    owner: int = 0  # the command that started it; 0 where it was left behind on purpose

    @classmethod
    def of(cls, anvil: Anvil, *others: int, kept: bool = False) -> ChainFile:
        return cls(anvil.url, [*anvil.pids, *others], 0 if kept else os.getpid())

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

    def stop(self) -> None:
        """Ends everything that belongs to it, and waits until it is gone; FatalError where it stays."""
        held = [self.owner] if self.owner not in (0, os.getpid()) and _exists(self.owner) else []
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
