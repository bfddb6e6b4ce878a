"""HTTP answers that end: a deadline for the whole of one, headers too, and a cap on its bytes as they are unpacked."""

from __future__ import annotations

import email.utils
import io
import math
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from typing import Any
from urllib.parse import SplitResult, urlsplit

from hansa.protocol.errors import FatalError
from hansa.protocol.text import redact

CONNECT_SECONDS = 3.05
CHUNK = 2**16  # bytes that are unpacked at once


class TooManyBytes(OSError):
    """An answer over its cap."""


class Cap(threading.local):
    """How many bytes one answer may take on the wire; each thread may set its own `size`."""

    def __init__(self, size: int) -> None:
        self.size = size


class _Until(io.RawIOBase):
    """A socket's bytes, up to a moment and a number of them, however slowly they trickle in."""

    def __init__(self, raw: Any, sock: Any, cap: Cap) -> None:
        self._raw, self._sock, self._left = raw, sock, cap.size
        self._end = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise TooManyBytes("the answer is too large")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class WholeResponse(HTTPResponse):
    """Its socket's timeout is the time of the whole response, not of the next byte."""

    def __init__(self, cap: Cap, sock: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        reader: Any = self.fp
        self.fp = io.BufferedReader(_Until(reader.detach(), sock, cap))


@dataclass(frozen=True)
class Reply:
    """A whole answer; `body` unpacked."""

    status: int
    headers: Message
    body: bytes


def retry_after(headers: Mapping[str, str] | Message) -> float | None:
    """Seconds for which a server asks to be left alone, from a number of them or a date (RFC 9110, section 10.2.3);
    None where it asks for nothing that makes sense."""
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from, the outermost first."""
    seen: set[int] = set()
    link: Any = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        inner = [part for part in link.args if isinstance(part, BaseException)]
        reason = getattr(link, "reason", None)
        reason = reason if isinstance(reason, BaseException) else None  # an SSLError's is a word
        link = reason or (inner[0] if inner else None) or link.__cause__ or link.__context__


def is_too_large(error: BaseException) -> bool:
    """Whether an answer went over its cap."""
    return any(isinstance(cause, TooManyBytes) for cause in causes(error))


def checked_url(url: str, schemes: Collection[str], what: str) -> SplitResult:
    """The parts of an address; FatalError where it can't be one. Nothing secret that stands in it is repeated."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        (host or "").encode("idna")
        if parts.scheme in schemes and host and not any(sign.isspace() or not sign.isprintable() for sign in url):
            return parts
        cause = "there is a space in it" if parts.scheme in schemes and host else None
    except ValueError as error:
        cause = str(error).replace(url, "it")
    starts = " or ".join(f"{scheme}://" for scheme in schemes)
    raise FatalError(f"{redact(url)!r} is not {what}", cause=cause, next_step=f"give one that starts with {starts}")
