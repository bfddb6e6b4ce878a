"""What a journal remembers, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.protocol.errors import JournalCorrupt, Locked, NotFound
from hansa.runtime.journal import Journal

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


def test_journal__is_the_owners_alone(tmp_path: Path) -> None:
    with Journal(tmp_path / "j"):
        assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600
