"""A node behind a password and a key, as providers have them."""

from __future__ import annotations

import base64
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "k3yk3yk3yk3yk3yk3yk3yk3y"
WORD = "pa55word"
ALLOWED = "Basic " + base64.b64encode(f"ann:{WORD}".encode()).decode()


@contextmanager
def guarded(node: str) -> Iterator[str]:
    """The address, without its secrets, of a server that hands on what comes with both."""

    class Guard(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("authorization") != ALLOWED or self.path != f"/v3/{KEY}":
                self.send_error(401)
                return
            request = urllib.request.Request(node, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                data = answer.read()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def with_secrets(url: str) -> str:
    return url.replace("://", f"://ann:{WORD}@") + f"/v3/{KEY}"


def by_name(url: str) -> str:
    return url.replace("://", "://ann:${WORD}@") + "/v3/${KEY}"
