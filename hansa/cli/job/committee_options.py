"""`hansa job post`'s options of its committee, and what is made of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from rich.console import Console

from hansa.cli.command import Command, in_panel
from hansa.protocol.errors import FatalError, check_range
from hansa.protocol.tables import LIMITS
from hansa.protocol.text import counted
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of
from hansa.runtime.chain.deployment import checksummed
from hansa.runtime.deploy import trusting
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import Signer
from hansa.runtime.workspace import Workspace
from hansa.sponsor.committees import (
    APPOINTED,
    CONSENSUS,
    FILLED,
    HYBRID,
    LEAST_FAILURES,
    Consensus,
    PoolRules,
    check_consensus,
    check_kind,
    check_pool,
    check_randomness,
    deploy_committee,
)
from hansa.sponsor.post import PreparedJob
from hansa.sponsor.terms import JobOffer, seconds

COMMITTEE = in_panel("Committee")
CONSENSUS_HELP = f"Who fills the committee: {', '.join(CONSENSUS)} (from the trainers)."


@dataclass(frozen=True)
class PoolView:
    """A pool that was deployed; no job was posted."""

    pool: Address
    seats: int
    stakers_needed: int


@dataclass(frozen=True)
class CommitteeOptions:
    consensus: Annotated[str, COMMITTEE("--consensus", help=CONSENSUS_HELP)] = APPOINTED
    validators: Annotated[
        str, COMMITTEE("--validators", help="Those appointed: addresses or keystore names, with commas.")
    ] = ""
    seats: Annotated[
        int | None, COMMITTEE("--seats", help="Members of each committee; as many as are appointed by default.")
    ] = None
    committee: Annotated[
        str | None,
        COMMITTEE("--committee", help="The pool to draw from. Without it one is deployed, and nothing is posted yet."),
    ] = None
    stake_unit: Annotated[str, COMMITTEE("--stake-unit", help="Of a new pool: tokens that weigh 1.")] = "1"
    stake_minimum: Annotated[int, COMMITTEE("--stake-minimum", help="Of a new pool: units to stake.", min=1)] = 100
    epoch: Annotated[
        str, COMMITTEE("--epoch", help="Of a new pool: a change counts from the next epoch on, like 1h.")
    ] = "1h"
    report_time: Annotated[str, COMMITTEE("--report-time", help="Of a new pool: to report a fault, like 7d.")] = "7d"

    def chosen(self, workspace: Workspace) -> Consensus:
        """FatalError for members and seats that don't fit each other."""
        kind = check_kind(self.consensus)
        members = [address_of(workspace, name.strip()) for name in self.validators.split(",") if name.strip()]
        if len(set(members)) != len(members):
            raise FatalError("a validator is named twice", next_step="name each member of the committee once")
        if kind in (APPOINTED, HYBRID) and not members:
            raise FatalError("--validators names nobody", next_step="name keystores or addresses, with commas")
        if kind not in (APPOINTED, HYBRID) and members:
            raise FatalError(
                f"--validators names members of a committee that is {kind}",
                cause="all its members are drawn",
                next_step="leave it out, or use --consensus hybrid",
            )
        seats = len(members) if kind == APPOINTED and self.seats is None else self.seats
        if seats is None:
            raise FatalError("how many members are drawn is not said", next_step="give --seats")
        check_range("--seats", seats, len(members) + (kind == HYBRID) if members else 1, LIMITS.seats)
        if kind == APPOINTED and seats != len(members):
            raise FatalError(f"--seats {seats} is not the number of --validators", next_step="leave --seats out")
        return Consensus(kind, seats, tuple(members), self._at(kind))

    def failures(self, given: int | None) -> int:
        """Failed cycles in a row that abort the job, as given or as is usual."""
        return given if given is not None else 3 if self.consensus == APPOINTED else LEAST_FAILURES

    def _at(self, kind: str) -> Address | None:
        if self.committee is None:
            return None
        if kind == APPOINTED:
            raise FatalError("--committee is given for an appointed committee", next_step="name --validators alone")
        try:
            return checksummed(self.committee)
        except ValueError as error:
            raise FatalError(f"--committee {self.committee!r} is no address", cause=error) from error

    def rules(self, session: Session) -> PoolRules:
        unit = session.token().units(self.stake_unit, "--stake-unit")
        check_range("--stake-unit in units", unit, 1, 2**96 - 1)
        return PoolRules(unit, self.stake_minimum, seconds(self.epoch), seconds(self.report_time))


def check_committee(
    session: Session, consensus: Consensus, offer: JobOffer, prepared: PreparedJob, by: Address
) -> None:
    """FatalError for a committee that the job had better not have."""
    check_consensus(consensus, offer)
    if warning := check_randomness(session.chain, consensus):
        print(f"hansa: {warning}", file=sys.stderr)
    if consensus.has_pool and consensus.at is not None:
        check_pool(session, consensus, offer, prepared, by)


def committee_for(
    session: Session,
    signer: Signer,
    options: CommitteeOptions,
    consensus: Consensus,
    offer: JobOffer,
    prepared: PreparedJob,
) -> Address | None:
    """The contract that a job is to be posted with; None where `post_job` appoints it."""
    if not consensus.is_drawn:
        return None
    return deploy_committee(session, signer, consensus, offer, prepared, options.rules(session))


def answer_pool(command: Command, consensus: Consensus, pool: Address) -> None:
    """Says that a pool is there, and what it needs."""
    workspace = command.workspace
    trusting(workspace.deployment(), pool).save(workspace.deployment_file)
    view = PoolView(pool, consensus.seats, FILLED * consensus.drawn)
    command.answer(view, lambda console: _show(console, view, command.dir_option))


def _show(console: Console, view: PoolView, where: str) -> None:
    stakers = counted(view.stakers_needed, "staker")
    console.print(f"pool {view.pool} deployed for this job; nothing is posted before it has {stakers}:")
    console.print(f"  hansa aggregator stake --pool {view.pool} --amount TOKENS --account NAME{where}")
    console.print(f"then the same command again with --committee {view.pool}")


def names_or_anybody(names: Sequence[str]) -> list[str]:
    """Names for a suggested command."""
    return list(names) or ["NAME"]
