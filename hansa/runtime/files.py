"""Files that are written whole or not at all, and files that nobody but their owner may read."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path

from hansa.protocol.errors import FatalError, HansaError

OWNER, SHARED = 0o600, 0o666  # the system's umask takes from SHARED
OTHERS = 0o077
UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What sqlite3 raises of a damaged file: also for a text, or an error's own, that is no UTF-8."""
NEXT_STEP = {
    errno.ENOSPC: "make room on its disk, then start again",
    errno.EDQUOT: "make room within your quota, then start again",
    errno.EIO: "check its disk",
    errno.EROFS: "mount its file system for writing, or name another place",
}


def unwritable(path: Path, error: OSError, kind: type[HansaError] = FatalError) -> HansaError:
    """What is raised where a file can't be written: its name, why, and what to do."""
    next_step = NEXT_STEP.get(error.errno or 0, "put it right, or name another place")
    return kind(f"{path} can't be written", cause=error.strerror or type(error).__name__, next_step=next_step)


def private_folder(path: Path) -> None:
    """Makes a folder that nobody else can look into; one that is there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return
    if path.stat().st_mode & 0o700 != 0o700:  # the umask took from its owner too
        path.chmod(0o700)


def private_file(path: Path, flags: int) -> int:
    """A descriptor of a file that, where it is new, nobody else could read at any time."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, OWNER)
    if os.fstat(descriptor).st_mode & 0o700 != OWNER & 0o700:
        os.fchmod(descriptor, OWNER)
    return descriptor


def is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & OTHERS)


def close_to_others(path: Path) -> bool:
    """Takes everybody else's rights to a file or folder; whether they had any."""
    if not path.exists() or not is_open_to_others(path):
        return False
    path.chmod(path.stat().st_mode & 0o700)
    return True


def write_file(path: Path, data: bytes) -> None:
    """As `write_atomically`; FatalError where that fails."""
    try:
        write_atomically(path, data)
    except OSError as error:
        raise unwritable(path, error) from error


def write_atomically(path: Path, data: bytes | memoryview, mode: int = SHARED) -> None:
    """Writes a file so that readers, and a crash, meet all of it or nothing; OSError leaves nothing behind.

    Its folder is there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
