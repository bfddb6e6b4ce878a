"""Key files and what follows from a key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from hansa.protocol.errors import BadKey
from hansa.runtime.keystore import Keyfile, encryption_secret

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")


def test_create__can_be_loaded_and_is_private(tmp_path: Path) -> None:
    made = Keyfile.create(tmp_path / "k" / "alice.json", "secret", private_key=KEY, light=True)
    assert made.address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert (tmp_path / "k" / "alice.json").stat().st_mode & 0o777 == 0o600
    assert Keyfile.load(tmp_path / "k" / "alice.json", "secret").key == made.key
    assert Keyfile.address(tmp_path / "k" / "alice.json") == made.address
    assert KEY.hex() not in (tmp_path / "k" / "alice.json").read_text()


def test_create__never_overwrites(tmp_path: Path) -> None:
    Keyfile.create(tmp_path / "a", "x", light=True)
    with pytest.raises(BadKey, match="a key is never overwritten"):
        Keyfile.create(tmp_path / "a", "x", light=True)


def test_load__wrong_password(tmp_path: Path) -> None:
    Keyfile.create(tmp_path / "a", "x", light=True)
    with pytest.raises(BadKey, match="the password of .* is wrong"):
        Keyfile.load(tmp_path / "a", "y")


def test_load__readable_by_others__is_refused(tmp_path: Path) -> None:
    Keyfile.create(tmp_path / "a", "x", light=True)
    (tmp_path / "a").chmod(0o644)
    with pytest.raises(BadKey, match="chmod 600"):
        Keyfile.load(tmp_path / "a", "x")


@pytest.mark.parametrize("text", ["", "[]", "{}", "7", '{"crypto": 3, "version": 3}', '{"version": 9}', "\x00\x01"])
def test_load__not_a_keystore(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    (tmp_path / "a").chmod(0o600)
    with pytest.raises(BadKey, match="is not a"):
        Keyfile.load(tmp_path / "a", "x")
    with pytest.raises(BadKey):
        Keyfile.address(tmp_path / "a")


def test_load__missing(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="can't be read"):
        Keyfile.load(tmp_path / "none", "x")


def test_file__is_keystore_v3(tmp_path: Path) -> None:
    made = Keyfile.create(tmp_path / "a", "x", light=True)
    document = json.loads((tmp_path / "a").read_text())
    assert document["version"] == 3 and document["crypto"]["kdf"] == "scrypt"
    assert Account.decrypt(document, "x") == made.key


def test_encryption_secret__follows_from_the_key_alone() -> None:
    account = Account.from_key(KEY)
    assert encryption_secret(account) == encryption_secret(Account.from_key(KEY))
    assert len(encryption_secret(account)) == 32 and encryption_secret(account) != KEY
    assert encryption_secret(account).hex() == ("037c2133fdda6e8e3df7538eb8718f2a7e21bdbcaaba9ae42fa100c5a7e91268")
