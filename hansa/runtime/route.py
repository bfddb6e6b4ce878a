"""The way to an HTTP server: directly, or by the proxy that this machine's environment names; and who asks there."""

from __future__ import annotations

import base64
import http.client
import netrc
import os
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit

import certifi

from hansa.runtime.http import CONNECT_SECONDS

PORTS = {"http": 80, "https": 443}
SAFE = "%/:=&?~#+!$,;'@()*[]"  # what of an address is sent as it is written


class ConnectTimeout(TimeoutError):
    """No connection in time."""


class ProxyRefused(OSError):
    """The proxy does not answer, or lets nothing through."""


@dataclass(frozen=True)
class Route:
    """How one address is reached, worked out once. target: as the request names it; headers: of every request."""

    server: SplitResult
    proxy: SplitResult | None
    target: str
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, url: str, *, direct: bool) -> Route:
        """direct: without what the environment and .netrc say."""
        server = urlsplit(url)
        proxy = None if direct else _proxy_of(server)
        path = quote(server.path or "/", SAFE) + (f"?{quote(server.query, SAFE)}" if server.query else "")
        named = {"Host": _shown(server), "Authorization": _credentials(server) or (None if direct else _noted(server))}
        if proxy is None or server.scheme == "https":
            return cls(server, proxy, path, _given(named))
        headers = _given({**named, "Proxy-Authorization": _credentials(proxy)})
        return cls(server, proxy, f"http://{_shown(server)}{path}", headers)

    def connect(self) -> http.client.HTTPConnection:
        """A connection, open. ConnectTimeout, ProxyRefused, ssl.SSLError or another OSError."""
        first = self.proxy or self.server
        host, port = str(first.hostname), first.port or PORTS[first.scheme]
        if self.server.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=CONNECT_SECONDS, context=_trusted()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        if self.proxy is not None and self.server.scheme == "https":
            known = _given({"Proxy-Authorization": _credentials(self.proxy)})
            connection.set_tunnel(str(self.server.hostname), self.server.port or PORTS["https"], known)
        try:
            connection.connect()
        except TimeoutError as error:
            raise ConnectTimeout(str(error)) from error
        except OSError as error:
            if self.proxy is None or isinstance(error, ssl.SSLError):
                raise
            raise ProxyRefused(str(error)) from error
        return connection


def _proxy_of(server: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for a server."""
    named = urllib.request.getproxies()
    found = named.get(server.scheme) or named.get("all")
    if not found or urllib.request.proxy_bypass(f"{server.hostname}:{server.port or PORTS[server.scheme]}"):
        return None
    return urlsplit(found if "://" in found else f"http://{found}")


def _given(headers: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value is not None}


def _noted(server: SplitResult) -> str | None:
    """The credentials that .netrc has for a server."""
    file = os.path.expanduser(os.environ.get("NETRC") or "~/.netrc")
    try:
        known = netrc.netrc(file).authenticators(str(server.hostname))
    except (OSError, netrc.NetrcParseError):
        return None
    return None if known is None else _basic(known[0] or known[1] or "", known[2] or "")


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def _credentials(address: SplitResult) -> str | None:
    """Those that stand in an address."""
    if address.username is None:
        return None
    return _basic(unquote(address.username), unquote(address.password or ""))


def _shown(server: SplitResult) -> str:
    host = str(server.hostname).encode("idna").decode()
    shown = f"[{host}]" if ":" in host else host
    return shown if server.port in (None, PORTS[server.scheme]) else f"{shown}:{server.port}"


def _trusted() -> ssl.SSLContext:
    """The certificates that are believed: those that the environment names, else the usual ones."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()
    if os.path.isdir(named):
        return ssl.create_default_context(capath=named)
    return ssl.create_default_context(cafile=named)
