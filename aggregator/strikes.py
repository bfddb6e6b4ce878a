"""Strikes of finalised rounds: claimed by the members, so that the penalty is taken while the bond is still there."""

from __future__ import annotations

from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.runtime.chain.federation import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.transactions.sender import Pending


class StrikeSettler:
    """Looks at each round once, and again where the chain replaced it; settles those with strikes in order."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looked: list[bytes] = []  # result hashes of the rounds that were looked at
        self._open: dict[int, list[Leaf]] = {}  # the leaves of rounds whose strikes are not claimed, by round

    def settle(self, state: JobState) -> bool:
        """Claims struck leaves when it is this member's turn; whether all are claimed."""
        self._look()
        while self._open:
            first = min(self._open)
            if not self._settle_round(state, first, self._open[first]):
                return False
            del self._open[first]
        return True

    def _look(self) -> None:
        follower = self._desk.follower
        hashes = [outcome.result_hash for outcome in follower.finalized()]
        while self._looked and self._looked != hashes[: len(self._looked)]:
            self._open.pop(len(self._looked), None)
            self._looked.pop()
        if (known := len(self._looked)) == len(hashes):
            return
        for round_, ledger in enumerate(follower.ledgers(after=known), known + 1):
            if any(leaf.strike for leaf in ledger.leaves):
                self._open[round_] = ledger.leaves
        self._looked = hashes

    def _settle_round(self, state: JobState, round_: int, leaves: list[Leaf]) -> bool:
        desk, follower = self._desk, self._desk.follower
        federation, job = follower.federation, follower.job
        struck = [leaf.trainer for leaf in leaves if leaf.strike]
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
