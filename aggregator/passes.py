"""Asking a store for the files of a cycle, pass after pass, until all have come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hansa.protocol.errors import HansaError

FETCH_SECONDS = 5.0
FETCHES = 8  # at a time: whoever never sends its bytes does not hold up the others'
PASS_SECONDS = 10.0  # after which no further fetch begins before the daemon has looked at the chain

T = TypeVar("T")


class Passes:
    """Which places were asked for how often."""

    def __init__(self, places: int) -> None:
        self._tries = [0] * places

    def run(
        self,
        missing: Iterable[int],
        get: Callable[[int], T | HansaError],
        note: Callable[[int, T | HansaError], None],
    ) -> None:
        """Asks for the missing, those asked for least often first. get: runs beside others, and returns the error where
        there is nothing yet. note: told of each, in the caller's own thread."""
        order = sorted(missing, key=lambda place: self._tries[place])
        end = time.monotonic() + PASS_SECONDS
        with ThreadPoolExecutor(FETCHES) as pool:
            for start in range(0, len(order), FETCHES):
                if time.monotonic() > end:
                    break
                batch = order[start : start + FETCHES]
                for place, got in zip(batch, pool.map(get, batch), strict=True):
                    self._tries[place] += 1
                    note(place, got)
