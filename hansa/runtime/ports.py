"""A port of this machine that is taken: by whom."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from hansa.protocol.text import escape_untrusted

LISTENS = "0A"  # the state of a socket in /proc/net/tcp
PROC = Path("/proc")
LONGEST_NAME = 40  # characters of a program


def why_taken(port: int, error: OSError) -> str:
    """Why a port can't be listened on, with who has it where this machine says so."""
    said = error.strerror or str(error)
    holder = listener(port) if error.errno == errno.EADDRINUSE else None
    return said if holder is None else f"{said}, by {holder}"


def listener(port: int) -> str | None:
    """The program that listens on a port, with its process id; None where Linux does not tell."""
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(PROC / "net" / table, port)}
    for process in PROC.glob("[0-9]*") if sockets else ():
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            if not sockets.isdisjoint(map(_target, list((process / "fd").iterdir()))):
                name = escape_untrusted((process / "comm").read_text().strip(), LONGEST_NAME)
                return f"{name} (process {process.name})"
    return None


def _target(handle: Path) -> str:
    """What an open file is; nothing where it was closed meanwhile."""
    try:
        return os.readlink(handle)
    except FileNotFoundError:
        return ""


def _inodes(table: Path, port: int) -> list[str]:
    try:
        lines = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [line[9] for line in lines if line[3] == LISTENS and line[1].endswith(f":{port:04X}")]
