"""Who decides in a job, whom it takes, and on whose rows its members measure: as JSON and in a line each."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.spec import JobSpec
from hansa.protocol.text import counted
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.bytecode import is_ours
from hansa.runtime.chain.dialects import APPOINTED, COUPLED, HYBRID, STAKED
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.pool import Pool
from hansa.runtime.chain.structs import JobState, JobTerms
from hansa.runtime.identity.admission import ONE, ByCredential, ByReputation, rule_of

MEASURES = {
    "dealt": "on rows that all parties give for it, dealt out by seat",
    "own": "on rows of each validator's own, which nobody else sees: pay follows whoever sits there",
}
OTHER = "other"  # a contract that is none of ours: nobody but its author knows its rule


@dataclass(frozen=True)
class CommitteeView:
    contract: Address
    kind: str  # appointed, staked, hybrid, coupled, other
    appointed: list[Address]  # who sits in every attempt
    stakers: int | None  # in the pool that seats are drawn from; None without one
    says: str


@dataclass(frozen=True)
class AdmissionView:
    """What is asked for. minimum: of a reputation, in 1e-6. recheck: asked again at every submission."""

    contract: Address
    kind: str  # open, credential, reputation, other
    issuers: list[Address]
    schema: str | None
    jobs: list[int]
    minimum: int | None
    recheck: bool
    says: str


@dataclass(frozen=True)
class PartiesView:
    committee: CommitteeView
    admission: AdmissionView
    measures: str | None  # on whose rows members do; None where the spec can't be read


def view_parties(
    federation: Federation, job: JobId, terms: JobTerms, state: JobState, spec: JobSpec | None
) -> PartiesView:
    """As of now: contracts never change, the number of stakers does."""
    measures = None if spec is None else MEASURES[spec.validation]
    return PartiesView(
        _committee(federation, job, terms, state), _admission(federation, terms.admission, terms), measures
    )


def who_becomes_one(committee: CommitteeView) -> str:
    """Of a validator that can read updates: who that can be, where its sponsor has not named all of them."""
    return {
        STAKED: " Anybody who stakes in the pool can be drawn.",
        HYBRID: " Anybody who stakes in the pool can be drawn.",
        COUPLED: " Every trainer of the job can be drawn.",
        OTHER: " Who that is, its committee's contract alone says.",
    }.get(committee.kind, "")


def _committee(federation: Federation, job: JobId, terms: JobTerms, state: JobState) -> CommitteeView:
    at, seats = terms.committee, counted(terms.seats, "seat")
    agree = f"{terms.quorum} must agree"
    if is_ours(federation.chain, "TrainerCommittee", at):
        says = f"{COUPLED}: {seats}, drawn from the job's own trainers anew in every attempt; {agree}"
        return CommitteeView(at, COUPLED, [], None, says)
    pool = Pool.of(federation.chain, at)
    if pool is None:
        return _by_itself(federation, job, terms, state)
    named, stakers = list(pool.appointed()), pool.stakers()
    drawn = f"drawn by stake from {counted(stakers, 'staker')} of the pool {at} anew in every attempt"
    if named:
        says = f"{HYBRID}: {seats}, of which {len(named)} for {', '.join(named)}, the others {drawn}; {agree}"
        return CommitteeView(at, HYBRID, named, stakers, says)
    return CommitteeView(at, STAKED, [], stakers, f"{STAKED}: {seats}, {drawn}; {agree}")


def _by_itself(federation: Federation, job: JobId, terms: JobTerms, state: JobState) -> CommitteeView:
    at, agree = terms.committee, f"{terms.quorum} must agree"
    if not is_ours(federation.chain, "AppointedCommittee", at):
        says = f"{OTHER}: the contract {at} fills {counted(terms.seats, 'seat')} by a rule of its own; {agree}"
        return CommitteeView(at, OTHER, [], None, says)
    members = list(state.committee or federation.expected_committee(job, terms, state) or ())
    says = f"{APPOINTED}: the sponsor named {', '.join(members) or 'whoever decides'} for every attempt; {agree}"
    return CommitteeView(at, APPOINTED, members, None, says)


def _admission(federation: Federation, at: Address, terms: JobTerms) -> AdmissionView:
    chain, recheck = federation.chain, terms.recheck_admission
    again = "; asked again at every submission" if recheck else ""
    match rule_of(chain, at):
        case ByCredential(_, schema, issuers):
            name = PARTICIPANT if schema == schema_of(PARTICIPANT) else f"0x{schema.hex()}"
            says = f"credential: who has one of schema {name} by {' or '.join(issuers)}{again}"
            return AdmissionView(at, "credential", list(issuers), name, [], None, recheck, says)
        case ByReputation(other, minimum, jobs):
            of = counted(len(jobs), "job").partition(" ")[2] + f" {', '.join(map(str, jobs))}"
            where = of if other == federation.address else f"{of} of another federation, {other}"
            says = f"reputation: who has {minimum / ONE:.6g} or more in {where}{again}"
            return AdmissionView(at, "reputation", [], None, [int(job) for job in jobs], minimum, recheck, says)
    if is_ours(chain, "OpenAdmission", at):
        return AdmissionView(at, "open", [], None, [], None, recheck, "open: everybody")
    says = f"{OTHER}: whom the contract {at} takes by a rule of its own{again}"
    return AdmissionView(at, OTHER, [], None, [], None, recheck, says)
