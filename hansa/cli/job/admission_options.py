"""Options of `hansa job post` that say who may train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hansa.cli.command import in_panel
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.errors import FatalError
from hansa.protocol.types import JobId
from hansa.runtime.accounts import address_of
from hansa.runtime.amounts import Token
from hansa.runtime.chain.bytecode import require_contract
from hansa.runtime.identity.admission import ONE, ByCredential, ByReputation, rule_of
from hansa.runtime.identity.registry import without
from hansa.runtime.session import Session
from hansa.runtime.snapshot import check_job
from hansa.runtime.workspace import Workspace
from hansa.sponsor.admission import AdmissionChoice, require_number

WHO = in_panel("Who may train")
OPEN, CREDENTIAL, REPUTATION = "open", "credential", "reputation"


@dataclass(frozen=True)
class AdmissionOptions:
    """As they were typed."""

    admission: Annotated[
        str,
        WHO("--admission", help="open (everybody), credential, reputation, or the address of a contract that decides."),
    ] = OPEN
    issuers: Annotated[
        list[str] | None,
        WHO("--issuer", help="credential: who vouches for trainers, a keystore's name or address; repeat it."),
    ] = None
    schema: Annotated[
        str | None, WHO("--schema", help=f"credential: what they must be vouched for as, {PARTICIPANT} by default.")
    ] = None
    jobs: Annotated[
        str | None, WHO("--jobs", help="reputation: jobs whose last round says enough, like 1,2.", metavar="JOBS")
    ] = None
    min_reputation: Annotated[
        str | None,
        WHO("--min-reputation", help="reputation: the least, 0 to 1, like 0.3.", metavar="DECIMAL"),
    ] = None
    recheck: Annotated[
        bool | None,
        WHO(
            "--recheck/--no-recheck",
            help="Ask again at every submission, so that a revoked trainer submits no more; usual for credentials.",
        ),
    ] = None

    def choice(self, workspace: Workspace, session: Session) -> AdmissionChoice:
        """What they mean; FatalError for what doesn't go together."""
        self._require_own()
        if self.admission == OPEN:
            return AdmissionChoice(recheck=bool(self.recheck))
        if self.admission == CREDENTIAL:
            return AdmissionChoice(self._by_credential(workspace, session), recheck=self.recheck is not False)
        if self.admission == REPUTATION:
            return AdmissionChoice(self._by_reputation(session), recheck=bool(self.recheck))
        if not self.admission.startswith("0x"):
            raise FatalError(
                f"--admission {self.admission!r} is nothing that admits",
                next_step=f"use {OPEN}, {CREDENTIAL}, {REPUTATION}, or the address of a contract",
            )
        at = address_of(workspace, self.admission)
        require_contract(session.chain, at, "admission")
        rule = rule_of(session.chain, at)
        usual = isinstance(rule, ByCredential)
        return AdmissionChoice(rule, at, recheck=usual if self.recheck is None else self.recheck)

    def _require_own(self) -> None:
        """FatalError for an option of another kind of admission than the one that is asked for."""
        for kind, options in (
            (CREDENTIAL, {"--issuer": self.issuers, "--schema": self.schema}),
            (REPUTATION, {"--jobs": self.jobs, "--min-reputation": self.min_reputation}),
        ):
            for option, value in options.items():
                if value is not None and self.admission != kind:
                    raise FatalError(
                        f"{option} says nothing where --admission is {self.admission}",
                        next_step=f"add --admission {kind}, or leave it out",
                    )

    def _by_credential(self, workspace: Workspace, session: Session) -> ByCredential:
        issuers = tuple(dict.fromkeys(address_of(workspace, name.strip()) for name in self.issuers or ()))
        require_number("--issuer", len(issuers))
        if (credentials := session.deployment.credentials) is None:
            raise without("credentials", session.deployment)
        return ByCredential(credentials, schema_of(self.schema or PARTICIPANT), issuers)

    def _by_reputation(self, session: Session) -> ByReputation:
        if self.min_reputation is None or self.jobs is None:
            raise FatalError(
                "--admission reputation asks for nothing",
                next_step="say which jobs and how much, like --jobs 1,2 --min-reputation 0.3",
            )
        minimum = Token("", "", 6).units(self.min_reputation, "--min-reputation")
        if not 0 < minimum <= ONE:
            raise FatalError(f"--min-reputation {self.min_reputation} is out of range", next_step="0 to 1 are possible")
        try:
            jobs = tuple(dict.fromkeys(JobId(int(number)) for number in self.jobs.split(",")))
        except ValueError:
            raise FatalError(f"--jobs {self.jobs!r} is no list of jobs", next_step="write it like 1,2") from None
        require_number("--jobs", len(jobs))
        for job in jobs:
            check_job(session.federation, job)
        return ByReputation(session.deployment.federation, minimum, jobs)
