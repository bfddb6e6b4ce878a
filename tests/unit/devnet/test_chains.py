"""Local chains of other kinds: what is refused, and with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hansa.cli.main import app
from hansa.devnet.chains.cosmos import bech32
from hansa.devnet.chains.dags import FILES, made_dags
from hansa.devnet.chains.starting import KINDS, NETWORKS, check_kind
from hansa.protocol.errors import FatalError

PROGRAMS = {"geth-poa": "geth", "geth-pow": "geth", "cosmos-pos": "injectived"}


def test_bech32__is_what_the_chain_says() -> None:
    account = bytes.fromhex("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
    assert bech32("inj", account) == "inj17w0adeg64ky0daxwd2ugyuneellmjgnxf5vkec"


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_chain__whose_program_is_not_on_path__is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FatalError, match=f"{PROGRAMS[kind]} is not installed: PATH has no .*; (get|take) it"):
        NETWORKS[kind](tmp_path, accounts=1, port=None, orphan=False, idle=False)
    assert list(tmp_path.iterdir()) == []


def test_dags__are_made_once__and_what_was_broken_off_is_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    geth, cache = tmp_path / "geth", tmp_path / "hansa" / "ethash"
    names = " ".join(f"[{block}]={name}" for block, name in FILES.items())
    geth.write_text(
        f'#!/bin/bash\ndeclare -A names=({names})\necho "$2" >>{tmp_path}/made\ntouch "$3/${{names[$2]}}"\n'
    )
    geth.chmod(0o755)
    cache.mkdir(parents=True)
    first, second = FILES.values()
    (cache / first).touch()
    (cache / f"{second}.8146384959479336251").touch()
    for _ in range(2):
        assert made_dags(str(geth)) == cache
    assert {path.name for path in cache.iterdir()} == {first, second, "lock"}
    assert (tmp_path / "made").read_text() == "30000\n"


@pytest.mark.parametrize("command", ["up", "demo"])
def test_kinds_that_are_none__are_refused(command: str, tmp_path: Path) -> None:
    for option, told in (("--chain", f"use one of {', '.join(KINDS)}"), ("--store", "use local or kubo")):
        done = CliRunner().invoke(app, [command, option, "tape", "--dir", str(tmp_path / "d")])
        assert done.exit_code == 1 and f"{option} 'tape' is no" in done.stderr and told in done.stderr
    assert not (tmp_path / "d").exists()
    check_kind("anvil", "kubo")
