"""deployment.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hansa.protocol.errors import FatalError
from hansa.runtime.chain.deployment import Allowed, Deployment

LOWER = "0x" + "ab" * 20


def fields(**changes: Any) -> dict[str, Any]:
    known = {
        "name": "test",
        "chain_id": 31337,
        "rpc": ["http://127.0.0.1:8545"],
        "federation": LOWER,
        "vault": LOWER,
        "token": LOWER,
        "admission": LOWER,
        "first_block": 3,
        "store": {"kind": "local", "path": "store"},
    }
    return {**known, **changes}


def test_saved__loads_as_it_was(tmp_path: Path) -> None:
    made = Deployment(**fields(allowed=Allowed(tokens=[LOWER], tasks=["heart"])))
    made.save(tmp_path / "d" / "deployment.json")
    assert Deployment.load(tmp_path / "d" / "deployment.json") == made
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["deployment.json"]


def test_addresses__are_checksummed() -> None:
    assert Deployment(**fields()).federation == "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"federation": "0x12"}, "federation: .*an address is 0x and 40"),
        ({"vault": "0x15d34aAf54267DB7D7c367839AAf71A00a2C6A65"}, "vault: .*its checksum is wrong"),
        ({"rpc": []}, "rpc"),
        ({"chain_id": 0}, "chain_id"),
        ({"first_block": -1}, "first_block"),
        ({"surprise": 1}, "surprise"),
        ({"allowed": {"tokens": ["x"]}}, "allowed.tokens.0"),
    ],
)
def test_load__names_the_field_that_is_wrong(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    (tmp_path / "x").write_text(json.dumps(fields(**changes)))
    with pytest.raises(FatalError, match=says):
        Deployment.load(tmp_path / "x")


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_load__not_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(FatalError, match="is not a deployment"):
        Deployment.load(tmp_path / "x")


def test_load__missing(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="can't be read"):
        Deployment.load(tmp_path / "none")


def test_updated__is_checked() -> None:
    assert Deployment(**fields()).updated(confirmations=3).confirmations == 3
    with pytest.raises(ValueError, match="confirmations"):
        Deployment(**fields()).updated(confirmations=-3)
