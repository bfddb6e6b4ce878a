"""Four cycles of one job, as `protocol_vectors.py` writes them; and what its other facts are made of."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from eth_utils.address import to_checksum_address

from hansa.protocol import hashes, links, sheet
from hansa.protocol.types import Address, Code, CycleId, Digest, JobId, Phase, Place, Seat, Timestamp

CHAIN_ID: Final = 31337
JOB: Final = JobId(7)

Facts = dict[str, Any]


def word(name: str) -> bytes:
    """32 bytes that stand for something."""
    return hashlib.sha256(f"hansa {name}".encode()).digest()


def account(name: str) -> Address:
    return Address(to_checksum_address(word(name)[:20]))


FEDERATION: Final = account("federation")


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


ENTRIES: Final = [
    sheet.Entry(Code.OK, 1_500_000_000, -1),
    sheet.Entry(Code.MALFORMED),
    sheet.Entry(Code.OK, -sheet.LIMIT, sheet.LIMIT),
    sheet.Entry(Code.DUPLICATE, 1, 998_877_665),
    sheet.Entry(Code.UNREACHABLE),
    sheet.Entry(Code.ZERO),
]


def cycles() -> list[Facts]:
    """Four cycles of one job in a row: finalised; agreed that nothing could be aggregated; after a lapsed OPEN ended by
    `failRound`; finalised."""
    facts: list[Facts] = []
    history, sheets, updates = word("terms, escrow and sponsor"), hashes.NO_HASH, 0
    committee = [account(f"member {seat}") for seat in range(3)]
    for counter, ending in enumerate(("finalised", "nothing", "silence", "finalised"), 1):
        fact: Facts = {"prev_history": hexed(history), "prev_sheets": hexed(sheets), "prev_updates": str(updates)}
        if counter == 3:
            history = links.link(history, links.lapsed(time(10)))
            fact |= {"lapsed": time(10), "lapsed_history": hexed(history)}
        randomness = word(f"randomness {counter}")
        drawn = hashes.draw(CHAIN_ID, FEDERATION, JOB, sheets, updates, randomness)
        keys = [links.NO_KEY if seat == 1 else word(f"key {seat} {counter}") for seat in range(3)]
        seed = links.link(history, links.opened(drawn, committee, keys))
        cycle = hashes.make_cycle(seed, counter, everybody=counter != 2)
        fact |= {
            "chain_id": CHAIN_ID,
            "federation": FEDERATION,
            "job": str(JOB),
            "randomness": hexed(randomness),
            "draw": hexed(drawn),
            "committee": committee,
            "keys": [hexed(key) for key in keys],
            "seed": hexed(seed),
            "counter": counter,
            "everybody": counter != 2,
            "cycle": str(cycle),
            "updates_start": str(hashes.updates_start(seed)),
        }
        fact["submitted"], updates = submitted(seed, counter)
        fact["attested"], sheets = attested(seed, counter)
        fact["released"], sheets = released(sheets, counter)
        fact["revealed"], sheets = revealed(sheets, counter)
        fact["end"], history = ended(ending, cycle, updates, sheets, seed)
        facts.append(fact)
    return facts


def time(cycle: int) -> Timestamp:
    return Timestamp(1_800_000_000 + cycle)


def submitted(seed: bytes, counter: int) -> tuple[list[Facts], int]:
    facts, acc = [], hashes.updates_start(seed)
    for i in range(3):
        trainer, digest = account(f"trainer {i}"), Digest(word(f"update {counter} {i}"))
        acc = hashes.updates_acc(acc, trainer, digest)
        facts.append({"trainer": trainer, "digest": hexed(digest), "acc": str(acc)})
    return facts, acc


def attested(seed: bytes, counter: int) -> tuple[list[Facts], bytes]:
    facts, acc = [], seed
    for seat in range(3):
        bitmap = bytes([counter + seat])
        acc = hashes.attests_acc(acc, Seat(seat), bitmap)
        facts.append({"seat": seat, "bitmap": hexed(bitmap), "acc": hexed(acc)})
    return facts, acc


def released(acc: bytes, counter: int) -> tuple[list[Facts], bytes]:
    facts = []
    for seat in (0, 2):
        digest = Digest(word(f"shares {counter} {seat}"))
        acc = hashes.releases_acc(acc, Seat(seat), digest)
        facts.append({"seat": seat, "digest": hexed(digest), "acc": hexed(acc)})
    return facts, acc


def revealed(acc: bytes, counter: int) -> tuple[list[Facts], bytes]:
    facts = []
    for seat in range(2):
        text, salt = sheet.encode_sheet(ENTRIES[seat : seat + 3]), word(f"salt {counter} {seat}")
        acc = hashes.sheets_acc(acc, Seat(seat), text, salt)
        facts.append({"seat": seat, "sheet": hexed(text), "salt": hexed(salt), "acc": hexed(acc)})
    return facts, acc


def ended(ending: str, cycle: CycleId, updates: int, sheets: bytes, seed: bytes) -> tuple[Facts, bytes]:
    """A cycle's end. Seats 0 and 2 have voted, 2 something else, with the least metric; `silence`: nobody has."""
    nothing = ending != "finalised"
    model, root = (hashes.NO_HASH, hashes.NO_HASH) if nothing else (word("model"), word("rewards"))
    result = hashes.result_hash(Place(CHAIN_ID, FEDERATION, JOB, cycle), updates, sheets, model, root)
    sealed = {seat: hashes.sealed_vote(result, Seat(seat)) for seat in (0, 1, 23)}
    words = {Seat(0): links.vote_word(sealed[0], -5), Seat(2): links.vote_word(7, -(2**63))}
    voted = links.NO_WORDS if ending == "silence" else links.votes_hash(words, 3)
    board = links.Board(due=7, attested=7, released=5, committed=3, revealed=3, voted=0 if ending == "silence" else 5)
    counter, burn = hashes.cycle_counter(cycle), 10**20
    if nothing:
        reached = Phase.SCORE if ending == "silence" else Phase.VOTE
        payload = links.failed(cycle, updates, sheets, board, voted, reached, burn, time(counter))
        outcome: Facts = {"reached": int(reached), "burn": str(burn)}
    else:
        payload = links.finalised(result, board, voted, time(counter))
        outcome = {"model": hexed(model), "rewards": hexed(root)}
    history = links.link(seed, payload)
    return {
        "ending": ending,
        **outcome,
        "hash": hexed(result),
        "sealed": {str(seat): str(vote) for seat, vote in sealed.items()},
        "votes": {str(seat): str(vote) for seat, vote in words.items()} if ending != "silence" else {},
        "words": hexed(voted),
        "board": str(board.word),
        "time": time(counter),
        "payload": hexed(payload),
        "history": hexed(history),
    }, history
