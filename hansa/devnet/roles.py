"""What the processes of a federation run; imported by the warm process, so that a fork finds everything loaded."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account

from aggregator import ValidatorConfig
from aggregator.validator import Validator
from client import TrainerConfig
from client.trainer import Trainer
from hansa.protocol.types import JobId
from hansa.runtime.chain.deployment import Deployment
from hansa.tasks import load_task


@dataclass(frozen=True)
class Role:
    """One daemon's part: plain values, so that a process can be given it.

    deployment: JSON. key: the private key (a published one). options: further fields of the daemon's configuration.
    """

    kind: str  # 'trainer' or 'validator'
    deployment: str
    key: bytes
    journal: Path
    job: int
    options: dict[str, Any]


def play(role: Role) -> None:
    """Runs the daemon until its job is over."""
    deployment = Deployment.model_validate_json(role.deployment)
    account = Account.from_key(role.key)
    common = {"deployment": deployment, "account": account, "journal": role.journal, "job": JobId(role.job)}
    if role.kind == "trainer":
        Trainer(TrainerConfig(**common, **role.options)).run()
    else:
        Validator(ValidatorConfig(**common, **role.options)).run()


@dataclass(frozen=True)
class BaselineStudy:
    """What the final table measures beside the federated model."""

    task: str
    settings: dict[str, Any]
    seed: int
    steps: int
    task_file: Path | None
    task_digest: str | None


def measure_baselines(study: BaselineStudy, out: Path) -> None:
    """Trains and measures what a doubter would ask for; writes it to `out` as JSON, whole or not at all."""
    os.nice(5)
    task = load_study(study)
    scores = task.baselines(steps=study.steps, seed=study.seed) if hasattr(task, "baselines") else {}
    part = out.with_suffix(".part")
    part.write_text(json.dumps({name: {"label": s.label, "by_party": s.by_party} for name, s in scores.items()}))
    part.replace(out)


def load_study(study: BaselineStudy) -> Any:
    """The task with the job's settings."""
    allowed = [str(study.task_file)] if study.task_file else [study.task, study.task.partition(":")[0]]
    return load_task(
        study.task,
        study.settings,
        study.seed,
        task_digest=study.task_digest,
        task_file=study.task_file,
        allowed=allowed,
    )
