"""What of a federation on one machine doesn't go together."""

from __future__ import annotations

from hansa.devnet.admissions import ADMISSIONS
from hansa.devnet.chains.starting import ANVIL, check_kind
from hansa.devnet.kubo import find_ipfs
from hansa.devnet.setup import Setup
from hansa.protocol.errors import FatalError
from hansa.sponsor import committees
from hansa.sponsor.committees import COUPLED, HYBRID, OTHERS_JUDGE
from hansa.sponsor.privacy import check_appointed, check_mode


def check_setup(setup: Setup) -> Setup:
    """The same set-up. FatalError for kinds that there are none of, a store whose program is missing, and parts that
    don't go together."""
    check_appointed(check_mode(setup.privacy), committees.check_kind(setup.consensus))
    check_kind(setup.chain, setup.store)
    if setup.store == "kubo":
        find_ipfs()
    if setup.admission not in ADMISSIONS:
        raise FatalError(f"--admission {setup.admission!r} is none", next_step=f"use {', '.join(ADMISSIONS)}")
    _check_committee(setup)
    if setup.gasless:
        _check_gasless(setup)
    return setup


def _check_committee(setup: Setup) -> None:
    """A hybrid appoints as many as can't block a round, a coupled one needs updates of others than its members."""
    if setup.consensus == HYBRID and not setup.appointed:
        raise FatalError(
            f"--consensus {HYBRID} with --validators {setup.validators} appoints nobody",
            cause="a quorum takes all of its seats, so whoever is appointed could block every round",
            next_step="give --validators 3 or more, or use --consensus staked",
        )
    if setup.consensus == COUPLED and setup.trainers <= setup.validators:
        raise FatalError(
            f"--trainers {setup.trainers} is too few for {setup.validators} seats drawn from the trainers",
            cause=OTHERS_JUDGE,
            next_step=f"give --trainers {setup.validators + 1} or more, or fewer --validators",
        )


def _check_gasless(setup: Setup) -> None:
    if setup.consensus == COUPLED:
        raise FatalError(
            f"--gasless doesn't go with --consensus {COUPLED}",
            cause="trainers have seats, and a member sends its own steps: it needs coin",
            next_step="use another --consensus, or leave --gasless out",
        )
    if setup.chain != ANVIL:
        raise FatalError(
            f"--gasless doesn't go with --chain {setup.chain}",
            cause=f"of the chains that are started here only {ANVIL} takes an account's coin away",
            next_step=f"use --chain {ANVIL}, or leave --gasless out",
        )
