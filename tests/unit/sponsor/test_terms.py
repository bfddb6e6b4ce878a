"""What a sponsor says, as terms of the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, Digest, Wei
from hansa.runtime.chain.structs import JobTerms
from hansa.sponsor.terms import JobOffer, in_words, job_terms, parse_times, seconds

ADDRESS = Address("0x" + "11" * 20)
OFFER = JobOffer(trainers=4, seats=3, rounds=15, reward=Wei(100), fee=Wei(5), bond=Wei(50), penalty=Wei(10))


def terms(offer: JobOffer) -> JobTerms:
    digest = Digest(bytes(32))
    return job_terms(offer, token=ADDRESS, committee=ADDRESS, admission=ADDRESS, spec=digest, model=digest)


def test_escrow__pays_all_rounds() -> None:
    assert OFFER.full_round == 115
    assert OFFER.escrow == 15 * 115


@pytest.mark.parametrize(("seats", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (24, 16)])
def test_quorum__is_two_thirds_and_more_than_half(seats: int, quorum: int) -> None:
    assert terms(replace(OFFER, seats=seats)).quorum == quorum


@pytest.mark.parametrize(("trainers", "minimum"), [(1, 1), (2, 2), (3, 2), (4, 3), (20, 11)])
def test_min_updates__are_more_than_half(trainers: int, minimum: int) -> None:
    assert terms(replace(OFFER, trainers=trainers)).min_updates == minimum


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"trainers": 0}, "--trainers"),
        ({"trainers": 1025}, "--trainers"),
        ({"rounds": 0}, "--rounds"),
        ({"seats": 25}, "validators"),
        ({"quorum": 1}, "--quorum"),
        ({"quorum": 4}, "--quorum"),
        ({"min_updates": 5}, "--min-updates"),
        ({"bond": Wei(0)}, "--bond"),
        ({"reward": Wei(2**96)}, "--reward"),
        ({"failures": 17}, "--failures"),
        ({"patience": -1}, "--patience"),
        ({"target": 2**63}, "--target"),
        ({"times": {"submit": 2**32}}, "--time submit"),
    ],
)
def test_terms__that_the_contract_refuses__are_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(FatalError, match=named):
        terms(replace(OFFER, **change))


@pytest.mark.parametrize(("text", "number"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("3d", 259200)])
def test_seconds(text: str, number: int) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5h", "5 m", "10w", "9999999999"])
def test_seconds__of_no_duration(text: str) -> None:
    with pytest.raises(FatalError, match="not a duration"):
        seconds(text)


def test_claim__shorter_than_a_day__is_warned_of() -> None:
    assert OFFER.claim_warning is None
    assert replace(OFFER, times={"claim": 86_400}).claim_warning is None
    warning = replace(OFFER, times={"claim": 90}).claim_warning
    assert warning is not None
    assert "leaves 1 min 30 s after the job's end" in warning


def test_times__name_their_phase() -> None:
    assert parse_times(["submit=10m", "claim=3d"]) == {"submit": 600, "claim": 259200}
    with pytest.raises(FatalError, match="'sleep'"):
        parse_times(["sleep=1h"])


@pytest.mark.parametrize(("number", "text"), [(0, "0 s"), (59, "59 s"), (3700, "1 h 1 min"), (90061, "1 d 1 h")])
def test_in_words(number: int, text: str) -> None:
    assert in_words(number) == text


def test_times__of_phases_that_some_modes_alone_have__can_be_given() -> None:
    assert parse_times(["release=5m", "attest=2m"]) == {"release": 300, "attest": 120}


def test_shared_updates__take_as_many_releases_as_the_quorum() -> None:
    assert terms(OFFER).threshold == 0
    assert terms(replace(OFFER, is_shared=True)).threshold == 2
    assert terms(replace(OFFER, is_shared=True, quorum=3)).threshold == 3
