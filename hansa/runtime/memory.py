"""Memory that goes back to the system when it is free."""

from __future__ import annotations

import contextlib
import ctypes

LARGE = 1 << 20  # bytes
_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h


def give_back_large() -> None:
    """From now on a freed block of `LARGE` bytes or more returns to the system at once: glibc keeps those of up to
    32 MiB once it has seen some, for every thread its own. Other systems stay as they are."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, LARGE)
