"""Slots and words of a contract, from the compiler's layout; tests/integration/test_proofs.py asks a chain."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.bytecode import filled, runtime_code
from hansa.runtime.chain.layout import StorageLayout, Word, storage_layout

ALICE = "0x00000000000000000000000000000000000A11cE"
LAYOUT = StorageLayout(
    "Shop",
    {
        "Shop": {"count": (0, 0, "uint256"), "_items": (1, 0, "uint256 => address => Item"), "open": (2, 3, "bool")},
        "Item": {
            "price": (0, 0, "uint96"),
            "owner": (0, 12, "address"),
            "mark": (1, 0, "Mark"),
            "notes": (2, 0, "bytes32 => uint256"),
        },
        "Mark": {"best": (0, 0, "int64"), "sold": (0, 8, "bool"), "tag": (0, 9, "bytes4")},
    },
)
ITEM = {"price": 7, "owner": ALICE, "mark": {"best": -1, "sold": True, "tag": b"\1\2\3\4"}}
WORDS = (int(ALICE, 16) << 96 | 7, 0x01020304 << 72 | 1 << 64 | 2**64 - 1)


def item_slot(number: int = 5) -> int:
    inner = keccak(encode(["uint256", "uint256"], [number, 1]))
    return int.from_bytes(keccak(encode(["address", "bytes32"], [ALICE, inner])), "big")


def test_slot__of_a_member_and_of_mappings() -> None:
    assert LAYOUT.slot("count") == 0 and LAYOUT.slot("open") == 2
    assert LAYOUT.slot("_items", 5, ALICE) == LAYOUT.slot("_items", 5, ALICE, "owner") == item_slot()
    assert LAYOUT.slot("_items", 5, ALICE, "mark", "sold") == item_slot() + 1
    noted = keccak(b"\7" * 32 + (item_slot() + 2).to_bytes(32, "big"))
    assert LAYOUT.slot("_items", 5, ALICE, "notes", b"\7" * 32) == int.from_bytes(noted, "big")


def test_pack__whole_struct__knows_every_bit() -> None:
    packed = LAYOUT.pack(ITEM, "_items", 5, ALICE)
    assert packed == {item_slot(): Word(WORDS[0]), item_slot() + 1: Word(WORDS[1])}
    assert not packed[item_slot() + 1].fits(WORDS[1] | 1 << 255), "a bit that no member has"


def test_pack__none__is_any_value() -> None:
    packed = LAYOUT.pack({**ITEM, "price": None, "mark": None}, "_items", 5, ALICE)
    assert packed[item_slot()].fits(WORDS[0] + 1) and not packed[item_slot()].fits(WORDS[0] ^ 1 << 96)
    assert packed[item_slot() + 1].fits(WORDS[1]) and not packed[item_slot() + 1].fits(1 << 255)


def test_pack__one_member__knows_its_bits_alone() -> None:
    packed = LAYOUT.pack(True, "open")
    assert packed == {2: Word(1 << 24, 255 << 24)}
    assert LAYOUT.pack(-2, "_items", 5, ALICE, "mark", "best") == {item_slot() + 1: Word(2**64 - 2, 2**64 - 1)}


def test_unpack__gives_what_was_packed() -> None:
    words = {slot: word.value for slot, word in LAYOUT.pack(ITEM, "_items", 5, ALICE).items()}
    assert LAYOUT.unpack(words, "_items", 5, ALICE) == ITEM
    assert LAYOUT.unpack(words, "_items", 5, ALICE, "mark", "tag") == b"\1\2\3\4"


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_pack__of_unpacked__is_the_words_but_for_unused_bits(one: int, other: int) -> None:
    words = {item_slot(): one, item_slot() + 1: other & (2**104 - 1) & ~(254 << 64)}
    packed = LAYOUT.pack(LAYOUT.unpack(words, "_items", 5, ALICE), "_items", 5, ALICE)
    assert {slot: word.value for slot, word in packed.items()} == words


@pytest.mark.parametrize(
    "path", [("nothing",), ("count", 1), ("_items", 5, ALICE, "nothing"), ("_items", 5), ("_items",), (5,)]
)
def test_place__that_is_none__is_named(path: tuple[Any, ...]) -> None:
    with pytest.raises(KeyError, match="Shop"):
        LAYOUT.pack(1, *path)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (2**256, ("count",)),
        (-1, ("count",)),
        (1, ("open",)),
        (2**96, ("_items", 5, ALICE, "price")),
        (2**63, ("_items", 5, ALICE, "mark", "best")),
        (-(2**63) - 1, ("_items", 5, ALICE, "mark", "best")),
        (b"\1", ("_items", 5, ALICE, "mark", "tag")),
        ("0x12", ("_items", 5, ALICE, "owner")),
        (0, ("_items", -1, ALICE)),
        (0, ("_items", 5, "0x12")),
        (0, ("_items", 5, ALICE, "notes", b"short")),
    ],
)
def test_value__that_does_not_fit__is_refused(value: Any, path: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="is no"):
        LAYOUT.pack(value, *path)


def test_struct__with_another_member_or_without_one__is_refused() -> None:
    with pytest.raises(KeyError, match=r"_items\[5\]\[0x.*\].colour"):
        LAYOUT.pack({**ITEM, "colour": 1}, "_items", 5, ALICE)
    with pytest.raises(KeyError, match="price"):
        LAYOUT.pack({"owner": ALICE, "mark": ITEM["mark"]}, "_items", 5, ALICE)


def test_name__reads_like_solidity() -> None:
    assert LAYOUT.name(("_items", 5, ALICE, "mark", "best")) == f"_items[5][{ALICE}].mark.best"
    assert LAYOUT.name(("count",)) == "count"


@pytest.mark.parametrize("name", ["Federation", "Vault"])
def test_committed_layout__has_no_two_members_on_one_bit(name: str) -> None:
    layout = storage_layout(name)
    assert set(layout.structs) > {name}
    for struct in layout.structs:
        taken: dict[int, int] = {}
        for leaf in StorageLayout(struct, layout.structs).leaves():
            ones = (2**leaf.bits - 1) << leaf.shift
            assert ones < 2**256 and not taken.get(leaf.slot, 0) & ones, leaf
            taken[leaf.slot] = taken.get(leaf.slot, 0) | ones


@pytest.mark.parametrize("name", ["Federation", "Vault", "Terms", "AppointedCommittee"])
def test_code__has_its_addresses_and_no_others(name: str) -> None:
    gaps = [*artifact(name).immutables, *artifact(name).links]
    values = {gap: bytes([number]) * 20 for number, gap in enumerate(gaps, 1)}
    code = runtime_code(name, values)
    assert filled(name, code) == values
    assert filled(name, code[:-1]) is filled(name, code + b"\0") is filled(name, b"") is None
    empty = runtime_code(name, {gap: bytes(20) for gap in gaps})
    for place in (place for place in range(0, len(code), 97) if code[place] == empty[place]):
        other = code[:place] + bytes([code[place] ^ 1]) + code[place + 1 :]
        assert filled(name, other) != values, place


def test_code__with_an_address_in_one_of_its_places_alone__is_not_ours() -> None:
    values = dict.fromkeys((*artifact("Federation").immutables, *artifact("Federation").links), b"\1" * 20)
    code = bytearray(runtime_code("Federation", values))
    code[artifact("Federation").immutables["vault"][-1] + 31] ^= 1
    assert filled("Federation", bytes(code)) is None
