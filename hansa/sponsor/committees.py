"""How a job's committee comes about: appointed, drawn from a pool of stakes, both, or drawn from the trainers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hansa.protocol.cid import digest_of
from hansa.protocol.errors import FatalError
from hansa.protocol.hashes import NO_HASH
from hansa.protocol.types import Address
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.dialects import DRAWING, Randomness, committee_problem, randomness_of
from hansa.runtime.chain.pool import Pool, PoolTerms
from hansa.runtime.chain.structs import JobTerms
from hansa.runtime.deploy import create
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import Signer
from hansa.sponsor.post import PreparedJob
from hansa.sponsor.terms import JobOffer, job_terms

APPOINTED, STAKED, HYBRID, COUPLED = CONSENSUS = ("appointed", "staked", "hybrid", "coupled")
LEAST_FAILURES = 5  # in a row, where a committee is drawn anew in every cycle
FILLED = 3  # stakers for each seat that is drawn
OTHERS_JUDGE = "an update must be judged by others than its own trainer, and some must come from outside"


@dataclass(frozen=True)
class Consensus:
    """kind: one of CONSENSUS. members: those appointed. at: a contract that is there already."""

    kind: str
    seats: int
    members: tuple[Address, ...] = ()
    at: Address | None = None

    @property
    def is_drawn(self) -> bool:
        return self.kind != APPOINTED

    @property
    def has_pool(self) -> bool:
        return self.kind in (STAKED, HYBRID)

    @property
    def drawn(self) -> int:
        """Seats that are drawn in each cycle."""
        return self.seats - len(self.members)


@dataclass(frozen=True)
class PoolRules:
    """What a new pool is told, beside the job that it is for. unit: smallest units of its token that weigh 1.
    shortest: seconds of a member's phase, at least; None: half of the shortest that is offered."""

    unit: int
    minimum: int  # units
    epoch: int  # seconds
    report: int  # seconds
    shortest: int | None = None


def check_kind(kind: str) -> str:
    """FatalError unless it is one of CONSENSUS."""
    if kind not in CONSENSUS:
        raise FatalError(f"--consensus {kind!r} is none", next_step=f"use {', '.join(CONSENSUS)}")
    return kind


def check_consensus(consensus: Consensus, offer: JobOffer) -> None:
    """FatalError for terms under which such a committee would be no good."""
    if not consensus.is_drawn:
        return
    terms = _terms(offer)
    if offer.failures < LEAST_FAILURES:
        raise FatalError(
            f"--failures {offer.failures} is too few for a committee that is drawn",
            cause="a cycle whose draw was bad is tried again with another committee",
            next_step=f"give --failures {LEAST_FAILURES} or more",
        )
    if consensus.kind == COUPLED and terms.min_updates <= offer.seats:
        raise FatalError(
            f"--min-updates {terms.min_updates} is too few for {offer.seats} seats drawn from the trainers",
            cause=OTHERS_JUDGE,
            next_step=f"give --min-updates {offer.seats + 1} or more, and as many --trainers",
        )
    if consensus.kind == HYBRID:
        _check_hybrid(len(consensus.members), terms)


def _check_hybrid(appointed: int, terms: JobTerms) -> None:
    if appointed >= terms.quorum:
        problem = "they would agree on anything by themselves"
    elif appointed > terms.seats - terms.quorum:
        problem = "they could block every round by themselves"
    elif not appointed:
        raise FatalError("--validators names nobody", next_step="name those who sit in every cycle, or use staked")
    else:
        return
    raise FatalError(
        f"{appointed} appointed members of {terms.seats} are too many for a quorum of {terms.quorum}",
        cause=problem,
        next_step=f"appoint {terms.seats - terms.quorum} at most",
    )


def check_randomness(chain: Chain, consensus: Consensus) -> str | None:
    """FatalError where the chain's randomness is too weak for such a committee; a warning where it just does."""
    if not consensus.is_drawn:
        return None
    found = randomness_of(chain)
    if found == Randomness.RANDAO:
        return None
    why = DRAWING[found].why
    if (problem := committee_problem(consensus.kind, found)) is not None:
        raise FatalError(f"--consensus {consensus.kind} is not safe on this chain", cause=problem)
    return f"--consensus {consensus.kind} is for parties that trust each other on this chain: {why}"


def check_pool(session: Session, consensus: Consensus, offer: JobOffer, prepared: PreparedJob, by: Address) -> None:
    """FatalError where the pool would not serve the job, or is not filled."""
    assert consensus.at is not None
    pool = Pool.of(session.chain, consensus.at)
    if pool is None:
        raise FatalError(
            f"{consensus.at} is no pool of stakes of this version",
            next_step="leave --committee out, and a pool for this job is deployed",
        )
    if set(pool.appointed()) != set(consensus.members):
        raise FatalError(
            f"the pool {pool.address} appoints {', '.join(pool.appointed()) or 'nobody'}",
            next_step="name exactly these with --validators" if pool.appointed() else "use --consensus staked",
        )
    problems = unserved(pool.terms(), session.deployment.federation, offer, digest_of(prepared.spec.encode()), by)
    if problems:
        raise FatalError(
            f"the pool {pool.address} does not serve this job",
            cause="; ".join(problems),
            next_step="change these, or leave --committee out, and a pool for this job is deployed",
        )
    if pool.stakers() < FILLED * consensus.drawn:
        raise FatalError(
            f"the pool {pool.address} has {pool.stakers()} stakers",
            cause=f"{FILLED} for each of the {consensus.drawn} seats that are drawn are needed",
            next_step=f"others run `hansa aggregator stake --pool {pool.address}` first",
        )


def unserved(pool: PoolTerms, federation: Address, offer: JobOffer, spec: bytes, sponsor: Address) -> list[str]:
    """Why a pool would not draw for a job, in words."""
    terms, bounds = _terms(offer), f"{pool.min_phase} to {pool.max_phase} s"
    steps = {"score": terms.score_time, "reveal": terms.reveal_time, "vote": terms.vote_time}
    steps |= {name: time for name, time in (("attest", terms.attest_time), ("release", terms.release_time)) if time}
    said = [
        (pool.federation != federation, f"it serves the federation {pool.federation}"),
        (sponsor not in pool.sponsors, f"{sponsor} is not among its sponsors"),
        (spec not in pool.specs, "this spec is not among its own: it was deployed for another task or other settings"),
        (offer.fee < pool.min_fee, f"it asks for a fee of {pool.min_fee} units"),
        (offer.seats > pool.max_seats, f"it fills {pool.max_seats} seats at most"),
    ]
    said += [
        (not pool.min_phase <= time <= pool.max_phase, f"{name} takes {time} s, and {bounds} are its bounds")
        for name, time in steps.items()
    ]
    said += [
        (time > pool.max_phase, f"{name} takes {time} s, and {pool.max_phase} s is the most")
        for name, time in (("submit", terms.submit_time), ("finalize", terms.finalize_time))
    ]
    return [words for is_wrong, words in said if is_wrong]


def deploy_committee(
    session: Session,
    signer: Signer,
    consensus: Consensus,
    offer: JobOffer,
    prepared: PreparedJob,
    rules: PoolRules,
) -> Address:
    """The committee contract of a job, deployed where it isn't there yet. A new pool is empty."""
    if consensus.at is not None:
        return consensus.at
    if consensus.kind == APPOINTED:
        return create(signer, "AppointedCommittee", list(consensus.members))
    if consensus.kind == COUPLED:
        return create(signer, "TrainerCommittee")
    spec = digest_of(prepared.spec.encode())
    terms = pool_terms(offer, rules, session.deployment.federation, session.deployment.token, [signer.address], [spec])
    if consensus.kind == HYBRID:
        return create(signer, "HybridCommittee", terms.values(), list(consensus.members))
    return create(signer, "StakedCommittee", terms.values())


def pool_terms(
    offer: JobOffer,
    rules: PoolRules,
    federation: Address,
    token: Address,
    sponsors: Sequence[Address],
    specs: Sequence[bytes],
) -> PoolTerms:
    """A pool for jobs like the one offered: phases half as long to twice as long."""
    terms = _terms(offer)
    steps = (terms.score_time, terms.reveal_time, terms.vote_time)
    return PoolTerms(
        federation=federation,
        token=token,
        unit=rules.unit,
        minimum=rules.minimum,
        epoch_time=rules.epoch,
        report_time=rules.report,
        min_phase=rules.shortest or max(1, min(steps) // 2),
        max_phase=2 * max(*steps, terms.submit_time, terms.finalize_time),
        min_fee=offer.fee,
        max_seats=offer.seats,
        sponsors=tuple(sponsors),
        specs=tuple(digest for digest in specs),  # type: ignore[misc]
    )


def _terms(offer: JobOffer) -> JobTerms:
    anyone = Address("0x" + "00" * 20)
    return job_terms(
        offer,
        token=anyone,
        committee=anyone,
        admission=anyone,
        spec=NO_HASH,  # type: ignore[arg-type]
        model=NO_HASH,  # type: ignore[arg-type]
    )
