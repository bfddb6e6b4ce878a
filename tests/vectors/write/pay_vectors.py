"""Writes tests/vectors/pay.json: whole jobs, from revealed sheets to rewards, on which Python and the web page agree.

`python tests/vectors/write/pay_vectors.py` writes it, `--check` says whether the committed file is what would be
written. Sheets are 0x-hex, every integer is a decimal string, trainers are named by address, updates by their place on
chain.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from random import Random
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from vector_file import VECTORS, decimal, write_or_check

from hansa.protocol.ledger import Ledger, RoundLedger
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.sheet import Entry, decode_sheet, encode_sheet
from hansa.protocol.tally import likeness
from hansa.protocol.types import Address, Code, Wei

PATH: Final = VECTORS / "pay.json"
EDGE: Final = 2**40
TOKENS: Final = 10**18
OK, UNREACHABLE, MALFORMED, ZERO, DUPLICATE = Code

Facts = dict[str, Any]
Line = tuple[int, int] | Code | Entry  # gain and news of an ok update, or the code, or all three
Round = tuple[Sequence[int], Sequence[Sequence[Line]], Sequence[int]]  # who submitted, the sheets, who is unpaid


def make() -> list[Facts]:
    """All jobs."""
    small = [
        four_hospitals(),
        edges(),
        one_trainer(),
        members_that_submit(),
        nobody_helps(),
        by_bond(),
        one_of_few(),
        too_little(),
    ]
    return [*small, at_random()]


def four_hospitals() -> Facts:
    a, b, c, d = (9_000_000, 8_500_000), (7_000_000, 6_000_000), (4_000_000, 3_900_000), (8_800_000, 1_000_000)
    rounds: list[Round] = [
        ([2, 0, 1, 3], [[c, a, b, d]] * 3, []),
        ([0, 1, 2, 3], [[a, b, (-3, -9), (-5, -5)], [a, c, (-7, 1), (-6, -6)], [b, b, (2, 1), (-4, 0)]], []),
        ([3, 1, 0], [[MALFORMED, b, Entry(DUPLICATE, 1, 998_877_665)]] * 2, []),
        ([0, 1, 2, 3], [[a, ZERO, c, UNREACHABLE], [a, ZERO, c, d], [b, ZERO, d, UNREACHABLE]], []),
    ]
    return job("four hospitals: a drop, a strike, an absence, a seat missing", "validated_mean", 3, [1] * 4, rounds)


def edges() -> Facts:
    high, low = (EDGE, EDGE), (-EDGE, -EDGE)
    rounds: list[Round] = [
        ([0, 1, 2], [[high, low, (1, -1)]] * 5, []),
        ([0, 1, 2], [[high, high, high]] * 5, []),
        (
            [0, 1, 2],
            [[(EDGE, -EDGE), (-EDGE, EDGE), (3, -3)], [high, low, (-3, 3)], [low, high, (-2, 4)], [low] * 3],
            [],
        ),
        ([2, 1, 0], [[(0, 0), (1, 1), (0, 1)]] * 3, []),
        ([0, 1, 2], [[(254, 254), (1, 1), (127, 127)]] * 5, []),
    ]
    return job("the largest and smallest values, weights 1 and 255", "mean", 5, [255, 1, 128], rounds, 2**96 - 1)


def one_trainer() -> Facts:
    rounds: list[Round] = [([0], [[(1, 1)]], []), ([0], [[(-1, -1)]], []), ([0], [[(5, -1)]], []), ([0], [[ZERO]], [])]
    return job("one trainer, one validator, a reward of one", "validated_mean", 1, [7], rounds, 1)


def members_that_submit() -> Facts:
    good, better = (2_000_000, 1_500_000), (3_000_000, 2_500_000)
    rounds: list[Round] = [
        ([0, 1, 2, 3, 4], [[good, (-9, -9), better, good, (-1, -2)]] * 3, [1, 3]),
        ([4, 3, 2, 1, 0], [[good, better, MALFORMED, MALFORMED, good]] * 2, [2, 0]),
    ]
    return job("trainers on the committee: never dropped, never paid", "validated_mean", 3, [1] * 5, rounds)


def nobody_helps() -> Facts:
    rounds: list[Round] = [
        ([0, 1], [[(-5, -5), (-1, -1)]] * 2, []),
        ([0, 1], [[(0, 0), (0, 0)]] * 2, []),
        ([0, 1], [[MALFORMED, ZERO]] * 2, []),
        ([0, 1], [[(5, -5), (4, -4)]] * 2, []),
    ]
    return job("nobody is paid", "mean", 2, [1, 1], rounds)


def by_bond() -> Facts:
    rounds: list[Round] = [
        ([0, 1, 2, 3, 4], [[(100 * x, 90 * x) for x in (1, 2, 3, 200, 40)]] * 4, []),
        ([0, 1, 2, 3, 4], [[(100 * x, 20 * x) for x in (2, 2, 2, 255, 10_000)]] * 3, []),
    ]
    return job("weights by bond, a gain far above its weight", "median", 4, [1, 2, 3, 255, 40], rounds)


def one_of_few() -> Facts:
    gains = [2_000_000, 1_000_000, 1_000_000, 1_000_000, 500_000]
    rounds: list[Round] = [
        ([0, 1, 2, 3, 4], [[(gain, gain) for gain in gains]] * 3, []),
        ([0, 4, 5], [[(1_000_000, 900_000), (500_000, 400_000), (500_000, -80_000)]] * 3, []),
    ]
    return job("the best with the poorest alone; one brings too little news", "mean", 3, [1] * 6, rounds)


def too_little() -> Facts:
    rounds: list[Round] = [
        ([0, 1, 2], [[(3, 3), (2, 2), (2, 2)]] * 3, []),
        ([1, 0, 2], [[(2, 2), (3, 3), Entry(DUPLICATE, place, 999_000_000)] for place in (0, 1, 7)], []),
    ]
    return job("parts below the smallest unit; a duplicate of nobody agrees what", "mean", 3, [1] * 3, rounds, 1)


def at_random() -> Facts:
    random = Random("hansa pay")
    worth = [random.randrange(-2_000_000, 9_000_000) for _ in range(9)]
    rounds: list[Round] = []
    for _ in range(6):
        submitted = random.sample(range(9), random.randrange(4, 10))
        sheets = []
        for _ in range(random.choice([4, 5, 5, 5])):
            noise = [random.randrange(-1_500_000, 1_500_000) for _ in range(18)]
            sheet: list[Line] = [(worth[i] + noise[i], worth[i] // 2 + noise[i + 9]) for i in submitted]
            if random.random() < 0.4:
                sheet[random.randrange(len(sheet))] = random.choice([UNREACHABLE, MALFORMED, ZERO, DUPLICATE])
            sheets.append(sheet)
        rounds.append((submitted, sheets, []))
    return job("nine trainers, five validators, at random", "validated_mean", 5, [1] * 9, rounds, 1000 * TOKENS + 7)


def job(
    what: str, rule: str, seats: int, weights: list[int], rounds: Sequence[Round], reward: int = 1000 * TOKENS
) -> Facts:
    """One job, round after round. Every round of it is finalised."""
    trainers = [trainer(i) for i in range(len(weights))]
    ledger = Ledger(dict(zip(trainers, weights, strict=True)), Wei(reward), seats, rule)
    facts: Facts = {
        "what": what,
        "rule": rule,
        "seats": str(seats),
        "reward_per_round": str(reward),
        "trainers": [{"address": t, "weight": str(a)} for t, a in zip(trainers, weights, strict=True)],
        "rounds": [],
    }
    for submitted, lines, unpaid in rounds:
        sheets = [encode_sheet(_entry(line) for line in sheet) for sheet in lines]
        read = [decode_sheet(sheet, len(submitted)) for sheet in sheets]
        result = ledger.round([trainers[i] for i in submitted], read, {trainers[i] for i in unpaid})
        said = [likeness(entries) for entries in zip(*read, strict=True)]
        repeats = [decimal(asdict(each)) if each else None for each in said]
        given = {"submitted": [trainers[i] for i in submitted], "unpaid": [trainers[i] for i in unpaid]}
        facts["rounds"].append(
            {**given, "sheets": ["0x" + sheet.hex() for sheet in sheets], **_result(result), "repeats": repeats}
        )
        ledger = result.after
    return facts


def trainer(number: int) -> Address:
    """Somebody's address."""
    return Address(to_checksum_address(keccak(text=f"trainer {number}")[12:]))


def _entry(line: Line) -> Entry:
    if isinstance(line, Entry):
        return line
    return Entry(line) if isinstance(line, Code) else Entry(OK, *line)


def _result(result: RoundLedger) -> Facts:
    by_address = {
        "records": {t: asdict(record) for t, record in result.records.items()},
        "shares": {t: asdict(share) for t, share in result.shares.items()},
    }
    facts = {
        "judgements": [{"code": int(j.code), "gain": j.gain, "news": j.news} for j in result.judgements],
        "included": result.included,
        **{name: dict(sorted(facts.items(), key=lambda item: item[0].lower())) for name, facts in by_address.items()},
        "leaves": [leaf._asdict() for leaf in result.leaves],
    }
    return {**decimal(facts), "rewards": "0x" + RewardsTree(result.leaves).root.hex()}


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:]))
