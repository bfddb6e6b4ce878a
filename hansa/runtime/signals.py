"""Signals that end a process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType


def call_on_end(stop: Callable[[], None]) -> None:
    """Lets SIGTERM and Ctrl-C call `stop`; in the main thread, the only one that may ask for that."""
    if threading.current_thread() is not threading.main_thread():
        return

    def handle(number: int, frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
