"""A folder's chain is stopped, and nothing else; one command at a time starts one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.devnet.chain_file import ChainFile, _began, hold
from hansa.protocol.errors import FatalError


@pytest.fixture
def somebody() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_stop__whoever_has_the_owners_number_now__goes_on(somebody: subprocess.Popen[bytes]) -> None:
    ChainFile("http://x", [], somebody.pid, "1").stop()
    assert somebody.poll() is None


def test_stop__ends_the_command_that_started_the_chain(somebody: subprocess.Popen[bytes]) -> None:
    ChainFile("http://x", [], somebody.pid, _began(somebody.pid)).stop()
    assert somebody.wait(10) == -15


def test_stop__by_a_file_of_an_earlier_version__ends_it_too(somebody: subprocess.Popen[bytes]) -> None:
    ChainFile("http://x", [], somebody.pid).stop()
    assert somebody.wait(10) == -15


def test_hold__one_at_a_time__and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    taken = pytest.raises(FatalError, match="another `hansa up` has begun in .*; wait for it")
    with hold(folder), taken, hold(folder):
        pass
    with hold(folder):
        assert list(folder.iterdir()) == []
