"""`hansa dashboard`: serves the built page, the public part of the deployment, the names of the directory's accounts,
and a read-only gateway to the store."""

from __future__ import annotations

import errno
import json
import re
import webbrowser
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import typer

from hansa.cli.command import Command
from hansa.protocol.cid import from_cid
from hansa.protocol.errors import FatalError, HansaError, Malformed, NotFound
from hansa.protocol.text import PLACEHOLDER
from hansa.runtime.accounts import names_of_accounts
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.dialects import USUAL_DEPTH
from hansa.runtime.ports import why_taken
from hansa.runtime.store import Store, open_store

PAGE = Path(__file__).parent / "page"
LOOPBACK = "127.0.0.1"
LARGEST = 2**28  # bytes of a file that the gateway gives
TIMEOUT = 20.0  # seconds that the store has for one file
PUBLIC = (
    "name", "chain_id", "rpc", "ws", "federation", "vault", "token", "admission", "committee", "registry",
    "credentials", "first_block", "confirmations", "explorer",
)  # fmt: skip
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
GATEWAY = "/ipfs/"  # of this server
NAMES = "names.json"  # a host of files has none: a header says where it is
ORIGIN = re.compile(
    r"(?P<scheme>https?|wss?)://(?:[^/?#@\s]*@)?(?P<host>(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d+)?)(?:[/?#]|$)", re.ASCII
)
NOTHING_RUNS = "sandbox; default-src 'none'"


@dataclass(frozen=True)
class PageView:
    url: str


def run(
    command: Command,
    port: Annotated[
        int, typer.Option(help="Where the page is served, on this machine alone.", max=65535, min=0)
    ] = 8420,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Serve the page: jobs, ledgers, rewards, read from the chain in your browser."""
    if not (PAGE / "index.html").is_file():
        raise FatalError("the page isn't built", next_step="run `make page`")
    with serve(command.workspace.deployment(), port, command.workspace.keys) as server:
        url = f"http://{LOOPBACK}:{server.server_port}/"
        command.answer(PageView(url), lambda console: console.print(f"The page is at {url} (Ctrl-C ends it)"))
        if show:
            webbrowser.open(url)
        server.serve_forever()


def serve(deployment: Deployment, port: int, keys: Path | None = None) -> ThreadingHTTPServer:
    """A server on the loopback address, ready for `serve_forever`; port 0 takes a free one.

    keys: a directory of keystores, whose names and addresses the page may know.
    """
    deployment.require_no_secrets()
    try:
        return PageServer(port, deployment, open_store(deployment.store, deployment.expanded, deployment.peers), keys)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise FatalError(
            f"port {port} can't be had",
            cause=why_taken(port, error),
            next_step="name another one with --port; 0 takes any that is free",
        ) from error


def public(deployment: Deployment) -> dict[str, Any]:
    """What the page may know: no path of this machine, no allow-list, and no address that asks for a secret."""
    found = without_secret_places(deployment)
    facts = found.model_dump(mode="json", include=set(PUBLIC), exclude_none=True)
    depth = found.confirmations
    counted = depth if isinstance(depth, int) else USUAL_DEPTH[depth]  # the page knows counts alone
    return {**facts, "confirmations": counted, "gateway": found.gateway or GATEWAY}


def policy(deployment: Deployment) -> str:
    """The content security policy: scripts of our own, and no host but the deployment's."""
    found = without_secret_places(deployment)
    places = [*found.rpc, found.ws, found.gateway]
    hosts = " ".join(["'self'", *dict.fromkeys(_origin(place) for place in places if place)])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {hosts}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def without_secret_places(deployment: Deployment) -> Deployment:
    """A copy without the addresses that ask for a secret: a page can't keep one. FatalError where no node is left."""
    rpc = [url for url in deployment.rpc if not PLACEHOLDER.search(url)]
    if not rpc:
        raise FatalError(
            "the page has no RPC endpoint to ask",
            cause="each in deployment.json asks for a secret",
            next_step="add one to rpc that doesn't: a public one, or a node of your own",
        )
    hidden = [name for name in ("ws", "gateway") if PLACEHOLDER.search(getattr(deployment, name) or "")]
    return deployment.model_copy(update={"rpc": rpc, **dict.fromkeys(hidden)})


def _origin(url: str) -> str:
    """Scheme and host of a URL: no path or query, which may hold a key, and nothing that could end a policy."""
    found = ORIGIN.match(url)
    if not found:
        raise FatalError(
            f"deployment.json: {url!r} is no URL that a page can ask", next_step="correct rpc, ws or gateway"
        )
    return f"{found['scheme']}://{found['host']}".lower()


class PageServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, deployment: Deployment, store: Store, keys: Path | None) -> None:
        super().__init__((LOOPBACK, port), _Answers)
        self.store = store
        self.keys = keys
        self.policy = policy(deployment)
        self.public = json.dumps(public(deployment)).encode()
        self.hosts = {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}
        self.pages = {f"/{path.relative_to(PAGE).as_posix()}": path for path in PAGE.rglob("*") if path.is_file()}


class _Answers(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self.headers.get("Host") not in self.server.hosts:  # a foreign name that was bound to this address
            self._send(HTTPStatus.FORBIDDEN, b"this page is served to this machine alone\n")
        elif path == "/deployment.json":
            self._send(HTTPStatus.OK, self.server.public, "application/json", self.server.policy)
        elif path == f"/{NAMES}":
            names = {} if self.server.keys is None else names_of_accounts(self.server.keys)
            self._send(HTTPStatus.OK, json.dumps(names).encode(), "application/json")
        elif path.startswith("/ipfs/"):
            self._file(path.removeprefix("/ipfs/"))
        elif page := self.server.pages.get("/index.html" if path == "/" else path):
            kind = TYPES.get(page.suffix, "application/octet-stream")
            self._send(HTTPStatus.OK, page.read_bytes(), kind, self.server.policy)
        else:
            self._send(HTTPStatus.NOT_FOUND, b"nothing is here\n")

    def _file(self, cid: str) -> None:
        try:
            data = self.server.store.get(from_cid(cid), limit=LARGEST, timeout=TIMEOUT)
        except HansaError as error:
            statuses = {NotFound: HTTPStatus.NOT_FOUND, Malformed: HTTPStatus.BAD_REQUEST}
            self._send(statuses.get(type(error), HTTPStatus.BAD_GATEWAY), f"{error}\n".encode())
        else:
            self._send(HTTPStatus.OK, data, "application/octet-stream", cache="public, max-age=31536000, immutable")

    def _send(
        self,
        status: HTTPStatus,
        data: bytes,
        kind: str = "text/plain; charset=utf-8",
        rules: str = NOTHING_RUNS,
        cache: str = "no-cache",
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", rules)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Hansa-Names", NAMES)
        self.send_header("Cache-Control", cache)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are nobody's news."""
