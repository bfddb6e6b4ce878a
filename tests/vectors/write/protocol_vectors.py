"""Writes tests/vectors/protocol.json: facts on which Python, Solidity and the web page must agree.

`python tests/vectors/write/protocol_vectors.py` writes it, `--check` says whether the committed file is what would be
written. Bytes are 0x-hex; whatever can pass 2⁵³ is a decimal string.
"""

from __future__ import annotations

import sys
from typing import Final

import numpy as np
from cycle_facts import CHAIN_ID, ENTRIES, FEDERATION, JOB, Facts, account, cycles, hexed, word
from numpy.typing import NDArray
from vector_file import VECTORS, write_or_check

from hansa.protocol import envelope, sheet
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.model import Update, initial_model, quantise
from hansa.protocol.spec import JobSpec
from hansa.protocol.tally import tally
from hansa.protocol.types import Code, CycleId, Place
from hansa.runtime.amounts import fixed

PATH: Final = VECTORS / "protocol.json"


def make() -> Facts:
    """All vectors."""
    return {
        "cycles": cycles(),
        "sheet_bytes": sheet_bytes(),
        "tallies": tallies(),
        "commitments": commitments(),
        "rewards": [rewards(n) for n in (1, 2, 3, 7)],
        "cids": cids(),
        "spec": spec(),
        "files": files(),
        "decimals": decimals(),
    }


def sheet_bytes() -> list[Facts]:
    """`read` is what every reader makes of the bytes; the last sheet is what a hostile member may reveal."""
    hostile = b"\x05" + bytes(12) + b"\x02" + b"\x01" * 12 + b"\x00" + b"\x7f" + b"\xff" * 5 + b"\x80" + bytes(5)
    texts = [b"", sheet.encode_sheet(ENTRIES), hostile]
    return [
        {"bytes": hexed(text), "read": [[int(code), str(gain), str(news)] for code, gain, news in read(text)]}
        for text in texts
    ]


def read(text: bytes) -> list[sheet.Entry]:
    return sheet.decode_sheet(text, len(text) // sheet.ENTRY_BYTES)


def tallies() -> list[Facts]:
    """own: by sheet, the place of the member's own update, on which it has no say."""
    good, better = sheet.Entry(Code.OK, 10, 4), sheet.Entry(Code.OK, 30, -8)
    bad, lost = sheet.Entry(Code.MALFORMED), sheet.Entry(Code.UNREACHABLE)
    cases: list[tuple[int, list[list[sheet.Entry]], list[int | None]]] = [
        (3, [[good, bad], [better, bad], [bad, good]], [None, None, None]),
        (3, [[better, good], [good, better], [good, better]], [0, None, None]),  # the others suffice
        (3, [[good, good], [good, better], [bad, good]], [0, None, None]),  # its own word is missing
        (3, [[good, good], [bad, good], [bad, good]], [0, 1, None]),
        (4, [[good, good], [good, good], [good, good], [lost, bad]], [0, None, None, 1]),  # half of the seats
        (1, [[good, good]], [0]),
    ]
    return [
        {
            "seats": seats,
            "sheets": [hexed(sheet.encode_sheet(entries)) for entries in sheets],
            "own": own,
            "judged": [[int(j.code), str(j.gain), str(j.news)] for j in tally(without(sheets, own), seats, 2)],
        }
        for seats, sheets, own in cases
    ]


def without(sheets: list[list[sheet.Entry]], own: list[int | None]) -> list[list[sheet.Entry | None]]:
    return [
        [None if i == place else entry for i, entry in enumerate(entries)]
        for entries, place in zip(sheets, own, strict=True)
    ]


def commitments() -> list[Facts]:
    facts = []
    for name, entries in (("empty", []), ("six", ENTRIES)):
        member, salt = account(name), word(name)
        text, cycle = sheet.encode_sheet(entries), CycleId(2**64 - 1)
        commitment = sheet.commitment(Place(CHAIN_ID, FEDERATION, JOB, cycle), member, text, salt)
        facts.append(
            {
                "chain_id": CHAIN_ID,
                "federation": FEDERATION,
                "job": str(JOB),
                "cycle": str(cycle),
                "member": member,
                "sheet": hexed(text),
                "salt": hexed(salt),
                "commitment": hexed(commitment),
            }
        )
    return facts


def rewards(n: int) -> Facts:
    """The rewards tree of n trainers."""
    leaves = [
        Leaf(account(f"trainer {i}"), pay=i * 10**20 + 1, strike=int(i == 2), reputation=1000 * i) for i in range(n)
    ]
    tree = RewardsTree(leaves)
    return {
        "root": hexed(tree.root),
        "leaves": [
            {
                "trainer": leaf.trainer,
                "pay": str(leaf.pay),
                "strike": leaf.strike,
                "reputation": leaf.reputation,
                "hash": hexed(leaf.hash),
                "proof": [hexed(node) for node in tree.proof(leaf.trainer)],
            }
            for leaf in leaves
        ],
    }


def cids() -> list[Facts]:
    """CIDs of `text` repeated and cut to `length`: empty, small, around one 256 KiB block, more than 174 blocks."""
    facts = []
    for length in (0, 1, 1000, 262_144, 262_145, 1_000_000, 50_000_000):
        digest = digest_of(repeated("hansa ", length))
        facts.append({"text": "hansa ", "length": length, "cid": to_cid(digest), "digest": hexed(digest)})
    return facts


def repeated(text: str, length: int) -> bytes:
    return (text.encode() * (length // len(text) + 1))[:length]


def decimals() -> list[Facts]:
    """Numbers as they are shown: rounded half to even, both ways of zero."""
    facts = []
    for units, digits, places in (
        *(
            (sign * units, 6, 3)
            for units in (0, 499, 500, 501, 1500, 4_707_500, 4_708_500, 4_707_501)
            for sign in (1, -1)
        ),
        *((units, 9, 4) for units in (327_649_999, 327_650_000, 327_550_000, 812_450_000, 999_950_000, -1_000_050_000)),
    ):
        text = fixed(units, digits, places)
        facts.append({"units": str(units), "decimals": digits, "places": places, "text": text})
    return facts


def spec() -> Facts:
    example = JobSpec(
        task="heart",
        settings={"batch": 4, "names": ["é", "b"], "nested": [1, [True, "a"]]},
        steps=100,
        model_bytes=4096,
        update_bytes=2048,
        title="Beats, é",
        about="Three hospitals",
        metric="accuracy",
        frozen={"encoder": "ab" * 32},
    )
    first = JobSpec(version=1, task="heart", steps=1, model_bytes=1, update_bytes=1)
    return {
        "text": example.encode().decode(),
        "cid": to_cid(digest_of(example.encode())),
        "version_1": first.encode().decode(),
    }


def files() -> Facts:
    """A model, an update to it and its envelope, made from secrets that anybody may know."""
    tensors: dict[str, NDArray[np.float32]] = {
        "w": np.array([[-0.75, -0.5, -0.25], [0.0, 0.25, 0.5]], np.float32),
        "b": np.array([0.5], np.float32),
    }
    model = initial_model(tensors, bits=8)
    base, trainer, cycle = digest_of(model.encode()), account("trainer 0"), CycleId(12345678901234567)
    update = Update(quantise(tensors, model), JOB, cycle, trainer).encode()
    secrets = [word(f"secret {seat}") for seat in range(3)]
    members = [envelope.public_key(secrets[0]), None, envelope.public_key(secrets[2])]
    place, key = Place(CHAIN_ID, FEDERATION, JOB, cycle), word("content key")
    ctx = envelope.context(place, trainer, base)
    sealed = envelope.seal(update, key, ctx, members)
    return {
        "model": hexed(model.encode()),
        "model_cid": to_cid(base),
        "job": str(JOB),
        "cycle": str(cycle),
        "trainer": trainer,
        "update": hexed(update),
        "key": hexed(key),
        "context": hexed(ctx),
        "secrets": [hexed(secret) for secret in secrets],
        "members": [hexed(member) if member else None for member in members],
        "envelope": hexed(sealed),
        "envelope_cid": to_cid(digest_of(sealed)),
    }


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:]))
