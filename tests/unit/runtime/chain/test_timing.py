"""How fast a chain is, and how long phases must be on it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from nodes import block, chain_of

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, Digest, Wei
from hansa.runtime.chain.structs import JobTerms
from hansa.runtime.chain.timing import Pace, pace_of, seconds_between, too_short
from hansa.sponsor.pace import on_chain
from hansa.sponsor.terms import TIMES, JobOffer, job_terms

ETHEREUM = Pace(12.0, 12 * 12.0, 12)
MAINNET_L1 = Pace(12.0, 15 * 12.0, 15)
LOCAL = Pace(1.0, 0.0, 0)
NOBODY = Address("0x" + "00" * 20)


def an_offer(**times: int) -> JobOffer:
    one = Wei(1)
    return JobOffer(trainers=4, seats=3, rounds=2, reward=one, fee=one, bond=one, penalty=one, times=times)


def terms(**times: int) -> JobTerms:
    nothing = Digest(bytes(32))
    return job_terms(an_offer(**times), token=NOBODY, committee=NOBODY, admission=NOBODY, spec=nothing, model=nothing)


def test_too_short__names_phases_and_what_is_missing() -> None:
    assert too_short(terms(), LOCAL) is None
    assert too_short(terms(), MAINNET_L1) == (
        "reveal, vote, finalize shorter than the 612 s that blocks of 12 s and 15 confirmations ask for"
    ), "600 s are near enough"
    told = too_short(terms(open=2), LOCAL)
    assert told == "open shorter than the 3 s that blocks of 1 s and 0 confirmations ask for"


def measured(gaps: Sequence[int], depth: Any, under: int = 0) -> Pace:
    """As a chain is measured whose blocks have these seconds between them; the named block is `under` the last."""
    times = [1000, *(1000 + sum(gaps[:place]) for place in range(1, len(gaps) + 1))]
    last = len(times)

    def answer(method: str, params: Sequence[Any]) -> Any:
        if method == "eth_chainId":
            return "0x1"
        number = {"latest": last, "earliest": 0, "safe": last - under, "finalized": last - under}.get(params[0])
        number = int(params[0], 16) if number is None else number
        return block(number, timestamp=times[number - 1] if number else 0)

    chain = chain_of(answer)
    chain.confirmations = depth
    return pace_of(chain)


def slots(seconds: int, missed: int = 0) -> list[int]:
    """Of a chain with slots, the newest of which were missed every second time."""
    return [seconds] * (100 - 2 * missed) + [seconds, 2 * seconds] * missed


def mined(seconds: int, seed: int) -> list[int]:
    chance = random.Random(seed)
    return [max(1, round(chance.expovariate(1 / seconds))) for _ in range(100)]


HONEST: dict[str, tuple[Pace, Pace]] = {  # whoever posts, and whoever takes part
    "a second's blocks": (measured(slots(1), 0), measured(slots(1), 0)),
    "a slot missed": (measured(slots(12), 12), measured(slots(12, 1), 12)),
    "slots missed": (measured(slots(12), 12), measured(slots(12, 15), 12)),
    "the foot and the top of a saw-tooth": (
        measured(slots(12), "finalized", 64),
        measured(slots(12, 2), "finalized", 96),
    ),
    "its top and its foot": (measured(slots(12), "finalized", 96), measured(slots(12), "finalized", 64)),
    "a rollup after its batch, and before": (measured(slots(2), "safe", 1), measured(slots(2), "safe", 99)),
    **{f"miners {n}": (measured(mined(13, n), 6), measured(mined(13, n + 1), 6)) for n in range(0, 40, 2)},
}


@pytest.mark.parametrize("case", HONEST)
def test_what_one_measurement_proposes__another_of_the_same_chain_takes(case: str) -> None:
    posting, joining = HONEST[case]
    offer, said = on_chain(an_offer(), {}, posting)
    assert too_short(terms(**offer.times), joining) is None
    assert bool(said) == (case != "a second's blocks")
    assert offer.times["claim"] == 365 * 86_400
    assert "attest" not in offer.times, "a phase that is left out stays so"


@pytest.mark.parametrize("case", ["a slot missed", "the foot and the top of a saw-tooth"])
def test_what_was_given__and_is_just_long_enough__another_measurement_takes(case: str) -> None:
    posting, joining = HONEST[case]
    given = {name: seconds for name, seconds in posting.posted.items() if name in TIMES}
    offer, said = on_chain(an_offer(**given), given, posting)
    assert not said and given.items() <= offer.times.items()
    assert too_short(terms(**offer.times), joining) is None


def test_a_chain_twice_as_slow__is_no_other_measurement_of_the_same() -> None:
    offer, _ = on_chain(an_offer(), {}, ETHEREUM)
    assert too_short(terms(**offer.times), replace(ETHEREUM, block=24.5, depth=12 * 24.5))


def test_a_fast_chain__has_the_usual_lengths() -> None:
    offer, said = on_chain(an_offer(), {}, LOCAL)
    assert (offer.times, said) == (TIMES, "")


def test_enrolment__is_as_long_as_a_phase_for_whoever_posts__and_whoever_comes_later_does_not_ask() -> None:
    short = {"enrol": MAINNET_L1.phase - 1}
    with pytest.raises(FatalError, match="enrol shorter than the 612 s that blocks of 12 s"):
        on_chain(an_offer(**short), short, MAINNET_L1)
    assert on_chain(an_offer(**short), {}, MAINNET_L1)[0].times["enrol"] == 1.5 * MAINNET_L1.phase
    assert too_short(terms(**short), LOCAL) is None


def test_a_longer_phase__stays__and_a_shorter_one_is_refused() -> None:
    given = {"submit": 9000}
    offer, said = on_chain(an_offer(**given), given, MAINNET_L1)
    assert offer.times["submit"] == 9000 and offer.times["vote"] == 1.5 * 612
    assert said == (
        "for blocks of 12 s and 15 confirmations, phases are longer: "
        "--time score=918 --time reveal=918 --time vote=918 --time finalize=918"
    )
    given = {"vote": 300}
    with pytest.raises(FatalError, match="vote shorter than the 612 s that blocks of 12 s .* leave it out"):
        on_chain(an_offer(**given), given, MAINNET_L1)


def test_seconds_between_blocks() -> None:
    assert seconds_between([]) == seconds_between([5]) == 12.0
    assert seconds_between([0, 12, 24, 36]) == 12.0
    assert seconds_between([0, 0, 1, 1, 2]) == 1.0
    assert seconds_between([0, 1, 900, 901, 903]) == 3.0, "an idle chain that mines on demand"


@pytest.mark.parametrize(("depth", "seconds"), [(4, 20.0), ("safe", 30.0)])
def test_pace__is_measured__but_for_the_first_block(depth: Any, seconds: float) -> None:
    def answer(method: str, params: Sequence[Any]) -> Any:
        if method == "eth_chainId":
            return "0x1"
        number = {"latest": 9, "earliest": 0, "safe": 3}.get(params[0])
        number = int(params[0], 16) if number is None else number
        return block(number, timestamp=1000 + 5 * number if number else 0)

    chain = chain_of(answer)
    chain.confirmations = depth
    assert pace_of(chain) == Pace(5.0, seconds, depth)
