"""What a journal remembers, and what it refuses."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.protocol.errors import FatalError, JournalCorrupt, Locked, NotFound, TransientError
from hansa.runtime.journal import Journal
from hansa.runtime.log import open_log

ROOT = Path(__file__).resolve().parents[3]


def test_remember__makes_the_value_once(tmp_path: Path) -> None:
    made = []
    with Journal(tmp_path / "j") as journal:
        for _ in range(2):
            value = journal.remember((1, "salt", b"\x01"), lambda: made.append(1) or {"salt": b"\x00\xff", "n": 2**80})
            assert value == {"salt": b"\x00\xff", "n": 2**80}
    assert len(made) == 1
    with Journal(tmp_path / "j") as journal:
        assert journal.recall((1, "salt", b"\x01")) == value
        assert journal.recall((1, "salt", "01")) is None


def test_remember__nested_values_come_back_as_they_were(tmp_path: Path) -> None:
    value = {"list": [1, b"x", {"none": None, "yes": True}], "text": "ä"}
    with Journal(tmp_path / "j") as journal:
        journal.remember((1,), lambda: value)
        assert journal.recall((1,)) == value


def test_remember__make_raises__nothing_is_kept(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        with pytest.raises(ZeroDivisionError):
            journal.remember((1,), lambda: {"x": 1 // 0})
        assert journal.recall((1,)) is None


def test_replace__overwrites(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.remember((1,), lambda: {"at": 1})
        journal.replace((1,), {"at": 2})
        assert journal.recall((1,)) == {"at": 2}


CHILD = """
import sys
from hansa.runtime.journal import Journal
with Journal(sys.argv[1]) as journal:
    number = 0
    while True:
        journal.remember(("n", number), lambda: {"value": number * 7})
        print(number, flush=True)
        number += 1
"""


def test_sigkill__whatever_was_returned_is_there(tmp_path: Path) -> None:
    path = tmp_path / "j"
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(25):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    said = [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    with Journal(path) as journal:
        for number in range(25 + len(said)):
            assert journal.recall(("n", number)) == {"value": number * 7}


def test_lock__another_process_or_object_is_refused(tmp_path: Path) -> None:
    holder = f"process {os.getpid()} holds it; stop it: one key, one daemon"
    with Journal(tmp_path / "j"), pytest.raises(Locked, match=holder):
        Journal(tmp_path / "j")
    Journal(tmp_path / "j").close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"not a database at all, but long enough to be read as one" * 40,
        lambda data: data[:20] + b"\xff" * 80 + data[100:],
        lambda data: data[: len(data) // 2],
        lambda data: data[:4096] + b"\xaa" * (len(data) - 4096),
    ],
    ids=["other file", "header", "half", "pages"],
)
def test_corrupt__says_what_to_do(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        for number in range(50):
            journal.remember((number,), lambda: {"x": "y" * 500})
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(JournalCorrupt, match="move .* away"), Journal(path) as journal:
        for number in range(50):
            journal.remember((number,), lambda: {"x": "z"})
    path.unlink()
    Journal(path).close()


def test_corrupt__one_changed_value_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.remember((1,), lambda: {"salt": "aaaaaaaa"})
    data = path.read_bytes()
    assert data.count(b"aaaaaaaa") == 1
    path.write_bytes(data.replace(b"aaaaaaaa", b"aaaabaaa"))
    with Journal(path) as journal, pytest.raises(JournalCorrupt, match="a changed entry"):
        journal.recall((1,))


def test_sent__by_key_and_by_nonce(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        for nonce in range(3):
            journal.add_sent(bytes([nonce]) * 32, nonce, ("vote", nonce), {"raw": b"\x01", "nonce": nonce})
        assert [nonce for _, nonce, _ in journal.sent(from_nonce=1)] == [1, 2]
        assert journal.sent(key=("vote", 2)) == [(b"\x02" * 32, 2, {"raw": b"\x01", "nonce": 2})]
        journal.forget_sent(2)
        assert [nonce for _, nonce, _ in journal.sent()] == [2]


def test_blobs__come_back_checked(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        digest = journal.put_blob(b"update" * 100_000)
        assert journal.blob(digest) == b"update" * 100_000
        [file] = list((tmp_path / "j.blobs").iterdir())
        file.write_bytes(b"other")
        with pytest.raises(JournalCorrupt, match="is not what was written"):
            journal.blob(digest)
        journal.keep_blobs(set())
        with pytest.raises(NotFound):
            journal.blob(digest)


def open_to_others(folder: Path) -> list[str]:
    """What others have any right to, beneath a folder."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.lstat().st_mode & 0o077]


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    try:
        yield request.param
    finally:
        os.umask(before)


def test_journal__is_the_owners_alone_from_the_first_byte(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the umask, and with no moment between: nothing has to be changed after it was made."""
    for name in () if umask & 0o700 else ("chmod", "fchmod"):
        monkeypatch.setattr(os, name, lambda *args, **named: pytest.fail("changed afterwards"))
    with Journal(tmp_path / "journals" / "j.sqlite") as journal:
        assert open_to_others(tmp_path) == []
        journal.remember((1,), lambda: {"key": b"secret"})
        journal.put_blob(b"integers")
        names = {path.name for path in (tmp_path / "journals").iterdir()}
        assert names == {"j.sqlite", "j.sqlite-wal", "j.sqlite-shm", "j.sqlite.lock", "j.sqlite.blobs"}
        assert open_to_others(tmp_path) == []
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("j*")}
    assert modes == {"journals": 0o700, "j.sqlite": 0o600, "j.sqlite.lock": 0o600, "j.sqlite.blobs": 0o700}


def test_journal__in_use__was_never_open_to_others(tmp_path: Path) -> None:
    """Another process looks all the while."""
    before = os.umask(0)
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "journals" / "j")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    os.umask(before)
    assert process.stdout is not None
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            try:
                seen.update(open_to_others(tmp_path))
            except FileNotFoundError:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(50):
        process.stdout.readline()
    ended.set()
    watcher.join()
    process.kill()
    process.stdout.close()
    process.wait()
    assert (tmp_path / "journals" / "j-wal").exists() and seen == set()


def test_journal__that_was_open_to_others__is_closed_and_logged_once(tmp_path: Path) -> None:
    folder = tmp_path / "journals"
    with Journal(folder / "j") as journal:
        journal.remember((1,), lambda: {"salt": 1})
        digest = journal.put_blob(b"integers")
        copies = {end: (folder / f"j{end}").read_bytes() for end in ("-wal", "-shm")}
    for end, data in copies.items():  # as a crash leaves them
        (folder / f"j{end}").write_bytes(data)
    (folder / "j.blobs" / ".half.1.part").write_bytes(b"inte")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    for _ in range(2):
        with Journal(folder / "j", open_log(tmp_path / "log")) as journal:
            assert open_to_others(tmp_path) == []
            assert journal.recall((1,)) == {"salt": 1} and journal.blob(digest) == b"integers"
    [line] = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert line["event"] == "journal closed to others" and line["path"] == str(folder / "j")
    assert [path.name for path in (folder / "j.blobs").iterdir() if path.name.endswith(".part")] == []


def test_folder__that_is_not_ours_alone__keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    Journal(tmp_path / "shared" / "j").close()
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755
    assert open_to_others(tmp_path / "shared") == []


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A journal `j` that another program is about to write to."""
    with Journal(tmp_path / "j") as journal:
        journal.remember((1,), lambda: {"x": 1})
    other = sqlite3.connect(tmp_path / "j", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


@pytest.mark.parametrize("when", ["before it is opened", "while it is in use"])
def test_locked__by_another_program__is_waited_for(tmp_path: Path, locked: sqlite3.Connection, when: str) -> None:
    if when == "while it is in use":
        locked.execute("ROLLBACK")
    with Journal(tmp_path / "j", open_log(tmp_path / "log")) as journal:
        if when == "while it is in use":
            locked.execute("BEGIN EXCLUSIVE")
        later = threading.Timer(2.5, lambda: locked.execute("ROLLBACK"))
        later.start()
        journal.replace((1,), {"x": 2})
        later.join()
        assert journal.recall((1,)) == {"x": 2}
    [line] = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert (line["event"], line["by"]) == ("journal locked", "another program")


def test_locked__for_too_long__says_so__and_moves_nothing_away(
    tmp_path: Path, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.runtime.journal.PATIENCE", 0.1)
    with Journal(tmp_path / "j", open_log(tmp_path / "log")) as journal:
        with pytest.raises(TransientError, match="is locked: another program holds it; end that program") as told:
            journal.replace((1,), {"x": 2})
        assert "move" not in str(told.value)
        assert journal.recall((1,)) == {"x": 1}


def test_version__of_another_hansa__is_not_called_corrupt(tmp_path: Path) -> None:
    Journal(tmp_path / "j").close()
    other = sqlite3.connect(tmp_path / "j")
    other.execute("PRAGMA user_version = 9")
    other.close()
    with pytest.raises(FatalError, match="is of version 9, this is 1; use the version that wrote it") as told:
        Journal(tmp_path / "j")
    assert not isinstance(told.value, JournalCorrupt)


FULL = [
    (errno.ENOSPC, "No space left on device; make room on its disk"),
    (errno.EDQUOT, "Disk quota exceeded; make room within your quota"),
    (errno.EIO, "Input/output error; check its disk"),
    (errno.EROFS, "Read-only file system; mount its file system"),
]


@pytest.mark.parametrize(("code", "said"), FULL)
@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_blob__on_a_disk_that_takes_no_more__is_one_sentence__and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str, step: str
) -> None:
    def fails(*args: object, **named: object) -> int:
        raise OSError(code, os.strerror(code))

    with Journal(tmp_path / "j") as journal:
        journal.put_blob(b"first")
        monkeypatch.setattr(Path if step == "replace" else os, step, fails)
        with pytest.raises(FatalError, match=f"blobs/Qm.* can't be written: {said}"):
            journal.put_blob(b"second")
        monkeypatch.undo()
        assert len(list((tmp_path / "j.blobs").iterdir())) == 1


def test_entry__on_a_full_disk__is_one_sentence(tmp_path: Path) -> None:
    """SQLite itself, at its page limit, which it tells as a disk that is full."""
    with Journal(tmp_path / "j") as journal:
        journal._db.execute("PRAGMA max_page_count = 8")
        with pytest.raises(FatalError, match="j can't be written: .* is full; make room on its disk") as told:
            for number in range(50):
                journal.remember((number,), lambda: {"x": "y" * 5000})
        assert not isinstance(told.value, JournalCorrupt)
