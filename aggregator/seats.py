"""Whether an account can have a seat in a job at all."""

from __future__ import annotations

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.bytecode import is_ours
from hansa.runtime.chain.federation import Federation, JobState
from hansa.runtime.chain.pool import Pool


def check_can_be_drawn(federation: Federation, job: JobId, state: JobState, account: Address) -> None:
    """FatalError where the job's committee is appointed, without this account: nothing that it pays for would help."""
    terms = federation.terms(job)
    if account in state.committee or not is_ours(federation.chain, "AppointedCommittee", terms.committee):
        return
    members = federation.expected_committee(job, terms, state)
    if members is not None and account not in members:
        raise FatalError(
            f"{account} can never have a seat in job {job}",
            cause=f"its committee {terms.committee} is appointed: {', '.join(members)}",
            next_step="name one of these accounts with --account, or pick a job whose sponsor appointed yours",
        )


def has_work(federation: Federation, job: JobId, state: JobState, account: Address) -> bool:
    """Whether a job has anything for this member: a seat that it has or may have, or fees that it has not taken."""
    if state.phase.is_over:
        seat = state.seat_of(account)
        return bool(federation.fees(job, account) or (seat is not None and state.matched[seat]))
    try:
        check_can_be_drawn(federation, job, state, account)
    except FatalError:
        return False
    return missing_stake(federation, job, state, account) is None


def missing_stake(federation: Federation, job: JobId, state: JobState, account: Address) -> Pool | None:
    """The pool that a job draws its committees from, where only a stake in it would give this account a seat."""
    pool = Pool.of(federation.chain, federation.terms(job).committee)
    if pool is None or account in (*state.committee, *pool.appointed()) or pool.stake_of(account).weight:
        return None
    return pool
