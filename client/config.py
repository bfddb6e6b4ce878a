"""Settings of one trainer daemon."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

from hansa.protocol.types import JobId, Wei
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.transactions.gas_price import FeeCaps


@dataclass(frozen=True)
class TrainerConfig:
    """What one trainer daemon needs; one daemon a key and job.

    source: the trainer's own rows, as its task understands it (a party's number, a path).
    bond: in the token's smallest unit; None bonds the least that the job asks for.
    keep_going: go on after a cycle that failed with this trainer's update in.
    keep_models: models back that stay pinned.
    max_bytes: largest model or update file that this trainer accepts a job for.
    wait_for_bond: seconds to stay after the end for the bond to be free; it never expires.
    min_claim: seconds that a job must leave after its end to claim what it pays.
    threads: torch threads; None leaves torch's own choice.
    """

    deployment: Deployment
    account: LocalAccount
    journal: Path
    job: JobId
    source: str
    bond: Wei | None = None
    keep_going: bool = False
    keep_models: int = 3
    max_bytes: int = 2**30
    min_claim: int = 3600
    wait_for_bond: float = 600.0
    threads: int | None = 1
    task_file: Path | None = None
    allow: frozenset[str] = field(default_factory=frozenset)
    log_file: Path | None = None
    caps: FeeCaps = FeeCaps()
