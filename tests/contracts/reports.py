"""Cycles that somebody is at fault in, and what a report of them must do."""

from __future__ import annotations

from node import refused
from pools import UNIT

from hansa.protocol.types import Phase

UNITS = 100  # at stake, of each
LOSS = UNITS * UNIT // 100


def seated(job):
    return sorted((who for who in job.members if who.address in job.state.committee), key=job.seat_of)


def do(job, step, members, **named):
    for who in members:
        getattr(job, step)(who, **named)


def finish(job, links):
    """A cycle in which everybody seated does its work."""
    job.reach(Phase.FINALIZE)
    return links.finalize()


def check_fault(pool, links, shown, at_fault, alice):
    """Exactly these seats lose 1 %; each once."""
    committee = shown.opening[1]
    for seat, member in enumerate(committee):
        if seat not in at_fault:
            with refused("Committee_NotAtFault", links.job.id, seat):
                links.report(pool, shown, seat, alice)
            continue
        before = tuple(pool.stakeOf(member))
        done = links.report(pool, shown, seat, alice)
        told = done.events["Slashed"]
        assert (told["account"], told["job"], told["seat"], told["amount"]) == (member, links.job.id, seat, LOSS)
        assert bytes(told["seed"]) == shown.seed
        assert tuple(pool.stakeOf(member))[0] == before[0] - LOSS
        assert pool.isReported(shown.seed, seat)
        with refused("Committee_AlreadyReported"):
            links.report(pool, shown, seat, alice)
    assert pool.burnt() == LOSS * len(at_fault)


def silent(job, links):
    """A cycle that seats 0 and 1 have let lapse."""
    job.reach(Phase.SCORE)
    do(job, "commit", seated(job)[2:])
    return links.fail()
