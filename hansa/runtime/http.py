"""HTTP answers that end: a deadline for the whole of one, headers too, and a cap on its bytes as they are unpacked."""

from __future__ import annotations

import functools
import io
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests

from hansa.protocol.errors import FatalError
from hansa.protocol.text import redact

CONNECT_SECONDS = 3.05
CHUNK = 2**16  # bytes that are unpacked at once


class TooManyBytes(requests.RequestException):
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


class _WholeResponse(HTTPResponse):
    """Its socket's timeout is the time of the whole response, not of the next byte."""

    def __init__(self, cap: Cap, sock: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        reader: Any = self.fp
        self.fp = io.BufferedReader(_Until(reader.detach(), sock, cap))


def bound(session: requests.Session, cap: Cap) -> None:
    """Every response to `session` ends within its read timeout, and within `cap` bytes."""

    def bounded(manager: Any) -> Any:
        manager.pool_classes_by_scheme = {
            scheme: _pool(pool, cap) for scheme, pool in manager.pool_classes_by_scheme.items()
        }
        return manager

    for adapter in {id(one): one for one in session.adapters.values()}.values():
        given: Any = adapter
        bounded(given.poolmanager)
        proxied = given.proxy_manager_for
        given.proxy_manager_for = lambda *arguments, proxied=proxied, **named: bounded(proxied(*arguments, **named))


def _pool(pool: Any, cap: Cap) -> Any:
    answers = {"response_class": functools.partial(_WholeResponse, cap)}
    return type(pool.__name__, (pool,), {"ConnectionCls": type("Bounded", (pool.ConnectionCls,), answers)})


@dataclass(frozen=True)
class Reply:
    """A whole answer; `body` unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Poster:
    """Sends JSON to one address. What is the same for every request, most of a request's work, is made once."""

    def __init__(self, session: requests.Session, url: str) -> None:
        asked = requests.Request("POST", url, headers={"Content-Type": "application/json"})
        self._session, self._asked = session, session.prepare_request(asked)
        self._settings = session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)

    def post(self, data: bytes, *, seconds: float, limit: int) -> Reply:
        """Redirects aren't followed. Raises ReadTimeout after `seconds`, TooManyBytes over `limit`, or another
        RequestException."""
        end = time.monotonic() + seconds
        body = bytearray()
        request = self._asked.copy()
        request.prepare_body(data, None)
        if self._session.cookies:  # which a balancer keeps its clients apart by
            request.prepare_cookies(self._session.cookies)
        timeout = (CONNECT_SECONDS, seconds)
        try:
            with self._session.send(request, timeout=timeout, allow_redirects=False, **self._settings) as response:
                for chunk in response.iter_content(CHUNK):
                    body += chunk
                    if len(body) > limit:
                        raise TooManyBytes(f"more than {limit} bytes")
                return Reply(response.status_code, response.headers, bytes(body))
        except requests.RequestException as error:
            if time.monotonic() >= end and not isinstance(error, TooManyBytes):
                raise requests.ReadTimeout(str(error)) from error
            raise


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from, the outermost first."""
    seen: set[int] = set()
    link: Any = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        inner = [part for part in link.args if isinstance(part, BaseException)]
        link = getattr(link, "reason", None) or (inner[0] if inner else None) or link.__cause__ or link.__context__


def is_too_large(error: BaseException) -> bool:
    """Whether an answer went over its cap."""
    return any(isinstance(cause, TooManyBytes) for cause in causes(error))


def checked_url(url: str, schemes: Collection[str], what: str) -> SplitResult:
    """The parts of an address; FatalError where it can't be one. Nothing secret that stands in it is repeated."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        requests.Request("POST", parts._replace(scheme="http").geturl()).prepare()
        if parts.scheme in schemes and host and not any(sign.isspace() or not sign.isprintable() for sign in url):
            return parts
        cause = "there is a space in it" if parts.scheme in schemes and host else None
    except (ValueError, requests.RequestException) as error:
        cause = str(error).replace(url, "it")
    starts = " or ".join(f"{scheme}://" for scheme in schemes)
    raise FatalError(f"{redact(url)!r} is not {what}", cause=cause, next_step=f"give one that starts with {starts}")
