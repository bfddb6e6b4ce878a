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


def guarded(origin: str, weights: str = "w", digest: bytes = b"e" * 32, *, is_fixed: bool = True) -> Guarded:
    return Guarded(weights, Digest(digest), origin, is_fixed)


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


def test_record__is_never_replaced(file: GuardFile) -> None:
    file.add(guarded(HERE), ALICE)
    file.add(guarded(HERE, digest=b"f" * 32), ALICE)
    assert file.known("w", HERE, ALICE) == guarded(HERE)


def test_published__is_of_the_last_envelope__and_stands_behind_a_fixed_set(file: GuardFile) -> None:
    for digest in (b"e" * 32, b"f" * 32):
        file.add(guarded(HERE, digest=digest, is_fixed=False), ALICE)
    assert file.known("w", HERE, ALICE) == guarded(HERE, digest=b"f" * 32, is_fixed=False)
    assert file.known("w", ELSEWHERE, BOB) == guarded(HERE, digest=b"f" * 32, is_fixed=False)
    file.add(guarded(HERE), ALICE)
    assert file.known("w", HERE, ALICE) == guarded(HERE)


def test_two_jobs_at_once__one_comes_first(file: GuardFile) -> None:
    here, there = guarded(HERE, is_fixed=False), guarded(ELSEWHERE, is_fixed=False)
    assert file.add_alone(here, ALICE) is None and file.add_alone(here, ALICE) is None
    assert file.add_alone(there, BOB) == here
    assert file.known("w", HERE, ALICE) == here, "nothing of the second was written"


def test_damaged_file__is_said(file: GuardFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b"no database at all, and long enough to be one")
    with pytest.raises(FatalError, match="can't be used"):
        file.known("w", HERE, ALICE)


def test_file__stands_in_the_home_of_the_journal(tmp_path: Path) -> None:
    assert GuardFile.beside(tmp_path / "journals" / "a.sqlite").path == tmp_path / "masked.sqlite"
    assert GuardFile.beside(tmp_path / "a.sqlite").path == tmp_path / "masked.sqlite"
