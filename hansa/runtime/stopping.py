"""A process that is told to end: SIGTERM and SIGINT, wherever it is, as PID 1 too.

A signal raises `Stopped` in the main thread, once; nothing but the end of a command catches it. A thread that reads
what the signal's own handler writes ends a process that has not ended in time: one that computes in C, looks a host up,
or cleans up. Journals, and every file that is written at once, stand any moment of that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 1.5  # seconds between a signal and the end, whatever the process does then
LAST_WORDS = 0.3  # seconds that saying them may take


class Stopped(BaseException):
    """A signal asked this process to end; `status` is what a command then ends with."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number
        self.status = 128 + number


def _print(said: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"hansa: {said}\n".encode())


@dataclass
class _Ending:
    """How this process ends, from the first signal on. tell: how the last line is said."""

    asked: Stopped | None = None
    status: int | None = None  # None: the signal's own
    grace: float = GRACE
    tell: Callable[[str], None] = _print
    told: bool = False
    over: threading.Event = field(default_factory=threading.Event)


_ending: _Ending | None = None  # None: this process does not listen


def listen(*numbers: signal.Signals) -> None:
    """From here on a signal (by default SIGTERM or SIGINT) ends this process. Asked of the main thread alone; a second
    time changes nothing."""
    global _ending
    if _ending is not None:
        return
    _ending = _Ending()
    out, into = os.pipe()
    os.set_blocking(into, False)
    threading.Thread(target=_end_in_time, args=(_ending, out), name="signals", daemon=True).start()
    signal.set_wakeup_fd(into, warn_on_full_buffer=False)
    for number in numbers or SIGNALS:
        signal.signal(number, _stop)


@contextlib.contextmanager
def listening(*numbers: signal.Signals) -> Iterator[None]:
    """Listens inside; leaves a process, or a thread, that does already, or may not, as it is."""
    global _ending
    if _ending is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers or SIGNALS}
    listen(*numbers)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(signal.set_wakeup_fd(-1))
        assert _ending is not None
        _ending.over.set()
        _ending = None


def check() -> None:
    """Raises Stopped where a signal came: before what can't be taken back, in any thread."""
    if _ending is not None and _ending.asked is not None:
        raise _ending.asked


@contextlib.contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """Inside, the last line is said by `tell`, standard error otherwise."""
    if _ending is None:
        yield
        return
    before, _ending.tell = _ending.tell, tell
    try:
        yield
    finally:
        _ending.tell = before


def ends_well(grace: float | None = None) -> None:
    """A signal is the usual end of this process: its status is 0 then. grace: seconds for what it has to do at last."""
    if _ending is not None:
        _ending.status = 0
        _ending.grace = grace or _ending.grace


def say(stopped: Stopped) -> int:
    """Says the last line, where nobody has; what this process is to end with."""
    status = stopped.status
    if _ending is not None:
        _ending.asked = _ending.asked or stopped
        status = stopped.status if _ending.status is None else _ending.status
        if _ending.told:
            return status
        _ending.told = True
        _ending.tell(str(stopped))
    return status


def leave(status: Any) -> None:
    """Ends this process at once where a signal came, whatever threads it has."""
    if _ending is not None and _ending.asked is not None:
        _leave(status if isinstance(status, int) else int(status is not None))


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            stream.flush()
    os._exit(status)


def _stop(number: int, frame: FrameType | None) -> None:
    if _ending is not None and _ending.asked is None:
        _ending.asked = Stopped(number)
        raise _ending.asked


def _end_in_time(ending: _Ending, signals: int) -> None:
    """Waits for a signal, in a thread; ends the process once its time is over."""
    received = os.read(signals, 1)
    if received and not ending.over.wait(ending.grace):
        ending.asked = ending.asked or Stopped(received[0])
        last = threading.Thread(target=say, args=(ending.asked,), daemon=True)
        last.start()
        last.join(LAST_WORDS)  # whoever reads them may have stopped reading
        os._exit(ending.asked.status if ending.status is None else ending.status)
    os.close(signals)
