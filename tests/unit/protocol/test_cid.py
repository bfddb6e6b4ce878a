"""CIDs: text, digest, and what is refused."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.protocol import cid
from hansa.protocol.cid import NO_DIGEST, digest_of, from_cid, to_cid
from hansa.protocol.errors import Malformed

KUBO = json.loads((Path(__file__).parents[2] / "vectors" / "kubo.json").read_text())["cids"]
EMPTY = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"  # `ipfs add` of an empty file


def test_digest_of__empty_file__is_what_ipfs_says() -> None:
    assert to_cid(digest_of(b"")) == EMPTY


@given(st.binary(min_size=32, max_size=32))
def test_text_and_digest__any_digest__round_trip(digest: bytes) -> None:
    text = to_cid(digest)
    assert text.startswith("Qm") and len(text) == 46
    assert from_cid(text) == digest


@pytest.mark.parametrize("fact", KUBO, ids=lambda fact: f"{fact['size']} in {fact['chunk']}")
def test_digest_of__one_chunk_to_three_levels__is_what_kubo_says(fact: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cid, "CHUNK", fact["chunk"])  # smaller, where full ones would take gigabytes
    data = hashlib.shake_128(b"hansa").digest(fact["size"])
    assert to_cid(digest_of(data)) == to_cid(digest_of(bytearray(data))) == fact["cid"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Qm",
        EMPTY[:-1],
        EMPTY + "1",
        " " + EMPTY[1:],
        "0" + EMPTY[1:],
        "1" * 46,
        "z" * 46,
        "Q" * 46,
        "é" * 46,
        "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y",
        "Q" * 10**6,
    ],
)
def test_from_cid__anything_else__is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        from_cid(text)
    assert len(str(caught.value)) < 300


@given(st.text(max_size=50))
def test_from_cid__any_text__is_a_digest_or_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert to_cid(from_cid(text)) == text


def test_to_cid__wrong_length__is_refused() -> None:
    with pytest.raises(ValueError):
        to_cid(bytes(31))
    assert to_cid(NO_DIGEST) == "QmNLei78zWmzUdbeRB3CiUfAizWUrbeeZh5K1rhAQKCh51"
