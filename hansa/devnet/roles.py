"""What the processes of a federation run; imported by the warm process, so that a fork finds everything loaded."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from eth_account import Account

from aggregator.validator import Validator
from client import TrainerConfig
from client.trainer import Trainer
from hansa.protocol.errors import TransientError
from hansa.protocol.spec import JobSpec
from hansa.runtime.daemon import backoff
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.log import open_log
from hansa.runtime.pair import Pair
from hansa.tasks import load_task_of

T = TypeVar("T")


@dataclass(frozen=True)
class Role:
    """One daemon's part, as a process can be given it.

    kind: 'trainer', 'validator', or 'coupled' for who is both. key: the private key (a published one). fields: the
    rest of the configuration. relay: HOST:PORT where it relays; None: it does not.
    """

    kind: str
    key: bytes
    fields: dict[str, Any]
    relay: str | None = None

    def config(self) -> Any:
        """The daemon's configuration."""
        kind = DaemonConfig if self.kind == "validator" else TrainerConfig
        return kind(account=Account.from_key(self.key), **self.fields)


def play(role: Role) -> None:
    """Runs the daemon until its job is over."""
    if role.kind == "coupled":
        begun(lambda: coupled(role.config())).run()
        return
    kind = Trainer if role.kind == "trainer" else Validator
    daemon = begun(lambda: kind(role.config()))
    if role.relay is not None:
        daemon.serve_relay(role.relay)
    daemon.run()


def begun(make: Callable[[], T]) -> T:
    """What `make` gives, once chain and store let it."""
    failures = 0
    while True:
        try:
            return make()
        except TransientError as error:
            failures += 1
            pause = backoff(failures)
            open_log().warning("will try again", error=str(error), seconds=round(pause, 2))
            time.sleep(pause)


def coupled(config: TrainerConfig) -> Pair:
    """A trainer that takes its seat too where it is drawn, with a journal of its own for that. Its encryption key is
    announced before it enrols: whoever is drawn can open what is sealed to it."""
    shared = {field.name: getattr(config, field.name) for field in fields(DaemonConfig)}
    journal = config.journal.with_name(f"{config.journal.stem}-seat{config.journal.suffix}")
    trainer = Trainer(config)
    try:
        return Pair([Validator(DaemonConfig(**shared | {"journal": journal, "keep_models": None})), trainer])
    except BaseException:
        trainer.close()
        raise


def measure_baselines(spec: JobSpec, rounds: int, task_file: Path | None, out: Path) -> None:
    """Trains and measures what a doubter would ask for; writes it to `out` as JSON, whole or not at all."""
    os.nice(5)
    allowed = [str(task_file)] if task_file else [spec.task, spec.task.partition(":")[0]]
    task: Any = load_task_of(spec, task_file=task_file, allowed=allowed)
    scores = task.baselines(steps=spec.steps * rounds, seed=spec.seed) if hasattr(task, "baselines") else {}
    part = out.with_suffix(".part")
    part.write_text(json.dumps({name: {"label": s.label, "by_party": s.by_party} for name, s in scores.items()}))
    part.replace(out)
