"""Strikes of finalised rounds: claimed by the members, so that the penalty is taken while the bond is still there."""

from __future__ import annotations

from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.types import Address
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.transactions.sender import Pending


class StrikeSettler:
    """Goes through the rounds in order, each once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._settled = 0  # rounds

    def settle(self, state: JobState) -> bool:
        """Claims struck leaves when it is this member's turn; whether all are claimed."""
        for round_, ledger in enumerate(self._desk.follower.ledgers(after=self._settled), self._settled + 1):
            struck = [leaf.trainer for leaf in ledger.leaves if leaf.strike]
            if struck and not self._settle_round(state, round_, ledger.leaves, struck):
                return False
            self._settled = round_
        return True

    def _settle_round(self, state: JobState, round_: int, leaves: list[Leaf], struck: list[Address]) -> bool:
        desk, follower = self._desk, self._desk.follower
        federation, job = follower.federation, follower.job
        tree = RewardsTree(leaves)
        if follower.finalized()[round_ - 1].rewards != tree.root:
            desk.log.error("the committee voted other rewards than its sheets say", round=round_)
            return True
        if all(federation.claimed(job, trainer, round_) for trainer in struck):
            return True
        rank = state.committee.index(desk.me) if desk.me in state.committee else len(state.committee)
        if not desk.turns.has_come(rank, follower.context.terms.slash_time):
            return False
        claims = {trainer: (round_, tree.leaf(trainer), tree.proof(trainer)) for trainer in struck}
        sent = [
            desk.send(federation.claim_call(job, trainer, [claim]), "strike", trainer, round_)
            for trainer, claim in claims.items()
        ]
        return not any(isinstance(outcome, Pending) for outcome in sent)
