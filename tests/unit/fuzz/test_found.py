"""Faults that fuzzing found, one test each."""

from __future__ import annotations

from hansa.runtime.chain.abi import artifact
from hansa.runtime.transactions.asked import MOST_POINTED, WORD, signed_calls


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(WORD, "big") for number in numbers)


# --- bundles of calls


def pointing(at: bytes, times: int) -> bytes:
    """A bundle whose calls are all the same bytes, which stand in it once."""
    multicall = artifact("Federation").functions["multicall"].selector
    return multicall + words(32, times, *[WORD * times] * times, len(at)) + at + bytes(-len(at) % WORD)


def test_bundles__in_each_other__that_point_often_at_the_same_bytes__come_to_an_end() -> None:
    data = artifact("Federation").functions["rejoinFor"].selector
    for _ in range(8):
        data = pointing(data, 40)  # 40 to the 8th calls, in 11 kB
    assert len(list(signed_calls(artifact("Federation"), data))) <= MOST_POINTED // WORD
