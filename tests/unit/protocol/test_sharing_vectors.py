"""The committed vectors of shared updates are what the code gives, and what their format says."""

from __future__ import annotations

import hashlib
import json

import sharing_vectors
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from facts import unhex
from vector_file import text_of

from hansa.protocol import release, shared_envelope
from hansa.protocol.types import Seat

FACTS = json.loads(sharing_vectors.PATH.read_text(encoding="utf-8"))


def test_committed_file__is_what_the_script_writes() -> None:
    assert sharing_vectors.PATH.read_text(encoding="utf-8") == text_of(sharing_vectors.make())


def hkdf(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def times(a: int, b: int) -> int:
    """In GF(2⁸) modulo 0x11B, bit by bit."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def test_format__is_the_one_that_is_written_down() -> None:
    """Taken apart here, with nothing of the code that made it."""
    ctx, key, file = (unhex(FACTS[name]) for name in ("context", "key", "envelope"))
    line = hkdf(key, b"hansa share" + ctx + b"\1")
    shares = [bytes(k ^ times(c, seat + 1) for k, c in zip(key, line, strict=True)) for seat in range(3)]
    assert [unhex(share) for share in FACTS["shares"]] == shares
    hashes = [hashlib.sha256(b"hansa share" + ctx + bytes([seat]) + shares[seat]).digest() for seat in range(3)]
    assert file[:8] == b"hansa2\3\2"
    assert file[8:200] == ctx
    assert file[200:232] == hkdf(key, b"hansa commitment" + ctx)
    assert file[264:360] == b"".join(hashes)
    assert file[360:504][48:96] == bytes(48), "seat 1 has no key"
    assert AESGCM(key).decrypt(bytes(12), file[504:], ctx) == unhex(FACTS["update"])


def test_shares__of_both_seats_open_it() -> None:
    ctx, file = unhex(FACTS["context"]), unhex(FACTS["envelope"])
    members = [unhex(member) if member else None for member in FACTS["members"]]
    shares = {
        Seat(seat): shared_envelope.open_box(file, ctx, Seat(seat), unhex(FACTS["secrets"][seat]), members, FACTS["t"])
        for seat in (0, 2)
    }
    opened = shared_envelope.open_with_shares(file, ctx, shares, members, FACTS["t"])
    assert (bytes(opened.update), opened.key) == (unhex(FACTS["update"]), unhex(FACTS["key"]))


def test_releases__are_read_by_either_seat() -> None:
    members = [unhex(member) if member else None for member in FACTS["members"]]
    for fact in FACTS["releases"]:
        ctx = unhex(fact["context"])
        last = keccak(b"hansa release" + int(fact["updates"]).to_bytes(16, "big"))
        place = [FACTS["chain_id"], FACTS["federation"], int(FACTS["job"]), int(FACTS["cycle"])]
        types = ["uint256", "address", "uint256", "uint64", "address", "bytes32"]
        assert ctx == encode(types, [*place, fact["member"], last])
        for seat in (0, 2):
            secret = unhex(FACTS["secrets"][seat])
            entries = release.read(unhex(fact["file"]), ctx, Seat(seat), secret, members, 3)
            assert [bytes([entry.said]) + entry.share for entry in entries] == [unhex(e) for e in fact["entries"]]
