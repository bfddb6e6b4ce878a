"""What a committee member owes a job beside its cycles: its key, the models it worked out, strikes; and its fees."""

from __future__ import annotations

from aggregator.config import ValidatorConfig
from hansa.protocol import envelope
from hansa.protocol.types import Address, CycleId, Digest, Phase, Seat
from hansa.runtime.chain.federation import JobState
from hansa.runtime.history.reader import CycleRecord, Finalized
from hansa.runtime.participant import Participant
from hansa.runtime.transactions.sender import Mined, Pending, Refused

KEPT_MODELS = 2  # of its own in the journal; the store pins as many as it is told


class Member(Participant):
    """A committee member of one job, whatever phase it is in."""

    def __init__(self, config: ValidatorConfig) -> None:
        super().__init__(config)
        self._settled_rounds = 0
        self._announced = False
        self._served: CycleId | None = None  # the last finalised cycle whose model needs nothing more

    def took_part(self, cycle: CycleRecord) -> bool:
        return self.me not in cycle.committee or Seat(cycle.committee.index(self.me)) in cycle.votes

    def still_needed(self) -> set[Digest]:
        """Files that may have to be served again: the last models, and nothing of cycles that failed."""
        return {outcome.model for outcome in self.finalized()[-KEPT_MODELS:]}

    def seat(self, committee: tuple[Address, ...]) -> Seat | None:
        return Seat(committee.index(self.me)) if self.me in committee else None

    def announce(self) -> None:
        """Puts this daemon's encryption key in force, where another one or none is announced."""
        if self._announced:
            return
        key = envelope.public_key(self.secret)
        known = self.federation.announced_key(self.me)
        if known == key:
            self._announced = True
            return
        if known is not None:
            self.log.warning("another encryption key was announced for this account; announcing its own again")
        self.send(self.federation.announce_key_call(key), "announce", known or b"")

    # --- after a round

    def serve_model(self, state: JobState) -> bool:
        """Publishes the last finalised model where this member worked it out: who finalised may have kept it back, and
        FINALIZE may be over before others see it. True when there is nothing left to do."""
        if not (state.phase <= Phase.SCORE or state.phase.is_over):
            return True
        last = next((c for c in reversed(self.history().cycles) if isinstance(c.outcome, Finalized)), None)
        if last is None or not isinstance(last.outcome, Finalized) or last.cycle == self._served:
            return True
        if not self.is_past(Phase.VOTE, last):
            self.awaited = state.ended_at
            return False
        if self.journal.has_blob(last.outcome.model):
            self.publish(last.outcome.model)
        self._served = last.cycle
        return True

    def settle_strikes(self, state: JobState) -> None:
        """Claims struck leaves, so that the penalty is taken while the bond is still there."""
        rounds = self.replay().rounds
        for round_ in range(self._settled_rounds + 1, len(rounds) + 1):
            leaves = rounds[round_ - 1].leaves
            struck = [leaf.trainer for leaf in leaves if leaf.strike]
            if struck and not self.root_stands(round_):
                self.log.error("the committee voted other rewards than its sheets say", round=round_)
            elif any(not self.federation.claimed(self.job, trainer, round_) for trainer in struck):
                if not self.turn(self._rank(state), self.context.terms.slash_time):
                    return
                calls = {trainer: self.claim_call(trainer, [round_]) for trainer in struck}
                sent = [self.send(call, "strike", trainer, round_) for trainer, call in calls.items()]
                if any(isinstance(outcome, Pending) for outcome in sent):
                    return
            self._settled_rounds = round_

    def _rank(self, state: JobState) -> int:
        return state.committee.index(self.me) if self.me in state.committee else len(state.committee)

    def leave(self, state: JobState, seat: Seat | None) -> bool:
        """Settles what is left and takes the fees; True when that is done. FatalError for fees that can't be had."""
        self.settle_strikes(state)
        if self._settled_rounds < len(self.replay().rounds):
            return False
        if seat is not None and state.matched[seat]:
            call, key = self.federation.claim_seat_fees_call(self.job, seat), "seat fees"
            fees = state.matched[seat] * self.context.terms.fee_per_seat
        elif fees := self.federation.fees(self.job, self.me):
            call, key = self.federation.claim_fees_call(self.job, self.me), "fees"
        else:
            return True
        sent = self.send(call, key)
        if isinstance(sent, Mined):
            self.metrics.claimed.inc(fees)
        if isinstance(sent, Refused):
            self.report_unclaimed("fees", fees, self.federation.books(self.job, self.head), sent)
        return not isinstance(sent, Pending)
