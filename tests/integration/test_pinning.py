"""A pinning service beside a node's own pins, against a small one of our own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from benchmarks.serving import serving
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import FatalError, StoreUnavailable
from hansa.runtime.store import LocalStore, kept, open_store
from hansa.runtime.store.kept import KeptStore
from hansa.runtime.store.kubo import KuboStore
from hansa.runtime.store.pinning import PinningLimited, PinningRefused, PinningService, TokenRefused

TOKEN = "a-token-that-nobody-may-see"
ORIGIN = "/ip4/10.0.0.1/tcp/4001/p2p/12D3KooWA"


class Service(ThreadingHTTPServer):
    """Keeps what it is asked to, at the second look; or answers everything with `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pins: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.status = 0
        self.headers: dict[str, str] = {}
        self.next = "pinned"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/psa"

    def cids(self) -> list[str]:
        return [pin["pin"]["cid"] for pin in self.pins.values()]


class Handler(BaseHTTPRequestHandler):
    server: Service

    def answer(self) -> None:
        server, place = self.server, urlsplit(self.path)
        server.asked.append(f"{self.command} {place.path}")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        if server.status:
            return self.say(server.status, {"error": {"reason": "NO", "details": "because"}}, server.headers)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.say(401, {"error": {"reason": "UNAUTHORIZED"}})
        name = place.path.removeprefix("/psa/pins").strip("/")
        if self.command == "POST":
            name = f"r-{len(server.asked)}"
            server.pins[name] = {
                "requestid": name,
                "status": "queued",
                "pin": body,
                "delegates": ["/ip4/10.0.0.9/tcp/4001/p2p/12D3KooWB"],
                "info": {"status_details": "no space"},
            }
            return self.say(202, server.pins[name])
        if self.command == "DELETE":
            return self.say(202 if server.pins.pop(name, None) else 404, {})
        if name:
            server.pins[name]["status"] = server.next
            return self.say(200, server.pins[name])
        query = parse_qs(place.query)
        statuses, cids = query["status"][0].split(","), query.get("cid")
        found = [pin for pin in server.pins.values() if pin["status"] in statuses]
        found = [pin for pin in found if cids is None or pin["pin"]["cid"] in cids]
        self.say(200, {"count": len(found), "results": found})

    do_GET = do_POST = do_DELETE = answer

    def say(self, status: int, told: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(told).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        return


class Node(LocalStore):
    """Stands for a Kubo node."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.met: list[str] = []
        self.peers = self

    def addresses(self) -> list[str]:
        return [ORIGIN]

    def meet_these(self, addresses: Sequence[str]) -> None:
        self.met += addresses


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as running:
        yield running


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_put__is_kept_elsewhere_too__and_let_go_when_it_is_unpinned(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept, "POLL_SECONDS", 0.02)
    node = Node(tmp_path)
    store = KeptStore(cast(KuboStore, node), PinningService(service.url, TOKEN))
    digest = store.put(b"model")
    until(lambda: [pin["status"] for pin in service.pins.values()] == ["pinned"])
    [pin] = service.pins.values()
    assert pin["pin"] == {"cid": to_cid(digest), "name": "hansa", "origins": [ORIGIN]}
    assert node.met == pin["delegates"], "the service's nodes, which fetch it"
    store.pin(digest)
    again = KeptStore(cast(KuboStore, node), PinningService(service.url, TOKEN))
    again.pin(digest)  # as a daemon that started again
    until(lambda: not again._left())
    assert [asked for asked in service.asked if asked.startswith("POST")] == ["POST /psa/pins"], "asked once"
    again.unpin(digest)
    until(lambda: not service.pins)
    assert TOKEN not in "".join(capsys.readouterr())


def test_a_service_that_is_down_or_refuses__stops_nobody(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.status = 401
    store = KeptStore(cast(KuboStore, Node(tmp_path)), PinningService(service.url, TOKEN))
    digest = store.put(b"model")
    assert store.thread is not None
    store.thread.join(60)
    assert store.get(digest, limit=5, timeout=1) == b"model" and store.put(b"next")
    said = "".join(capsys.readouterr())
    assert "keeps nothing any more" in said and "refuses this token" in said and TOKEN not in said


def test_what_the_service_could_not_fetch__is_told(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept, "POLL_SECONDS", 0.02)
    service.next = "failed"
    store = KeptStore(cast(KuboStore, Node(tmp_path)), PinningService(service.url, TOKEN))
    store.put(b"model")
    until(lambda: not store._left())
    until(lambda: "could not be kept" in (told := capsys.readouterr().err) and "no space" in told)
    assert PinningService(service.url, TOKEN).counts() == {"queued": 0, "pinning": 0, "pinned": 0, "failed": 1}


@pytest.mark.parametrize(
    ("status", "headers", "kind", "said"),
    [
        (401, {}, TokenRefused, "refuses this token: status 401; put a valid one into secrets.env"),
        (403, {}, TokenRefused, "refuses this token"),
        (402, {}, PinningRefused, "refuses a request: status 402 NO; ask who runs it"),
        (302, {"Location": "http://elsewhere.test/"}, PinningRefused, "refuses a request: status 302"),
        (429, {"Retry-After": "7"}, PinningLimited, "takes no more now: too many requests; it is asked again in 7 s"),
        (429, {"Retry-After": "86400"}, PinningLimited, "in 600 s"),
        (429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, PinningLimited, "in 0 s"),
        (429, {"Retry-After": "Fri, 31 Dec 9999 00:00:00 GMT"}, PinningLimited, "in 600 s"),
        (429, {"Retry-After": "nan"}, PinningLimited, "in 60 s"),
        (429, {}, PinningLimited, "in 60 s"),
        (503, {}, StoreUnavailable, "is out of order: status 503"),
    ],
)
def test_refusals__are_of_a_kind(
    service: Service, status: int, headers: dict[str, str], kind: type[Exception], said: str
) -> None:
    service.status, service.headers = status, headers
    with pytest.raises(kind, match=said) as refused:
        PinningService(service.url, TOKEN).pin(digest_of(b"x"))
    assert TOKEN not in str(refused.value) and "/psa" not in str(refused.value)


def test_no_service_and_no_api_there__are_unavailable(service: Service) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer"):
        PinningService("http://127.0.0.1:1", TOKEN).counts()
    service.status = 200
    with pytest.raises(StoreUnavailable, match="answered nonsense; name the address of its Pinning Service API"):
        PinningService(service.url, TOKEN).counts()


def test_settings__a_token_stands_behind_a_name__and_goes_by_https_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN", TOKEN)
    config = {"kind": "kubo", "api": "/ip4/127.0.0.1/tcp/1", "pinning": "https://pinning.example/psa"}
    opened = open_store({**config, "pinning_token": "${PIN}"})
    assert isinstance(opened, KeptStore) and opened.service.shown == "https://pinning.example/…"
    with pytest.raises(FatalError, match="the store's pinning_token stands in deployment.json itself"):
        open_store({**config, "pinning_token": TOKEN})
    for kind in ({"kind": "local", "path": "store"}, {"kind": "kubo", "api": config["api"]}):
        with pytest.raises(FatalError, match="the store's pinning_token stands in deployment.json itself") as caught:
            open_store({**kind, "pinning_token": TOKEN})
        assert TOKEN not in str(caught.value)
    for url in ("https://[bad/psa", "https://pinning.example:99999/psa", "pinning.example", "https://"):
        with pytest.raises(
            FatalError, match="is not a pinning service's address.*; give one that starts with https://"
        ):
            open_store({**config, "pinning": url, "pinning_token": "${PIN}"})
    with pytest.raises(FatalError, match="names a pinning service, and no pinning_token"):
        open_store(config)
    with pytest.raises(FatalError, match="is no pinning service; name its API's address, https"):
        open_store({**config, "pinning": "http://pinning.example", "pinning_token": "${PIN}"})
