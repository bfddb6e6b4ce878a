"""Which committees a job may have."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Wei
from hansa.runtime.chain.dialects import Randomness
from hansa.sponsor import committees
from hansa.sponsor.committees import (
    CONSENSUS,
    Consensus,
    PoolRules,
    check_consensus,
    check_kind,
    check_randomness,
    pool_terms,
    unserved,
)
from hansa.sponsor.terms import JobOffer

ME, OTHER, FEDERATION, TOKEN = ("0x" + f"{number:040x}" for number in range(1, 5))
SPEC = b"\1" * 32
TIMES = {"submit": 60, "score": 40, "reveal": 30, "vote": 20, "finalize": 30}
OFFER = JobOffer(8, 5, 3, Wei(100), Wei(5), Wei(10), Wei(1), min_updates=6, quorum=4, failures=5, times=TIMES)
RULES = PoolRules(unit=1, minimum=100, epoch=3600, report=7 * 86_400)


@pytest.mark.parametrize("kind", CONSENSUS)
def test_consensus__with_good_terms__is_accepted(kind):
    members = {"appointed": (ME,) * 5, "hybrid": (ME,)}.get(kind, ())
    check_consensus(Consensus(check_kind(kind), 5, members), OFFER)


def test_consensus__of_no_kind__is_refused():
    with pytest.raises(FatalError, match="use appointed, staked, hybrid, coupled"):
        check_kind("voted")


@pytest.mark.parametrize("kind", ["staked", "hybrid", "coupled"])
def test_drawn__with_few_failures__is_refused(kind):
    with pytest.raises(FatalError, match="give --failures 5 or more"):
        check_consensus(Consensus(kind, 5, (ME,)), replace(OFFER, failures=4))
    check_consensus(Consensus("appointed", 5, (ME,)), replace(OFFER, failures=1))


@pytest.mark.parametrize("updates", [1, 5])
def test_coupled__with_as_few_updates_as_seats__is_refused(updates):
    with pytest.raises(FatalError, match="give --min-updates 6 or more"):
        check_consensus(Consensus("coupled", 5), replace(OFFER, min_updates=updates))


@pytest.mark.parametrize(
    ("appointed", "seats", "quorum", "problem"),
    [
        (1, 5, 4, None),
        (2, 5, 4, "could block"),
        (4, 5, 4, "agree on anything"),
        (5, 16, 11, None),
        (6, 16, 11, "could block"),
        (11, 16, 11, "agree on anything"),
        (0, 5, 4, "names nobody"),
    ],
)
def test_hybrid__whose_appointed_could_block_or_decide__is_refused(appointed, seats, quorum, problem):
    consensus, offer = Consensus("hybrid", seats, (ME,) * appointed), replace(OFFER, seats=seats, quorum=quorum)
    if problem is None:
        check_consensus(consensus, offer)
        return
    with pytest.raises(FatalError, match=problem):
        check_consensus(consensus, offer)


def pool(**changes: Any) -> Any:
    return replace(pool_terms(OFFER, RULES, FEDERATION, TOKEN, [ME], [SPEC]), **changes)


def test_pool__made_for_a_job__serves_it():
    assert unserved(pool(), FEDERATION, OFFER, SPEC, ME) == []
    assert (pool().min_phase, pool().max_phase) == (10, 120)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"federation": OTHER}, "it serves the federation"),
        ({"sponsors": (OTHER,)}, "is not among its sponsors"),
        ({"specs": ()}, "this spec is not among its own"),
        ({"min_fee": 6}, "it asks for a fee of 6 units"),
        ({"max_seats": 4}, "it fills 4 seats at most"),
        ({"min_phase": 25}, "vote takes 20 s"),
        ({"max_phase": 59}, "submit takes 60 s"),
        ({"max_phase": 39}, "score takes 40 s"),
    ],
)
def test_pool__that_does_not_serve_a_job__says_why(changes, problem):
    assert problem in "; ".join(unserved(pool(**changes), FEDERATION, OFFER, SPEC, ME))


@pytest.mark.parametrize(
    ("kind", "found", "accepted"),
    [
        ("staked", Randomness.RANDAO, True),
        ("staked", Randomness.PARENT_HASH, False),
        ("staked", Randomness.CONSTANT, False),
        ("hybrid", Randomness.PARENT_HASH, True),
        ("hybrid", Randomness.CONSTANT, False),
        ("coupled", Randomness.CONSTANT, True),
        ("appointed", Randomness.CONSTANT, True),
    ],
)
def test_drawn__by_what_others_can_choose_or_know__is_refused(monkeypatch, kind, found, accepted):
    monkeypatch.setattr(committees, "randomness_of", lambda chain: found)
    if not accepted:
        with pytest.raises(FatalError, match="is not safe on this chain"):
            check_randomness(SimpleNamespace(), Consensus(kind, 5))
        return
    warning = check_randomness(SimpleNamespace(), Consensus(kind, 5))
    assert bool(warning) == (found != Randomness.RANDAO and kind != "appointed")
