"""Keys that come from elsewhere, and the list of those that are here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hansa.cli.main import app
from hansa.runtime.keystore import Keyfile

KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # anvil's published account 0
FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSA_PASSWORD", "secret")


def run(directory: Path, *words: str, given: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["wallet", *words, "--dir", str(directory)], input=given)
    return done.exit_code, done.output


@pytest.mark.parametrize("text", [KEY, f"0x{KEY}\n", f"  {KEY.upper()}  \n"])
def test_import__a_raw_key_from_a_pipe__is_kept_for_its_owner_alone(tmp_path: Path, text: str) -> None:
    code, said = run(tmp_path, "import", "alice", "--light", given=text)
    path = tmp_path / "keys" / "alice.json"
    assert code == 0 and FIRST in said and KEY not in said
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyfile.load(path, "secret").address == FIRST


def test_import__another_keystore__keeps_its_password(tmp_path: Path) -> None:
    made = Keyfile.create(tmp_path / "elsewhere.json", "secret", light=True)
    assert run(tmp_path, "import", "bob", "--file", str(tmp_path / "elsewhere.json"), "--light")[0] == 0
    assert Keyfile.load(tmp_path / "keys" / "bob.json", "secret").key == made.key


@pytest.mark.parametrize("text", ["", "7", KEY[:-1], KEY + "0", "0" * 64, "f" * 64, "x" * 64])
def test_import__what_is_no_key__is_refused_and_never_shown(tmp_path: Path, text: str) -> None:
    code, said = run(tmp_path, "import", "alice", "--light", given=text)
    assert code == 1 and "is not a private key" in said and not (tmp_path / "keys").exists()
    assert len(text) < 2 or text not in said


def test_import__never_overwrites(tmp_path: Path) -> None:
    run(tmp_path, "import", "alice", "--light", given=KEY)
    before = (tmp_path / "keys" / "alice.json").read_text()
    code, said = run(tmp_path, "import", "alice", "--light", given="1" * 64)
    assert code == 1 and "exists" in said
    assert (tmp_path / "keys" / "alice.json").read_text() == before


def test_list__without_a_chain__has_names_and_addresses_and_says_why_no_balances(tmp_path: Path) -> None:
    run(tmp_path, "import", "alice", "--light", given=KEY)
    code, said = run(tmp_path, "list", "--json")
    data = json.loads(said)
    assert code == 0 and data["accounts"] == [{"name": "alice", "address": FIRST}]
    assert "deployment.json" in data["chain_problem"]


def test_list__of_nothing__says_how_to_make_one(tmp_path: Path) -> None:
    assert "hansa wallet new" in run(tmp_path, "list")[1]


def test_new__with_an_empty_password__makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSA_PASSWORD", "")
    code, said = run(tmp_path, "new", "alice", "--light")
    assert code == 1 and "HANSA_PASSWORD is empty" in said
    assert list(tmp_path.rglob("*.json")) == []


def test_list__of_a_keystore_without_an_address__says_when_it_is_known(tmp_path: Path) -> None:
    run(tmp_path, "import", "alice", "--light", given=KEY)
    path = tmp_path / "keys" / "alice.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"address": ""}))
    assert "alice  address known only after opening" in run(tmp_path, "list")[1]
    assert json.loads(run(tmp_path, "list", "--json")[1])["accounts"] == [{"name": "alice", "address": None}]
