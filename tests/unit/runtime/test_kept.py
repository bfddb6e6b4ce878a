"""What a pinning service refuses for one file stops no other; what it refuses for all ends the asking."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import StoreUnavailable
from hansa.runtime.store import LocalStore, kept
from hansa.runtime.store.kept import KeptStore
from hansa.runtime.store.kubo import KuboStore
from hansa.runtime.store.pinning import PinningNonsense, PinningService, TokenRefused


class Node(LocalStore):
    """Stands for a Kubo node."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.peers = self

    def addresses(self) -> list[str]:
        return []

    def meet_these(self, addresses: Sequence[str]) -> None:
        return


class Session:
    """Stands for the wire to a service that pins at once; `bad` says status and body of what is asked for a file."""

    def __init__(self) -> None:
        self.pins: dict[str, str] = {}  # by request, the file's CID
        self.bad: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, str]] = []

    def request(
        self, method: str, url: str, *, params: dict[str, str] | None, json: dict[str, Any] | None, **more: Any
    ) -> requests.Response:
        name = url.partition("/pins")[2].strip("/")
        cid = (json or params or {}).get("cid") or name.removeprefix("r-")
        self.asked.append((method, cid))
        if cid in self.bad and not (method == "GET" and not name):
            return said(*self.bad[cid])
        if method == "POST":
            self.pins[f"r-{cid}"] = cid
            return said(202, self._pin(f"r-{cid}", "queued"))
        if method == "DELETE":
            return said(202 if self.pins.pop(name, None) else 404, {})
        if name:
            return said(200, self._pin(name, "pinned")) if name in self.pins else said(404, {})
        return said(200, {"results": [self._pin(one, "pinned") for one, of in self.pins.items() if of == cid]})

    def _pin(self, name: str, status: str) -> dict[str, Any]:
        return {"requestid": name, "status": status, "delegates": []}

    def posts(self, cid: str) -> int:
        return self.asked.count(("POST", cid))


def said(status: int, body: Any) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer._content = json.dumps(body).encode()
    return answer


def keeping(path: Path, count: int) -> tuple[KeptStore, Session, list[str]]:
    """A store that works when it is told to, with so many files put; their CIDs."""
    service, session = PinningService("https://pinning.example", "token"), Session()
    service._session = cast(requests.Session, session)
    store = KeptStore(cast(KuboStore, Node(path)), service)
    store.thread = threading.current_thread()
    return store, session, [to_cid(store.put(b"%d" % number)) for number in range(count)]


@pytest.mark.parametrize("status", [302, 400, 402, 404, 409, 422])
def test_a_file_that_is_refused__is_told_once__and_the_others_are_kept(
    status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, session, cids = keeping(tmp_path, 3)
    session.bad[cids[0]] = (status, {"error": {"reason": "NO"}})
    assert not store.work() and store.work() and store.work()
    assert set(session.pins.values()) == set(cids[1:]) and session.posts(cids[0]) == 1
    told = capsys.readouterr().err
    assert told.count("could not be kept") == 1 and cids[0] in told and f"status {status} NO" in told
    later = to_cid(store.put(b"later"))
    store.work()
    assert session.posts(later) == 1


def test_a_request_that_another_deleted__is_made_anew(tmp_path: Path) -> None:
    store, session, [cid] = keeping(tmp_path, 1)
    assert not store.work()
    session.pins.clear()
    assert not store.work() and not store.work() and store.work()
    assert session.pins and session.posts(cid) == 2


def test_a_service_that_forgets_every_request__is_not_asked_for_ever(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, session, [cid] = keeping(tmp_path, 1)
    for _ in range(20):
        store.work()
        session.pins.clear()
    assert session.posts(cid) == kept.LOSSES and capsys.readouterr().err.count("could not be kept") == 1


@pytest.mark.parametrize("status", [400, 409])
def test_a_file_that_is_not_let_go__is_told_once(
    status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, session, cids = keeping(tmp_path, 2)
    assert not store.work() and store.work()
    session.bad[cids[0]] = (status, {})
    for number in range(2):
        store.unpin(digest_of(b"%d" % number))
    assert store.work() and store.work()
    assert list(session.pins.values()) == [cids[0]]
    assert capsys.readouterr().err.count("could not be let go") == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused__ends_it(status: int, tmp_path: Path) -> None:
    store, session, cids = keeping(tmp_path, 2)
    session.bad = {cid: (status, {}) for cid in cids}
    with pytest.raises(TokenRefused):
        store.work()
    assert len(session.asked) == 2, "a look and a request, for the first alone"


def test_nonsense_about_one_file__lets_the_others_be_asked_for(tmp_path: Path) -> None:
    store, session, cids = keeping(tmp_path, 3)
    session.bad[cids[0]] = (202, {"what": "is this"})
    with pytest.raises(PinningNonsense):
        store.work()
    assert set(session.pins.values()) == set(cids[1:])
    session.bad.clear()
    assert not store.work() and store.work() and len(session.pins) == 3


@pytest.mark.parametrize("status", [408, 500])
def test_a_file_on_which_the_service_fails__comes_after_the_others(status: int, tmp_path: Path) -> None:
    store, session, cids = keeping(tmp_path, 3)
    session.bad[cids[0]] = (status, {})
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.work()
    assert set(session.pins.values()) == set(cids[1:])
