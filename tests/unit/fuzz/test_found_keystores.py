"""Faults that fuzzing found, one test each: key files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from hansa.protocol.errors import BadKey, WrongPassword
from hansa.runtime.keystore import Keyfile


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 2**40},
        {"n": 2**20, "r": 2**20},
        {"p": 2**30},
        {"dklen": 2**40},
        {"c": 2**40, "prf": "hmac-sha256"},
        {"dklen": 8},
    ],
)
def test_key_file__that_asks_for_too_much__or_too_little__is_refused_at_once(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    path = tmp_path / "key.json"
    document = Account.encrypt(b"\1" * 32, "password", kdf="pbkdf2" if "c" in changes else "scrypt", iterations=2)
    document["crypto"]["kdfparams"] |= changes
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    with pytest.raises(BadKey, match="key.json"):
        Keyfile.load(path, "password")


@pytest.mark.parametrize("value", [0, -1, True, False, None, 1.0, 0.0, "2", [2], {}])
@pytest.mark.parametrize("name", ["n", "r", "p", "c", "dklen"])
def test_key_file__whose_cost_is_no_whole_number__is_refused_by_name(tmp_path: Path, name: str, value: object) -> None:
    kdf = "pbkdf2" if name == "c" else "scrypt"
    document = Account.encrypt(b"\1" * 32, "password", kdf=kdf, iterations=2)
    document["crypto"]["kdfparams"][name] = value
    with pytest.raises(BadKey, match=f"key.json is not a keystore V3 file: {name} of its {kdf} is no whole number"):
        Keyfile.load(written(tmp_path / "key.json", document), "password")


@pytest.mark.parametrize(
    "changes, kdf",
    [
        ({"n": 2, "r": 8, "p": 2**20}, "scrypt"),
        ({"n": 2, "r": 2**20, "p": 1}, "scrypt"),
        ({"c": 2**23, "dklen": 1024}, "pbkdf2"),
    ],
)
def test_key_file__whose_cost_is_that_of_another_part__is_refused_at_once(
    tmp_path: Path, changes: dict[str, int], kdf: Any
) -> None:
    document = Account.encrypt(b"\1" * 32, "password", kdf=kdf, iterations=2)
    document["crypto"]["kdfparams"] |= changes
    with pytest.raises(BadKey, match="would take more to open"):
        Keyfile.load(written(tmp_path / "key.json", document), "password")


def test_key_file__whose_names_are_in_other_letters__is_checked_all_the_same(tmp_path: Path) -> None:
    document = Account.encrypt(b"\1" * 32, "password", kdf="scrypt", iterations=2)
    document["CRYPTO"] = {name.title(): value for name, value in document.pop("crypto").items()}
    assert bytes(Keyfile.load(written(tmp_path / "key.json", document), "password").key) == b"\1" * 32
    document["CRYPTO"]["Kdfparams"]["dKLEN"] = document["CRYPTO"]["Kdfparams"].pop("dklen") * 2**40
    with pytest.raises(BadKey, match="would take more to open"):
        Keyfile.load(written(tmp_path / "key.json", document), "password")


@pytest.mark.parametrize(
    "changes, kdf",
    [
        ({"n": 4096, "p": 6}, "scrypt"),  # geth --lightkdf
        ({"n": 8192, "r": 8, "p": 1}, "scrypt"),
        ({"n": 1024, "r": 8, "p": 16}, "scrypt"),
        ({"c": 10_240}, "pbkdf2"),
        ({"c": 262_144}, "pbkdf2"),
    ],
)
def test_key_file__of_a_cost_that_wallets_write__is_opened(tmp_path: Path, changes: dict[str, int], kdf: Any) -> None:
    document = Account.encrypt(b"\1" * 32, "password", kdf=kdf, iterations=2)
    document["crypto"]["kdfparams"] |= changes
    with pytest.raises(WrongPassword):  # it is derived, by another cost than it was made with
        Keyfile.load(written(tmp_path / "key.json", document), "password")


def test_key_file__of_objects_within_objects__is_refused_by_name(tmp_path: Path) -> None:
    for depth in (100, 200, 300, 400, 600, 900):
        document = Account.encrypt(b"\1" * 32, "password", kdf="scrypt", iterations=2)
        path = written(tmp_path / "key.json", document)
        path.write_text(path.read_text()[:-1] + ', "deep": ' + '{"a":' * depth + "1" + "}" * depth + "}")
        try:
            Keyfile.load(path, "password")
        except BadKey as error:
            assert "key.json" in str(error)


def written(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path
