"""Times for people, whatever a contract says that the time is."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(timestamp: int) -> str:
    """A Unix time in UTC; beyond the last year of the calendar the number alone."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return _beyond(timestamp)


def local(timestamp: int) -> str:
    """The same in this machine's zone, which it names."""
    try:
        return datetime.fromtimestamp(timestamp).astimezone().isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return _beyond(timestamp)


def _beyond(timestamp: int) -> str:
    return f"second {timestamp} of Unix time"
