"""A privacy mode as a sponsor asks for it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hansa.protocol import envelope, shared_envelope
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, Digest, Wei
from hansa.runtime.chain.structs import JobTerms
from hansa.sponsor.committees import Consensus
from hansa.sponsor.post import PreparedJob, check_offer, prepare
from hansa.sponsor.privacy import check_members, with_privacy
from hansa.sponsor.terms import JobOffer, job_terms

ADDRESS = Address("0x" + "11" * 20)
OFFER = JobOffer(trainers=4, seats=3, rounds=15, reward=Wei(100), fee=Wei(5), bond=Wei(50), penalty=Wei(10))


@pytest.fixture(scope="module")
def prepared() -> PreparedJob:
    return prepare("heart", seed=0)


def terms(offer: JobOffer) -> JobTerms:
    file = Digest(bytes(32))
    return job_terms(offer, token=ADDRESS, committee=ADDRESS, admission=ADDRESS, spec=file, model=file)


def test_committee__changes_nothing(prepared: PreparedJob) -> None:
    assert with_privacy(prepared, OFFER, "committee") == (prepared, OFFER)


@pytest.mark.parametrize(("seats", "quorum", "t"), [(3, None, 2), (7, None, 5), (5, 4, 4), (1, None, 1)])
def test_threshold__asks_for_a_quorum_of_shares_and_a_phase(
    prepared: PreparedJob, seats: int, quorum: int | None, t: int
) -> None:
    made, offer = with_privacy(prepared, replace(OFFER, seats=seats, quorum=quorum), "threshold")
    found = terms(offer)
    assert (made.spec.shares, made.spec.group, found.threshold, found.quorum) == (t, 0, t, t)
    assert (found.attest_time, found.release_time) == (0, 300)
    assert check_offer(made, offer, [ADDRESS]) is None


def test_threshold__times_that_are_given__stay(prepared: PreparedJob) -> None:
    _, offer = with_privacy(prepared, replace(OFFER, times={"release": 60}), "threshold")
    assert terms(offer).release_time == 60


def test_threshold__has_room_for_the_largest_committee(prepared: PreparedJob) -> None:
    made, _ = with_privacy(prepared, OFFER, "threshold")
    keys = [envelope.public_key(b"\1" * 32)] * 24
    update, ctx = bytes(1000), bytes(envelope.CONTEXT)
    plain = envelope.seal(update, b"\2" * 32, ctx, keys)
    shared = shared_envelope.seal(update, b"\2" * 32, ctx, keys, 16)
    assert made.spec.update_bytes - prepared.spec.update_bytes == len(shared) - len(plain)


@pytest.mark.parametrize(
    ("privacy", "fields", "change", "said"),
    [
        ("threshold", {"shares": 1}, {}, "shares must be the quorum"),
        ("threshold", {"group": 3}, {}, "group must be 0"),
        ("threshold", {}, {"times": {"attest": 60}}, "no phase ATTEST"),
        ("committee", {"shares": 2}, {}, "shares must be 0"),
        ("committee", {}, {"times": {"release": 60}}, "a phase ATTEST or RELEASE that its spec does not use"),
    ],
)
def test_check__what_doesnt_go_together__is_refused_by_name(
    prepared: PreparedJob, privacy: str, fields: dict[str, int], change: dict[str, Any], said: str
) -> None:
    made, offer = with_privacy(prepared, replace(OFFER, **change), privacy, **fields)
    with pytest.raises(FatalError, match=said):
        check_offer(made, offer, [ADDRESS])


def test_masked__takes_the_mean_both_phases_and_files_of_one_size(prepared: PreparedJob) -> None:
    changed, offer = with_privacy(prepared, replace(OFFER, seats=4), "masked")
    spec = changed.spec
    assert (spec.privacy, spec.group, spec.shares, spec.rule) == ("masked", 3, 2, "mean")
    words = prepared.model.size + 9 * len(prepared.model.names)
    assert spec.update_bytes == 200 + 4 * (64 + 3 * 48) + 2 * words
    assert {"attest", "release"} <= offer.times.keys() and offer.is_shared
    assert check_offer(changed, offer, [ADDRESS] * 4) is None


def test_masked__another_rule_that_was_asked_for__is_refused(prepared: PreparedJob) -> None:
    median = replace(prepared, spec=prepared.spec.model_copy(update={"rule": "median"}))
    changed, offer = with_privacy(median, replace(OFFER, seats=4), "masked")
    with pytest.raises(FatalError, match="rule must be mean, not median"):
        check_offer(changed, offer, [ADDRESS] * 4)


def test_masked__three_seats__warns_of_one_bad_member_and_a_reorganisation(prepared: PreparedJob) -> None:
    changed, offer = with_privacy(prepared, replace(OFFER, seats=3), "masked")
    assert "one bad member and a reorganisation" in (check_offer(changed, offer, [ADDRESS] * 3) or "")


def test_masked__member_with_code__is_refused() -> None:
    chain = cast(Any, SimpleNamespace(code=lambda member: b"\1" if member == ADDRESS else b""))
    check_members(chain, "threshold", Consensus("appointed", 1, (ADDRESS,)))
    with pytest.raises(FatalError, match="can't be a validator of a masked job"):
        check_members(chain, "masked", Consensus("appointed", 1, (ADDRESS,)))


@pytest.mark.parametrize("kind", ["staked", "hybrid", "coupled"])
def test_masked__committee_that_is_drawn__is_refused(kind: str) -> None:
    chain = cast(Any, SimpleNamespace(code=lambda member: b""))
    check_members(chain, "threshold", Consensus(kind, 4))
    with pytest.raises(FatalError, match=f"--consensus {kind} doesn't go with --privacy masked"):
        check_members(chain, "masked", Consensus(kind, 4))


def test_mode__that_there_is_not__is_named(prepared: PreparedJob) -> None:
    with pytest.raises(FatalError, match="committee, threshold, masked"):
        with_privacy(prepared, OFFER, "secret")
