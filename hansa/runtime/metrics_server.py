"""Where operators ask a daemon for its metrics and its health."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from hansa.protocol.errors import FatalError
from hansa.protocol.text import is_digits
from hansa.runtime.metrics import Metrics, ServiceMetrics
from hansa.runtime.ports import why_taken


class MetricsServer:
    """Answers /metrics and /healthz from a thread of its own, until `close`. `address` is where."""

    def __init__(self, where: str, metrics: Metrics | ServiceMetrics) -> None:
        host, port = parse_address(where)
        try:
            self._server = make_server(host, port, app_of(metrics), _Server, _Handler)
        except OSError as error:
            raise FatalError(
                f"--metrics {where} can't be listened on",
                cause=why_taken(port, error),
                next_step="name another port, or 0 for any that is free",
            ) from error
        self.address = f"{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def parse_address(where: str, option: str = "--metrics") -> tuple[str, int]:
    """HOST:PORT; FatalError otherwise."""
    host, colon, port = where.rpartition(":")
    if not colon or not host or not is_digits(port, 5) or int(port) > 65_535:
        raise FatalError(f"{option} {where[:100]!r} is not an address", next_step="write it like 127.0.0.1:9464")
    return host, int(port)


def app_of(metrics: Metrics | ServiceMetrics) -> Any:
    """The WSGI application: Prometheus's own at /metrics, and whether the daemon is well at /healthz."""
    exposition = make_wsgi_app(metrics.registry)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return exposition(environ, start_response)  # type: ignore[no-any-return]
            case "/healthz":
                healthy, shown = metrics.health()
                status = "200 OK" if healthy else "503 Service Unavailable"
                start_response(status, [("Content-Type", "application/json")])
                return [json.dumps(shown).encode()]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"/metrics or /healthz\n"]

    return answer


class _Server(ThreadingWSGIServer):
    def handle_error(self, *_: object) -> None:
        """A client that goes away, or says nothing, is no news."""


class _Handler(WSGIRequestHandler):
    timeout = 10.0  # seconds for a client to say what it wants

    def log_message(self, *_: object) -> None:
        """Requests are no news."""
