"""How fast a chain is, and how long phases must be on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from nodes import block, chain_of

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, Digest, Wei
from hansa.runtime.chain.structs import JobTerms
from hansa.runtime.chain.timing import Pace, pace_of, seconds_between, too_short
from hansa.sponsor.pace import on_chain
from hansa.sponsor.terms import JobOffer, job_terms

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
        "submit, score, reveal, vote, finalize shorter than the 612 s that blocks of 12 s and 15 confirmations ask for"
    )
    told = too_short(terms(open=2), LOCAL)
    assert told == "open shorter than the 3 s that blocks of 1 s and 0 confirmations ask for"


@pytest.mark.parametrize("pace", [LOCAL, ETHEREUM, MAINNET_L1, Pace(5, 800, "finalized")])
def test_what_is_proposed__is_what_doctor_takes(pace: Pace) -> None:
    offer, said = on_chain(an_offer(), {}, pace)
    assert too_short(terms(**offer.times), pace) is None
    assert bool(said) == (pace is not LOCAL)
    assert offer.times["claim"] == 365 * 86_400
    assert "attest" not in offer.times, "a phase that is left out stays so"


def test_enrolment__is_as_long_as_a_phase_for_whoever_posts__and_whoever_comes_later_does_not_ask() -> None:
    short = {"enrol": MAINNET_L1.phase - 1}
    with pytest.raises(FatalError, match="enrol shorter than the 612 s that blocks of 12 s"):
        on_chain(an_offer(**short), short, MAINNET_L1)
    assert on_chain(an_offer(**short), {}, MAINNET_L1)[0].times["enrol"] == MAINNET_L1.phase
    assert too_short(terms(**short), LOCAL) is None


def test_a_longer_phase__stays__and_a_shorter_one_is_refused() -> None:
    given = {"submit": 9000}
    offer, said = on_chain(an_offer(**given), given, MAINNET_L1)
    assert offer.times["submit"] == 9000 and offer.times["vote"] == 612
    assert said == (
        "for blocks of 12 s and 15 confirmations, phases are longer: "
        "--time score=612 --time reveal=612 --time vote=612 --time finalize=612"
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
