"""What stays the same through a job: its terms, its spec, who may be in it and what their updates weigh."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hansa.protocol.errors import NotAllowed
from hansa.protocol.privacy import MASKED, problems, who_sees
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.bytecode import is_ours
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Federation, JobTerms
from hansa.runtime.history.records import Enrolment
from hansa.runtime.store import Store

SPEC_LIMIT = 65_536  # bytes
SPEC_SECONDS = 30.0
LARGEST_WEIGHT = 255


def check_contracts(job: JobId, terms: JobTerms, deployment: Deployment, allow: Collection[str]) -> None:
    """NotAllowed for a job with a token, a committee or an admission that its user does not trust."""
    listed = deployment.allowed
    more = {item.lower() for item in allow}
    for kind, address, known in (
        ("token", terms.token, listed.tokens),
        ("committee", terms.committee, listed.committees),
        ("admission", terms.admission, listed.admissions),
    ):
        if address.lower() not in more | {item.lower() for item in known}:
            raise NotAllowed(
                f"job {job} uses the {kind} {address}",
                cause=f"it is not among the {kind}s that you trust",
                next_step=f"look at its code, then pass --allow {address}",
            )


@dataclass(frozen=True)
class JobContext:
    """The frozen facts of one job, from the chain (terms) and the store (spec)."""

    job: JobId
    terms: JobTerms
    spec: JobSpec

    @classmethod
    def read(cls, federation: Federation, store: Store, job: JobId, seconds: float = SPEC_SECONDS) -> JobContext:
        """Reads terms and spec. Raises FatalError where there is no such job, Malformed for a spec that is not one."""
        return cls.of(job, federation.terms(job), store, seconds)

    @classmethod
    def of(cls, job: JobId, terms: JobTerms, store: Store, seconds: float = SPEC_SECONDS) -> JobContext:
        """Reads the spec that the terms name."""
        return cls(job, terms, JobSpec.decode(store.get(terms.spec, limit=SPEC_LIMIT, timeout=seconds)))

    def check_allowed(self, chain: Chain, deployment: Deployment, allow: Collection[str], max_bytes: int) -> None:
        """Refuses, before anything is paid or run, a job that its user has not allowed.

        allow: further addresses and task names, as given with --allow. Raises NotAllowed.
        """
        check_contracts(self.job, self.terms, deployment, allow)
        if found := problems(self.spec, self.terms, appointed=self._is_appointed(chain)):
            raise NotAllowed(
                f"job {self.job} is not what its privacy {self.spec.privacy} asks for",
                cause="; ".join(found),
                next_step="pick another job, and tell its sponsor",
            )
        largest = max(self.spec.model_bytes, self.spec.update_bytes)
        if largest > max_bytes:
            raise NotAllowed(
                f"job {self.job} has files of up to {largest} bytes",
                cause=f"your limit is {max_bytes}",
                next_step=f"pass --max-bytes {largest} if this machine has the memory",
            )

    def _is_appointed(self, chain: Chain) -> bool:
        """Whether the committee is one that is never drawn anew, by its code. Asked where privacy rests on it alone."""
        return self.spec.privacy != MASKED or is_ours(chain, "AppointedCommittee", self.terms.committee)

    @property
    def who_sees(self) -> str:
        """Who can see one update in this job, in one sentence."""
        return who_sees(self.spec, self.terms.seats)

    def check_claim_time(self, least: int) -> None:
        """Refuses a job that leaves fewer than `least` seconds after its end to claim what it pays: later, that is
        burnt. Raises NotAllowed."""
        if self.terms.claim_time < least:
            raise NotAllowed(
                f"job {self.job} leaves {self.terms.claim_time} s after its end to claim what was earned",
                cause=f"your limit is {least} s, and what is claimed later is lost",
                next_step=f"pick another job, or pass --min-claim {self.terms.claim_time}s",
            )

    def weight(self, bond: int) -> int:
        """What a trainer's update weighs in the mean and in pay: 1, or its bond in units of the least bond."""
        if self.spec.weights == "equal":
            return 1
        return min(LARGEST_WEIGHT, bond // self.terms.min_bond)

    def weights(self, enrolled: Iterable[Enrolment]) -> dict[Address, int]:
        return {item.trainer: self.weight(item.bond) for item in enrolled}
