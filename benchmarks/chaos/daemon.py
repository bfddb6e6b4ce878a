"""A daemon that can be made to die at a place in its code, and whose clock can be wrong, from outside.

What is asked of it stands in files beside its log, NAME.die and NAME.clock: they outlive it.
"""

from __future__ import annotations

import os
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hansa.devnet.roles import Role, play
from hansa.runtime.desk import Desk
from hansa.runtime.journal import Journal
from hansa.runtime.transactions.mempool import Mempool

CLOCK = struct.Struct("d")


def play_in_chaos(role: Role, place: Path) -> None:
    """Runs the daemon until its job is over. place: the files' name without its end."""
    reaper = Reaper(place.with_suffix(".die"))
    follow_clock(place.with_suffix(".clock"))
    reaper.watch(Journal, "_write", "decide")
    reaper.watch(Journal, "put_blob", "keep")
    reaper.watch(Desk, "publish", "publish")
    broadcast = Mempool.broadcast

    def broadcast_or_die(self: Mempool, sent: Any) -> bool:
        step = str(sent.key[1])
        reaper.meet(f"{step} journalled", "journalled")
        taken = broadcast(self, sent)
        reaper.meet(f"{step} sent", "sent")
        return taken

    Mempool.broadcast = broadcast_or_die  # type: ignore[method-assign]
    play(role)


class Reaper:
    """Kills this process at the place that a file names; the file is gone then."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def meet(self, *names: str) -> None:
        try:
            wanted = self.file.read_text()
        except OSError:
            return
        if wanted in names:
            self.file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Its places are before and after the method."""
        original: Callable[..., Any] = getattr(owner, method)

        def watched(*arguments: Any, **named: Any) -> Any:
            self.meet(f"{name} before")
            found = original(*arguments, **named)
            self.meet(f"{name} after")
            return found

        setattr(owner, method, watched)


def follow_clock(file: Path) -> None:
    """This process' time of day goes wrong by as many seconds as the file says; monotonic clocks don't."""
    true_time = time.time
    descriptor = os.open(file, os.O_RDONLY | os.O_CREAT, 0o600)

    def wrong() -> float:
        data = os.pread(descriptor, CLOCK.size, 0)
        return true_time() + (CLOCK.unpack(data)[0] if len(data) == CLOCK.size else 0.0)

    time.time = wrong


def set_clock(file: Path, seconds: float) -> None:
    file.write_bytes(CLOCK.pack(seconds))
