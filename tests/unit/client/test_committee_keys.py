"""Whom a trainer seals to: a quorum of usable keys, and no other than the pinned ones."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desks import GivenJob, desk_of

from client.committee_keys import CommitteeKeys, read_pinned_keys
from hansa.protocol.envelope import public_key
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, CycleId

AMY, BEN, CYD = (Address("0x" + digit * 40) for digit in "123")
KEYS = tuple(public_key(bytes([number]) * 32) for number in (1, 2, 3))
PINNED = dict(zip((AMY, BEN, CYD), KEYS, strict=True))
LOW_ORDER = bytes(32)


def accepts(path: Path, keys: tuple[bytes | None, ...], pinned: Any = None, quorum: int = 2, **spec: Any) -> bool:
    of = SimpleNamespace(**{"privacy": "committee", "shares": 0, **spec})
    context = SimpleNamespace(terms=SimpleNamespace(quorum=quorum), spec=of)
    looks = CommitteeKeys(desk_of(path, GivenJob(path, context=context)), pinned)
    return looks.accept(cast(Any, SimpleNamespace(cycle=CycleId(3), committee=(AMY, BEN, CYD), keys=keys)))


@pytest.mark.parametrize(
    ("keys", "fine"),
    [
        (KEYS, True),
        ((KEYS[0], None, KEYS[2]), True),
        ((KEYS[0], None, None), False),
        ((KEYS[0], LOW_ORDER, None), False),
        ((None, None, None), False),
    ],
)
def test_keys__of_a_quorum__are_needed(tmp_path: Path, keys: Any, fine: bool) -> None:
    assert accepts(tmp_path, keys) is fine


def test_keys__of_as_many_as_open_a_masked_sum__are_needed_there(tmp_path: Path) -> None:
    two, one = (KEYS[0], None, KEYS[2]), (KEYS[0], None, None)
    assert accepts(tmp_path / "a", two, quorum=3, privacy="masked", shares=2)
    assert not accepts(tmp_path / "b", one, quorum=3, privacy="masked", shares=2)
    assert not accepts(tmp_path / "c", two, quorum=3, privacy="threshold", shares=3)


def test_keys__that_are_not_the_pinned_ones__are_refused(tmp_path: Path) -> None:
    assert accepts(tmp_path / "a", KEYS, PINNED)
    assert accepts(tmp_path / "b", (KEYS[0], None, KEYS[2]), PINNED), "who has no key reads nothing"
    assert not accepts(tmp_path / "c", (KEYS[0], KEYS[1], KEYS[1]), PINNED)
    assert not accepts(tmp_path / "d", KEYS, {AMY: KEYS[0], BEN: KEYS[1]}), "a member that the file does not know"


def test_file__is_read_by_account_whatever_its_letters(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    account = "0x" + "ab" * 20
    file.write_text(json.dumps({account.upper().replace("X", "x"): "0x" + KEYS[0].hex()}))
    [(named, key)] = read_pinned_keys(file).items()
    assert named.lower() == account and key == KEYS[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is not JSON"),
        ("{}", "no keys by account"),
        ("[1]", "no keys by account"),
        ('{"amy": "0x00"}', "'amy' is no account's address"),
        (json.dumps({AMY: "0x1234"}), "has no X25519 key"),
        (json.dumps({AMY: "0x" + bytes(32).hex()}), "has no X25519 key"),
        (json.dumps({AMY: 5}), "has no X25519 key"),
        (json.dumps({AMY: None}), "has no X25519 key"),
    ],
)
def test_file__that_is_none__is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(FatalError, match=says) as error:
        read_pinned_keys(file)
    assert "keys.json" in str(error.value)


def test_file__that_is_missing__is_named(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="nothing.json: No such file"):
        read_pinned_keys(tmp_path / "nothing.json")
