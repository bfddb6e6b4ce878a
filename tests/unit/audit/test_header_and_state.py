"""Headers of every fork, and accounts and slots under them, from strangers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from tries import trie

from hansa.audit.proof.header import FIELDS, QUANTITIES, header_bytes, read_header
from hansa.audit.proof.state import NO_CODE, Account, State, StateProof
from hansa.audit.proof.trie import EMPTY_ROOT, BadProof
from hansa.audit.report import Wrong
from hansa.protocol.types import Address
from hansa.runtime.chain.layout import StorageLayout
from hansa.runtime.transactions.strict_rlp import BadRlp, Item, decode, encode, number_bytes, to_number

LONDON, PARIS, CANCUN = 16, 16, 20  # fields
SHOP, EMPTY, NOBODY = (Address(f"0x{digit * 40}") for digit in "123")
LAYOUT = StorageLayout("Shop", {"Shop": {"count": (0, 0, "uint256"), "item": (1, 0, "Item")},
                                "Item": {"price": (0, 0, "uint96"), "owner": (0, 12, "address")}})  # fmt: skip


def told(fields: int, **changes: Any) -> dict[str, Any]:
    """A block as a node tells it, with so many fields in its hash."""
    values: dict[str, Any] = {name: "0x" + f"{number:02x}" * 32 for number, name in enumerate(FIELDS)}
    values |= {name: hex(1000 + number) for number, name in enumerate(FIELDS) if name in QUANTITIES}
    values |= {"miner": "0x" + "22" * 20, "nonce": "0x" + "00" * 8, "difficulty": "0x0", "extraData": "0x"} | changes
    data = [number_bytes(int(values[n], 16)) if n in QUANTITIES else bytes.fromhex(values[n][2:]) for n in FIELDS]
    return {**values, "hash": "0x" + keccak(encode(list(data[:fields]))).hex(), "size": "0x2", "uncles": []}


# --- headers


@pytest.mark.parametrize("fields", range(15, 22))
def test_header__of_each_fork__has_its_blocks_hash(fields: int) -> None:
    block = told(fields)
    shown = {name: value for name, value in block.items() if name not in FIELDS[fields:]}
    for answer in (block, shown, {**shown, **dict.fromkeys(FIELDS[fields:])}):
        data = header_bytes(answer)
        assert data is not None and "0x" + keccak(data).hex() == block["hash"]
        header = read_header(data)
        assert header.block.hash == keccak(data) and header.block.number == int(block["number"], 16)
        assert header.block.timestamp == int(block["timestamp"], 16)
        assert header.state_root.hex() == block["stateRoot"][2:] and header.block.parent.hex() == "00" * 32


def test_header__of_a_clique__holds_its_signers() -> None:
    signers = "0x" + "00" * 32 + "ab" * 20 * 21 + "cd" * 65
    data = header_bytes(told(15, extraData=signers))
    assert data is not None and read_header(data).block.hash == keccak(data)


@pytest.mark.parametrize(
    "change",
    [
        {"hash": "0x" + "00" * 32},
        {"stateRoot": "0x"},
        {"number": None},
        {"number": "?"},
        {"gasUsed": "0x"},
        {"hash": 1},
    ],
)
def test_header__that_is_not_hashed_so__is_none(change: dict[str, Any]) -> None:
    assert header_bytes({**told(LONDON), **change}) is None


def fields_of(count: int = CANCUN) -> list[Item]:
    data = header_bytes(told(count))
    assert data is not None
    found = decode(data, 1)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode(b"text"),
        encode([]),
        encode(fields_of()[:14]),
        encode([*fields_of(), *[b""] * 20]),
        encode([*fields_of()[:8], [b"\1"], *fields_of()[9:]]),
        encode([*fields_of()[:8], b"\0\1", *fields_of()[9:]]),
        encode([*fields_of()[:8], b"\1" * 9, *fields_of()[9:]]),
        encode([b"\1" * 31, *fields_of()[1:]]),
        encode([*fields_of()[:3], b"\1" * 33, *fields_of()[4:]]),
        encode([*fields_of()[:12], b"\1" * 70_000, *fields_of()[13:]]),
        encode(fields_of()) + b"\0",
        encode(fields_of())[:-1],
    ],
)
def test_header__that_is_none__is_refused(data: bytes) -> None:
    with pytest.raises(BadRlp):
        read_header(data)


# --- state


def proven(words: dict[int, int], *, root: bytes | None = None, account: Item | None = None) -> StateProof:
    """A chain with a shop that holds these words, and an account that holds nothing."""
    storage, slots = trie({slot.to_bytes(32, "big"): encode(number_bytes(word)) for slot, word in words.items()})
    shop: Item = [b"\1", b"", storage, keccak(b"shop")]
    accounts = {SHOP: shop if account is None else account, EMPTY: [b"", b"\5", EMPTY_ROOT, NO_CODE]}
    top, nodes = trie({bytes.fromhex(at[2:]): encode(item) for at, item in accounts.items()})
    header = header_bytes(told(CANCUN, stateRoot="0x" + (root or top).hex()))
    assert header is not None
    return StateProof(header, tuple(sorted({*slots, *nodes})))


WORDS = {0: 5, 1: int(EMPTY, 16) << 96 | 7, **{slot: slot for slot in range(10, 40)}}


def test_state__says_what_is_there() -> None:
    state = State.of(proven(WORDS))
    assert state.block == read_header(proven(WORDS).header).block
    assert {slot: state.word(SHOP, slot) for slot in WORDS} == WORDS
    assert state.word(SHOP, 99) == state.word(EMPTY, 0) == state.word(NOBODY, 0) == 0
    assert state.account(EMPTY) == Account(0, 5, EMPTY_ROOT, NO_CODE) and state.account(NOBODY) is None
    assert state.code_hash(SHOP) == keccak(b"shop") and state.code_hash(NOBODY) == NO_CODE
    state.check_used()
    assert state.proof() == proven(WORDS)


def test_state__gives_on_the_nodes_that_were_needed_alone() -> None:
    state = State.of(proven(WORDS))
    assert state.word(SHOP, 10) == 10 and state.word(SHOP, 99) == 0
    with pytest.raises(BadProof, match="nodes that prove nothing of the job"):
        state.check_used()
    small = State.of(state.proof())
    assert len(state.proof().nodes) < len(proven(WORDS).nodes)
    assert small.word(SHOP, 10) == 10 and small.word(SHOP, 99) == 0
    small.check_used()
    with pytest.raises(BadProof, match="is missing"):
        [small.word(SHOP, slot) for slot in WORDS]


def test_state__nodes_of_another__prove_nothing() -> None:
    one, other = proven(WORDS), proven({**WORDS, 10: 11})
    for mixed in (replace(one, header=other.header), replace(one, nodes=other.nodes)):
        with pytest.raises(BadProof, match="is missing"):
            State.of(mixed).word(SHOP, 10)
    both = State.of(StateProof(one.header, tuple(sorted({*one.nodes, *other.nodes}))))
    assert both.word(SHOP, 10) == 10, "whatever else is there"
    with pytest.raises(BadProof, match="prove nothing"):
        both.check_used()


def test_state__nodes_twice_or_out_of_order__are_refused() -> None:
    proof = proven(WORDS)
    for nodes in (proof.nodes[::-1], (proof.nodes[0], *proof.nodes)):
        with pytest.raises(BadProof, match="twice, or out of order"):
            State.of(replace(proof, nodes=nodes))


@pytest.mark.parametrize(
    "account",
    [
        b"",
        [b"\1", b"", EMPTY_ROOT],
        [b"\1", b"", EMPTY_ROOT, NO_CODE, b""],
        [b"\1", b"", EMPTY_ROOT[1:], NO_CODE],
        [b"\1", [b""], EMPTY_ROOT, NO_CODE],
        [b"\0\1", b"", EMPTY_ROOT, NO_CODE],
    ],
)
def test_account__that_is_none__is_refused(account: Item) -> None:
    with pytest.raises(BadRlp):
        State.of(proven(WORDS, account=account or [b""])).word(SHOP, 0)


def test_require__names_the_first_value_that_differs() -> None:
    state, item = State.of(proven(WORDS)), {"price": 7, "owner": EMPTY}
    assert state.require(SHOP, LAYOUT, {"count": 5, "item": item}) == 2
    assert state.require(SHOP, LAYOUT, {"count": 5, "item": {**item, "owner": None}}) == 2
    with pytest.raises(Wrong, match=r"Shop's item.price: expected 8, found 7"):
        state.require(SHOP, LAYOUT, {"count": 5, "item": {**item, "price": 8}})
    with pytest.raises(Wrong, match=r"Shop's item.owner: expected 0x3333.*, found 0x2222"):
        state.require(SHOP, LAYOUT, NOBODY, "item", "owner")
    beyond = State.of(proven({0: 5, 1: WORDS[1]}))
    wider = StorageLayout("Shop", {"Shop": {"item": (1, 0, "Item")}, "Item": {"price": (0, 0, "uint96")}})
    with pytest.raises(Wrong, match=r"Shop's item, slot 0x0*1: expected 0x0*7, found 0x0*2222"):
        beyond.require(SHOP, wider, {"price": 7}, "item")


# --- RLP


@pytest.mark.parametrize("data", [b"", b"\x81\x01", b"\xb8\x01\x80", b"\xc1", b"\xc0\xc0", b"\x83ab", b"\xf8\x00"])
def test_rlp__that_nobody_would_write__is_refused(data: bytes) -> None:
    with pytest.raises(BadRlp):
        decode(data, 5)


def test_rlp__deeper_than_asked_for__is_refused() -> None:
    assert decode(encode([[b"a"]]), 2) == [[b"a"]]
    for deepest in (0, 1):
        with pytest.raises(BadRlp, match="too deep"):
            decode(encode([[b"a"]]), deepest)
    with pytest.raises(BadRlp):
        decode(b"\xc1" * 50_000 + b"\xc0", 6)


@pytest.mark.parametrize("item", [[], b"\0", b"\0\1", b"\1" * 33])
def test_number__that_is_none__is_refused(item: Item) -> None:
    with pytest.raises(BadRlp):
        to_number(item)
