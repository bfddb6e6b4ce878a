"""Whom the job of a federation on one machine takes: what has to be there first is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from hansa.devnet.setup import Setup
from hansa.devnet.waiting import Waiting
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.types import Address
from hansa.runtime.identity.admission import ByCredential, ByReputation
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import Signer
from hansa.sponsor.admission import EVERYBODY, AdmissionChoice
from hansa.sponsor.post import PostedJob

ADMISSIONS: Final = ("open", "credential", "reputation")
EARLIER_ROUNDS: Final = 2
LEAST: Final = 50_000  # of a reputation, in 1e-6: less than one paid round of the last two gives
CREDENTIAL_SECONDS: Final = 30 * 86_400


class Admitting(Waiting):
    """The part of a `LocalFederation` that sees to who may train."""

    setup: Setup
    session: Session
    posted: PostedJob
    say: Callable[[str], None]
    first_block = 0  # before which nothing counts as the job's

    @property
    def trainers(self) -> list[Address]:
        raise NotImplementedError

    def sponsor(self) -> AbstractContextManager[Signer]:
        """The sponsor's key, while nobody else uses it."""
        raise NotImplementedError

    def post(self, choice: AdmissionChoice, rounds: int | None = None) -> None:
        """Posts the job, and makes a daemon of everybody for it; none runs yet. rounds: others than it is to have."""
        raise NotImplementedError

    def start_all(self, timeout: float | None = None) -> None:
        raise NotImplementedError

    def settle(self) -> None:
        raise NotImplementedError

    def prepare_admission(self) -> AdmissionChoice:
        """Vouches for every trainer, or lets them earn a reputation in an earlier job, as the set-up asks."""
        match self.setup.admission:
            case "credential":
                return self._vouch()
            case "reputation":
                return self._earn()
        return EVERYBODY

    def _vouch(self) -> AdmissionChoice:
        """The sponsor issues; its word is asked for again at every submission."""
        self.say("issuing credentials to the trainers")
        with self.sponsor() as signer:
            return AdmissionChoice(vouch(self.session, signer, self.trainers), recheck=True)

    def _earn(self) -> AdmissionChoice:
        """A short job for everybody runs to its end first."""
        self.say(f"running an earlier job of {EARLIER_ROUNDS} rounds")
        self.post(EVERYBODY, rounds=EARLIER_ROUNDS)
        self.start_all()
        self.wait_for_end()
        self.wait_for_exit()
        self.settle()
        self.first_block = self.session.chain.head().number + 1
        return AdmissionChoice(ByReputation(self.session.deployment.federation, LEAST, (self.posted.job,)))


def vouch(session: Session, issuer: Signer, trainers: Sequence[Address]) -> ByCredential:
    """Gives every trainer a credential; the rule that asks for one."""
    schema, book = schema_of(PARTICIPANT), CredentialBook.of(session.chain, session.deployment)
    expires = session.chain.latest().timestamp + CREDENTIAL_SECONDS
    for trainer in trainers:
        issuer.do(book.attest(schema, trainer, expires))
    return ByCredential(book.address, schema, (issuer.address,))
