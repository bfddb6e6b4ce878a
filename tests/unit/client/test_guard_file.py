"""The file of weights that a party's updates were summed over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from client.guard_file import GuardFile
from hansa.protocol.errors import FatalError
from hansa.protocol.masked.guard import Guarded
from hansa.protocol.types import Address, Digest

ALICE, BOB = Address("0xa"), Address("0xb")
HERE, ELSEWHERE = "31337:0xfe:1", "31337:0xfe:2"


def guarded(origin: str, weights: str = "w", digest: bytes = b"e" * 32) -> Guarded:
    return Guarded(weights, Digest(digest), origin)


@pytest.fixture
def file(tmp_path: Path) -> GuardFile:
    return GuardFile(tmp_path / "home" / "masked.sqlite")


def test_nothing_is_known_at_first(file: GuardFile) -> None:
    assert file.known("w", HERE, ALICE) is None
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_own_record__is_known_in_its_job_by_every_later_process(file: GuardFile) -> None:
    file.add(guarded(HERE), ALICE)
    again = GuardFile(file.path)
    assert again.known("w", HERE, ALICE) == guarded(HERE)
    assert again.known("other", HERE, ALICE) is None


def test_another_key_in_the_same_job__is_in_the_same_set_and_stands_in_nobodys_way(file: GuardFile) -> None:
    file.add(guarded(HERE), ALICE)
    assert file.known("w", HERE, BOB) is None


def test_another_job__is_known_to_all_keys_before_their_own_record(file: GuardFile) -> None:
    file.add(guarded(ELSEWHERE), ALICE)
    file.add(guarded(HERE), BOB)
    assert file.known("w", HERE, BOB) == guarded(ELSEWHERE)


def test_job_that_runs_beside_another__is_told_of_the_weights_only_once(file: GuardFile) -> None:
    assert file.reserve("w", HERE, ALICE, repeat=False) and file.reserve("w", HERE, ALICE, repeat=False)
    assert file.reserve("w", HERE, BOB, repeat=False), "another key in the same job is in the same set"
    assert file.known("w", HERE, ALICE) is None, "it may be sealed again, until a set is fixed"
    assert not file.reserve("w", ELSEWHERE, BOB, repeat=False)
    assert file.known("w", ELSEWHERE, BOB) == guarded(HERE, digest=b"")
    assert file.reserve("other", ELSEWHERE, BOB, repeat=False)
    assert file.reserve("w", ELSEWHERE, BOB, repeat=True)
    assert file.known("w", HERE, ALICE) is None and file.reserve("w", HERE, ALICE, repeat=False), "it goes on"


def test_record__is_never_replaced(file: GuardFile) -> None:
    file.add(guarded(HERE), ALICE)
    file.add(guarded(HERE, digest=b"f" * 32), ALICE)
    assert file.known("w", HERE, ALICE) == guarded(HERE)


def test_damaged_file__is_said(file: GuardFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b"no database at all, and long enough to be one")
    with pytest.raises(FatalError, match="can't be used"):
        file.known("w", HERE, ALICE)


def test_file__stands_in_the_home_of_the_journal(tmp_path: Path) -> None:
    assert GuardFile.beside(tmp_path / "journals" / "a.sqlite").path == tmp_path / "masked.sqlite"
    assert GuardFile.beside(tmp_path / "a.sqlite").path == tmp_path / "masked.sqlite"
