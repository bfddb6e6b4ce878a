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


def test_password__that_is_empty__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="is empty: it would protect nothing"):
        Keyfile.create(tmp_path / "a", "", light=True)
    assert not (tmp_path / "a").exists()
    (tmp_path / "b").write_text(json.dumps(Account.encrypt(KEY, "", kdf="scrypt", iterations=4096)))
    (tmp_path / "b").chmod(0o600)
    with pytest.raises(BadKey, match="is empty: it would protect nothing"):
        Keyfile.load(tmp_path / "b", "")


def changed(path: Path, **fields: object) -> None:
    """Gives a keystore other fields; None takes one away."""
    known = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({name: value for name, value in known.items() if value is not None}))


def test_address__that_is_not_the_keys__is_refused_by_name(tmp_path: Path) -> None:
    made = Keyfile.create(tmp_path / "a", "x", private_key=KEY, light=True)
    changed(tmp_path / "a", address="ab" * 20)
    with pytest.raises(BadKey, match=f"a says that it is for 0x{'ab' * 20}: its key is that of {made.address}"):
        Keyfile.load(tmp_path / "a", "x")


@pytest.mark.parametrize("stated", ["0x{}", "{}"])
def test_address__in_each_spelling_is_the_keys(tmp_path: Path, stated: str) -> None:
    made = Keyfile.create(tmp_path / "a", "x", private_key=KEY, light=True)
    for digits in (made.address[2:], made.address[2:].lower(), made.address[2:].upper()):
        changed(tmp_path / "a", address=stated.format(digits))
        assert Keyfile.load(tmp_path / "a", "x").address == Keyfile.address(tmp_path / "a") == made.address


@pytest.mark.parametrize("stated", ["", None])
def test_address__that_a_file_does_not_say__is_its_keys(tmp_path: Path, stated: str | None) -> None:
    made = Keyfile.create(tmp_path / "a", "x", private_key=KEY, light=True)
    changed(tmp_path / "a", address=stated)
    assert Keyfile.load(tmp_path / "a", "x").address == made.address
    assert Keyfile.address(tmp_path / "a") is None


@pytest.mark.parametrize("stated", ["0x12", 7, ["ab" * 20], "zz" * 20])
def test_address__that_is_none__is_refused(tmp_path: Path, stated: object) -> None:
    Keyfile.create(tmp_path / "a", "x", private_key=KEY, light=True)
    changed(tmp_path / "a", address=stated)
    with pytest.raises(BadKey, match="is not a keystore V3 file: its address is none"):
        Keyfile.load(tmp_path / "a", "x")
