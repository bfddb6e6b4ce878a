"""What processes of this machine have used, as Linux tells it."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(pid: int | None) -> float:
    """Seconds of a process, in itself and in the kernel; those of its children aren't in it. FileNotFoundError where it
    is over."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def with_variable(name: str, value: str) -> list[int]:
    """Processes that were started with an environment variable: a program and all that it started."""
    wanted = f"{name}={value}".encode()
    found = []
    for folder in PROC.glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it is over, or another user's
            continue
    return found
