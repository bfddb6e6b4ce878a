"""How many models a daemon keeps pinned: all, as the pins of a node are shared, unless it is told otherwise."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from client import TrainerConfig
from hansa.cli.main import app
from hansa.cli.trainer import run as trainer_run
from hansa.protocol.model import Model, initial_model
from hansa.protocol.types import Digest, JobId, Round
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.model_chain import ModelChain
from hansa.runtime.store import LocalStore

JOB, ROUNDS = JobId(7), 8


class Node(LocalStore):
    """Pins as Kubo does: a file is pinned or not, whoever asked for it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pinned: set[Digest] = set()

    def pin(self, digest: Digest) -> None:
        self.pinned.add(digest)

    def unpin(self, digest: Digest) -> None:
        self.pinned.discard(digest)


def default_of(kind: type[DaemonConfig]) -> Any:
    return {field.name: field.default for field in fields(kind)}["keep_models"]


@pytest.mark.parametrize(
    ("trainers", "lost"), [(default_of(TrainerConfig), set()), (3, {1, 2, 3, 4, 5})], ids=["default", "3"]
)
def test_a_trainer_and_a_validator_on_one_node__every_model_stays_by_default(
    tmp_path: Path, trainers: int | None, lost: set[int]
) -> None:
    node = Node(tmp_path)
    digests = [node.put(initial_model({"w": np.ones(4, np.float32)}, 8).encode())]
    for number in range(1, ROUNDS + 1):
        model = Model({"w": np.full(4, number, np.float32)}, JOB, number, digests[-1], 8, (8,))
        digests.append(node.put(model.encode()))
    chains = [ModelChain(node, JOB, digests[0], 10_000, keep) for keep in (default_of(DaemonConfig), trainers)]
    for number, digest in enumerate(digests):
        for models in chains:
            models.follow(digests[1:])
            models.load(digest, Round(number))
    assert {number for number, digest in enumerate(digests) if digest not in node.pinned} == lost


@pytest.mark.parametrize(("words", "kept"), [([], None), (["--keep-models", "5"], 5)])
def test_trainer_run__keeps_as_many_as_it_is_told(
    words: list[str], kept: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[TrainerConfig] = []
    federation = SimpleNamespace(terms=lambda job: SimpleNamespace(token=None))
    session = SimpleNamespace(federation=federation, token=lambda token: None, deployment=None)
    given = {
        "connect": lambda workspace: session,
        "prepare_run": lambda session, job: None,
        "load_account": lambda *asked: SimpleNamespace(address="0x" + "11" * 20),
        "names_of_accounts": lambda keys: {},
        "check_bond": lambda *asked, **more: None,
        "Trainer": made.append,
    }
    for name, value in given.items():
        monkeypatch.setattr(trainer_run, name, value)
    command = ["trainer", "run", "--job", "1", "--source", "0", "--dir", str(tmp_path), *words]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert [config.keep_models for config in made] == [kept]


def test_trainer_run__with_a_seat_on_the_same_node__keeps_every_model() -> None:
    words = ["trainer", "run", "--job", "1", "--source", "0", "--validate", "--keep-models", "3"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1 and "--validate is given with --keep-models: a member keeps every model" in done.stderr
