"""Posting a job: its terms, its escrow."""

from __future__ import annotations

import pytest
from drive import Job
from node import now, refused
from terms import TERMS, TIME_OF

from hansa.protocol.types import Phase

YEAR = 365 * 24 * 3600
DAYS_30 = 30 * 24 * 3600
PHASES = [name for name in TERMS if name.endswith("Time") and name not in ("claimTime", "slashTime")]
SHORT = {**dict.fromkeys(PHASES, 1), "openTime": 2}


def test_post__numbers_jobs_from_one(play):
    first, second = play(), play()
    assert (first.id, second.id) == (1, 2)
    assert first.federation.jobCount() == 2


def test_post__keeps_terms_and_their_hash(house):
    job = Job(house)
    event = job.post().events["JobPosted"]
    assert event["sponsor"] == job.sponsor and event["escrow"] == job.escrow
    assert bytes(event["termsHash"]) == job.terms_hash, "keccak256(abi.encode(terms, escrow, sponsor))"
    kept = house.federation.termsOf(job.id).dict()
    assert list(kept) == list(TERMS), "in the order of the interface"
    for name, value in zip(TERMS, job.terms_tuple(), strict=True):
        shown = bytes(kept[name]) if isinstance(value, bytes) else kept[name]
        assert shown == value, name


def test_post__hash_of_terms__tells_escrow_and_sponsor_apart(play, mallory, alice):
    jobs = [play(escrow=2000), play(escrow=2001), play(escrow=2000, sponsor=mallory)]
    assert len({job.terms_hash for job in jobs}) == 3
    for job in jobs:
        job.enrol(alice)


def test_post__begins_to_enrol(play):
    job = play()
    posted, state = now(), job.state
    assert (state.phase, state.deadline) == (Phase.ENROL, posted + job.terms.enrolTime)
    assert (state.sponsor, state.round, state.cycle, state.openedAt, state.endedAt) == (job.sponsor, 1, 0, 0, 0)
    assert (state.bestMetric, state.failures, state.enrolled) == (-(2**63), 0, 0)
    assert tuple(state.committee) == () and tuple(state.matched) == ()


def test_post__escrows_in_the_vault(play, house, sponsor):
    had = house.token.balanceOf(sponsor)
    job = play(escrow=5000)
    books = job.books
    assert house.token.balanceOf(sponsor) == had - 5000
    assert house.token.balanceOf(house.vault) == 5000
    assert (books.token, books.sponsor, books.escrowed, books.left) == (house.token, sponsor, 5000, 5000)
    assert (books.endedAt, books.claimUntil, books.slashUntil) == (0, 0, 0)
    assert (books.booked, books.paid, books.burnt, books.refunded, books.bonded) == (0, 0, 0, 0, 0)


def test_post__without_allowance__reverts(house, sponsor):
    house.token.approve(house.vault, 10, {"from": sponsor})
    with refused("ERC20InsufficientAllowance"):
        Job(house).post()


def test_post__without_balance__reverts(house, sponsor):
    with refused("ERC20InsufficientBalance"):
        Job(house, escrow=10**25).post()


def test_post__escrow_over_128_bits__reverts(house):
    with refused("Vault_AmountTooLarge", 2**128):
        Job(house, escrow=2**128).post()


def test_post__escrow_of_one_full_round__is_enough(play):
    job = play(escrow=930)
    assert job.escrow == job.full == job.books.left


def test_post__escrow_below_one_full_round__reverts(house):
    with refused("Terms_EscrowTooSmall", 929, 930):
        Job(house, escrow=929).post()


def test_post__largest_reward__is_kept(house, play, actors):
    house.token.transfer(house.sponsor, 2**97, {"from": actors["deployer"]})
    job = play(rewardPerRound=2**96 - 1, maxRounds=1, feePerSeat=0)
    assert job.books.left == 2**96 - 1


@pytest.mark.parametrize(
    ("error", "terms"),
    [
        (("Terms_PhaseOutOfBounds", Phase.ENROL, 0), {"enrolTime": 0}),
        (("Terms_PhaseOutOfBounds", Phase.OPEN, 0), {"openTime": 0}),
        (("Terms_PhaseOutOfBounds", Phase.OPEN, 1), {"openTime": 1}),
        (("Terms_PhaseOutOfBounds", Phase.SUBMIT, 0), {"submitTime": 0}),
        (("Terms_PhaseOutOfBounds", Phase.SCORE, 0), {"scoreTime": 0}),
        (("Terms_PhaseOutOfBounds", Phase.REVEAL, 0), {"revealTime": 0}),
        (("Terms_PhaseOutOfBounds", Phase.VOTE, 0), {"voteTime": 0}),
        (("Terms_PhaseOutOfBounds", Phase.FINALIZE, 0), {"finalizeTime": 0}),
        (("Terms_PhaseOutOfBounds", Phase.ENROL, DAYS_30 + 1), {"enrolTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.OPEN, DAYS_30 + 1), {"openTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.SUBMIT, DAYS_30 + 1), {"submitTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.ATTEST, DAYS_30 + 1), {"attestTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.RELEASE, DAYS_30 + 1), {"releaseTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.SCORE, DAYS_30 + 1), {"scoreTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.REVEAL, DAYS_30 + 1), {"revealTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.VOTE, DAYS_30 + 1), {"voteTime": DAYS_30 + 1}),
        (("Terms_PhaseOutOfBounds", Phase.FINALIZE, 2**32 - 1), {"finalizeTime": 2**32 - 1}),
        (("Terms_SlashTimeOutOfBounds", 0, 50_000), {"slashTime": 0}),
        (("Terms_SlashTimeOutOfBounds", DAYS_30 + 1, YEAR), {"slashTime": DAYS_30 + 1, "claimTime": YEAR}),
        (("Terms_SlashTimeOutOfBounds", 101, 100), {"slashTime": 101, "claimTime": 100}),
        (("Terms_SeatsOutOfBounds", 25), {"seats": 25, "quorum": 13, "committee": "any"}),
        (("Terms_SeatsOutOfBounds", 0), {"seats": 0, "quorum": 0, "committee": "any"}),
        (("Terms_QuorumOutOfBounds", 0, 3), {"quorum": 0}),
        (("Terms_QuorumOutOfBounds", 1, 3), {"quorum": 1}),
        (("Terms_QuorumOutOfBounds", 2, 4), {"quorum": 2, "seats": 4}),
        (("Terms_QuorumOutOfBounds", 4, 3), {"quorum": 4}),
        (("Terms_ThresholdOutOfBounds", 0, 3), {"threshold": 0, "attestTime": 1}),
        (("Terms_ThresholdOutOfBounds", 4, 3), {"threshold": 4, "attestTime": 1}),
        (("Terms_ThresholdOutOfBounds", 0, 3), {"threshold": 0, "releaseTime": 1}),
        (("Terms_ThresholdOutOfBounds", 4, 3), {"threshold": 4, "releaseTime": 1}),
        (("Terms_TrainersOutOfBounds", 1025), {"maxTrainers": 1025}),
        (("Terms_UpdatesOutOfBounds", 0, 3), {"minUpdates": 0}),
        (("Terms_UpdatesOutOfBounds", 4, 3), {"minUpdates": 4}),
        (("Terms_UpdatesOutOfBounds", 1, 0), {"minUpdates": 1, "maxTrainers": 0}),
        (("Terms_RoundsOutOfBounds", 0), {"maxRounds": 0, "escrow": 930}),
        (("Terms_RoundsOutOfBounds", 1024), {"maxRounds": 1024, **SHORT, "attestTime": 0, "releaseTime": 0}),
        (("Terms_FailuresOutOfBounds", 0), {"maxFailures": 0}),
        (("Terms_FailuresOutOfBounds", 17), {"maxFailures": 17}),
        (("Terms_BurnOutOfBounds", 10_001), {"failureBurn": 10_001}),
        (("Terms_NoBond",), {"minBond": 0}),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, (tuple, dict)) else str(value),
)
def test_post__terms_out_of_bounds__reverts(house, error, terms):
    if terms.get("committee") == "any":
        terms = {**terms, "committee": house.committees[3]}
    with refused(*error):
        Job(house, **terms).post()


@pytest.mark.parametrize("term", ["token", "committee", "admission"])
def test_post__an_account_without_code__reverts(house, mallory, term):
    with refused("Terms_NotAContract", mallory):
        Job(house, **{term: mallory}).post()


@pytest.mark.parametrize(
    "terms",
    [
        {"seats": 24, "quorum": 13, "committee": "any"},
        {"seats": 1, "quorum": 1, "minUpdates": 1, "maxTrainers": 1},
        {"maxTrainers": 1024, "minUpdates": 1024},
        {**SHORT, "maxRounds": 1023, "maxFailures": 16, "threshold": 3, "quorum": 3},
        {"threshold": 0},  # not used: no phase asks for it
        {"failureBurn": 10_000},
        {"slashTime": DAYS_30, "claimTime": DAYS_30},
        {"enrolTime": DAYS_30, "submitTime": DAYS_30, "maxRounds": 1, "maxFailures": 1},
        {"claimTime": 2**32 - 1},
        {"rewardPerRound": 0, "feePerSeat": 0, "strikePenalty": 0},
        {"minBond": 1, "strikePenalty": 2**96 - 1},
    ],
    ids=str,
)
def test_post__terms_at_their_bounds__are_accepted(play, house, terms):
    if terms.get("committee") == "any":
        terms = {**terms, "committee": house.committees[3]}
    assert play(**terms).phase == Phase.ENROL


def test_post__longest_job__is_three_years(play, house):
    others = sum(time for name, time in TERMS.items() if name in TIME_OF.values()) - TERMS["enrolTime"]
    attempts = 20 * 2
    stretch, enrol = divmod(3 * YEAR - attempts * others, attempts)
    assert stretch < DAYS_30, "it fits into one phase"
    submit, enrol = TERMS["submitTime"] + stretch - 1, enrol + attempts
    terms = {"maxRounds": 20, "maxFailures": 2, "submitTime": submit, "enrolTime": enrol}
    assert play(**terms).phase == Phase.ENROL, "exactly three years"
    with refused("Terms_TooLong", 3 * YEAR + 1):
        Job(house, **{**terms, "enrolTime": enrol + 1}).post()


def test_post__longest_times_of_all__revert_without_overflow(house):
    with refused("Terms_TooLong", 2_592_000 + 1023 * 16 * 8 * 2_592_000):
        Job(house, **dict.fromkeys(SHORT, DAYS_30), maxRounds=1023, maxFailures=16, escrow=10**9).post()


def test_terms_of__unknown_job__is_empty(house):
    assert house.federation.termsOf(9).dict()["minBond"] == 0
    assert house.federation.phaseAt(9, now()) == Phase.NONE
    assert house.federation.phaseAt(0, now()) == Phase.NONE
