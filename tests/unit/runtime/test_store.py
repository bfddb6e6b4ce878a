"""The embedded store."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import FatalError, NotFound, StoreUnavailable, TooLarge, WrongBytes
from hansa.protocol.types import Digest
from hansa.runtime.store import LocalStore, Store, open_store
from hansa.runtime.store.kubo import KuboStore
from hansa.runtime.store.local import PIECE


def file_of(store: LocalStore, digest: Digest) -> Path:
    [found] = store.path.rglob(to_cid(digest))
    return found


def test_put__get__across_objects(tmp_path: Path) -> None:
    digest = LocalStore(tmp_path).put(b"hello")
    assert digest == digest_of(b"hello")
    assert LocalStore(tmp_path).get(digest, limit=5, timeout=1) == b"hello"
    assert LocalStore(tmp_path).has(digest)


def test_put__twice__is_fine(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert store.put(b"x") == store.put(b"x")


def test_put__mends_what_was_damaged(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digest = store.put(b"hello")
    file_of(store, digest).write_bytes(b"hellO")
    with pytest.raises(WrongBytes, match=to_cid(digest)):
        store.get(digest, limit=9, timeout=1)
    store.put(b"hello")
    assert store.get(digest, limit=9, timeout=1) == b"hello"


def test_put__a_large_file__is_compared_to_its_end(tmp_path: Path) -> None:
    store, data = LocalStore(tmp_path), bytes(PIECE + 5)
    path = file_of(store, digest := store.put(data))
    before = path.stat().st_ino
    store.put(data)
    assert path.stat().st_ino == before, "what is there is not written again"
    path.write_bytes(data[:-1] + b"x")
    store.put(data)
    assert store.get(digest, limit=len(data), timeout=1) == data


def test_get__over_the_limit__reads_no_more_than_that(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digest = store.put(b"hello")
    with pytest.raises(TooLarge, match="larger than the 4 bytes"):
        store.get(digest, limit=4, timeout=1)


def test_get__unknown(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        LocalStore(tmp_path).get(digest_of(b"no"), limit=4, timeout=1)
    assert not LocalStore(tmp_path).has(digest_of(b"no"))
    with pytest.raises(NotFound):
        LocalStore(tmp_path).pin(digest_of(b"no"))


def test_get__of_a_pipe_in_the_place_of_a_file__waits_for_nobody(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    path = file_of(store, digest := store.put(b"hello"))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(WrongBytes, match=to_cid(digest)):
        store.get(digest, limit=9, timeout=1)


def test_pin__unpin(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digest = store.put(b"x")
    store.pin(digest)
    store.unpin(digest)
    store.unpin(digest_of(b"no"))
    assert store.get(digest, limit=1, timeout=1) == b"x"


def test_not_a_directory__is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable):
        LocalStore(tmp_path / "file").put(b"x")
    with pytest.raises(StoreUnavailable):
        LocalStore(tmp_path / "file").get(digest_of(b"x"), limit=1, timeout=1)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_put__on_a_disk_that_takes_no_more__is_one_sentence__and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match=f"can't be written: {os.strerror(code)}; "):
        LocalStore(tmp_path).put(b"hello")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("auth", "header"), [("bearer:word", "Bearer word"), ("basic:ann:pass:word", "Basic YW5uOnBhc3M6d29yZA==")]
)
def test_kubo__is_given_its_credentials__by_name_alone(monkeypatch: pytest.MonkeyPatch, auth: str, header: str) -> None:
    monkeypatch.setenv("KUBO", auth)
    config = {"kind": "kubo", "api": "/ip4/127.0.0.1/tcp/5001"}
    opened = open_store({**config, "auth": "${KUBO}"})
    assert isinstance(opened, KuboStore)
    assert opened._client._client._session_props["headers"]["Authorization"] == header
    with pytest.raises(FatalError, match="stands in deployment.json itself") as told:
        open_store({**config, "auth": auth})
    assert "word" not in str(told.value)
    monkeypatch.setenv("KUBO", "word")
    with pytest.raises(FatalError, match="of no kind that Kubo has"):
        open_store({**config, "auth": "${KUBO}"})


def test_open_store(tmp_path: Path) -> None:
    store: Store = open_store({"kind": "local", "path": str(tmp_path)})
    assert isinstance(store, LocalStore)
    with pytest.raises(FatalError, match="is no store"):
        open_store({"kind": "ftp"})
    with pytest.raises(FatalError, match="is not a Kubo API address"):
        open_store({"kind": "kubo", "api": "nonsense"})
