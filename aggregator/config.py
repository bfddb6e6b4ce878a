"""Settings of one validator daemon."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

from hansa.protocol.types import JobId
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.transactions.gas_price import FeeCaps


@dataclass(frozen=True)
class ValidatorConfig:
    """What one validator daemon needs; one daemon a key and job.

    keep_models: models back that stay pinned; None keeps every model, for those who audit the job later.
    max_bytes: largest model or update file that this member handles.
    min_claim: seconds that a job must leave after its end to claim what it pays.
    threads: torch threads; None leaves torch's own choice.
    """

    deployment: Deployment
    account: LocalAccount
    journal: Path
    job: JobId
    keep_models: int | None = None
    max_bytes: int = 2**30
    min_claim: int = 3600
    threads: int | None = 1
    task_file: Path | None = None
    allow: frozenset[str] = field(default_factory=frozenset)
    log_file: Path | None = None
    caps: FeeCaps = FeeCaps()
