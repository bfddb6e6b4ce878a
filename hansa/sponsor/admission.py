"""Whom a job takes as trainers: an admission contract that is there, or one that is deployed for it."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.deploy import create
from hansa.runtime.identity.admission import ByCredential, ByItsOwnRule, ByReputation, Rule
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import Signer

MOST = 16  # issuers, or jobs, of one admission


@dataclass(frozen=True)
class AdmissionChoice:
    """at: a contract that is there; without one, what `rule` asks for is deployed, or the deployment's own that takes
    everybody. recheck: it is asked again at every submission."""

    rule: Rule = ByItsOwnRule()
    at: Address | None = None
    recheck: bool = False

    def place(self, session: Session, signer: Signer) -> Address:
        """The contract's address; it is deployed where it has to be."""
        if self.at is not None:
            return self.at
        match self.rule:
            case ByCredential(credentials, schema, issuers):
                return create(signer, "CredentialAdmission", credentials, schema, list(issuers))
            case ByReputation(federation, minimum, jobs):
                return create(signer, "ReputationAdmission", federation, minimum, list(jobs))
        return session.deployment.admission


EVERYBODY = AdmissionChoice()


def require_number(option: str, number: int) -> None:
    """FatalError for more than a contract takes, or none."""
    if not 1 <= number <= MOST:
        raise FatalError(f"{option} names {number or 'nobody'}", next_step=f"name 1 to {MOST}")
