"""`hansa wallet fund`: a new account of a local chain gets coins and tokens; nobody's on another chain does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import World

from hansa.cli.main import app
from hansa.cli.wallet import fund
from hansa.devnet import anvil
from hansa.protocol.types import JobId

Once = tuple[World, JobId]


@pytest.fixture
def here(world_once: Once, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    monkeypatch.setenv("HANSA_PASSWORD", "secret")
    world_once[0].deployment.save(tmp_path / "deployment.json")
    return tmp_path


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_new_account__is_told_how_and_gets_both(here: Path) -> None:
    assert "`hansa wallet fund nina --dir" in run("wallet", "new", "nina", "--light").stdout
    before = json.loads(run("wallet", "show", "nina", "--json").stdout)
    assert (before["coins"], before["balance"]) == ("0", "0")
    told = run("wallet", "fund", "nina")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("gave nina 0x") and "10 of the chain's coin and 1,000 " in told.stdout
    after = json.loads(run("wallet", "fund", "nina", "--coins", "0.5", "--tokens", "2", "--json").stdout)
    assert (after["coins"], after["balance"]) == (str(105 * 10**17), str(1002 * 10**18))
    assert not (here / "journals").exists(), "nobody's journal is touched"


def test_account__can_be_an_address(here: Path) -> None:
    told = json.loads(run("wallet", "fund", "0x" + "77" * 20, "--json").stdout)
    assert told["address"] == "0x" + "77" * 20 and told["balance"] == str(1000 * 10**18)


def test_other_chain__gives_nothing(here: Path, world_once: Once, monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = world_once
    asked: list[str] = []

    def elsewhere(url: str, method: str, *parameters: Any) -> Any:
        asked.append(method)
        return "0xaa36a7" if method == "eth_chainId" else anvil.rpc(url, method, *parameters)

    monkeypatch.setattr(fund, "rpc", elsewhere)
    told = run("wallet", "fund", world.address("alice"))
    assert told.exit_code == 1 and told.stderr.count("\n") == 1
    assert "chain 11155111 is not a local test chain" in told.stderr and "eth_sendRawTransaction" not in asked


def test_new_account__of_another_chain__is_told_what_it_needs(here: Path, world_once: Once) -> None:
    world_once[0].deployment.updated(chain_id=11155111).save(here / "deployment.json")
    told = run("wallet", "new", "olga", "--light").stdout
    assert "wallet fund" not in told and "needs some of the chain's coin" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--tokens 99999999999", "can't pay a gift of 99,999,999,999"),
        ("--tokens many", "--tokens 'many' is not a number"),
        ("--coins 99999999999", "does not send for the published account"),
        ("--coins -1", "out of range"),
        ("--coins 0 --tokens 0", "nothing would be given; give --coins or --tokens an amount"),
    ],
)
def test_amount__that_can_not_be_given(here: Path, words: str, said: str) -> None:
    told = run("wallet", "fund", "0x" + "66" * 20, *words.split())
    assert told.exit_code == 1 and said in told.stderr, told.output


def test_token_of_others__is_not_given(here: Path, world_once: Once) -> None:
    world, _ = world_once
    world.deployment.updated(token=world.deployment.federation).save(here / "deployment.json")
    told = run("wallet", "fund", "0x" + "66" * 20)
    assert told.exit_code == 1 and "is not our test token" in told.stderr
