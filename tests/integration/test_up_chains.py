"""`hansa up --chain`: what was on a chain of another kind is there again after --stop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_up import SMALL, Shell, post


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    somebody = Shell(tmp_path)
    try:
        yield somebody
    finally:
        somebody.run("up", "--stop")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("geth") is None or shutil.which("ipfs") is None, reason="needs geth and ipfs on PATH")
def test_up__on_sealers_and_kubo__goes_on_where_it_was(shell: Shell) -> None:
    shell.done("up", "--background", "--chain", "geth-poa", "--store", "kubo", *SMALL)
    post(shell)
    before = shell.ask("job", "show", "1")
    given = shell.ask("wallet", "fund", "0x" + "66" * 20, "--coins", "1", "--tokens", "2")
    assert (given["coins"], given["balance"]) == (str(10**18), str(2 * 10**18))
    assert "goes on with it" in shell.done("up", "--stop")
    assert "was made with --chain geth-poa" in shell.refused("up", "--chain", "ganache")
    shell.done("up", "--background")
    assert shell.ask("job", "show", "1")["spec"] == before["spec"], "its store is there again too"
    findings = {item["what"]: item for item in shell.ask("doctor")["findings"]}
    assert findings["randomness"]["text"].startswith("PARENT_HASH: appointed, coupled, hybrid committees")
    assert "2 confirmations" in findings["jobs"]["text"]
