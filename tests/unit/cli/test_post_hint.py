"""What `hansa job post` tells each party to type."""

from __future__ import annotations

from pathlib import Path

from hansa.cli.job.post import PostedView, next_commands
from hansa.protocol.types import Address
from hansa.sponsor.post import prepare

COMMITTEE = Address("0x" + "11" * 20)
TASK = """
import numpy as np


class Line:
    name = "line"

    def __init__(self, settings, seed):
        pass

    def model(self):
        return {"w": np.zeros(1, np.float32)}

    def load(self, source):
        return [source]

    def validation(self, seat, seats):
        return [seat]

    def train(self, params, data, *, steps, loss_threshold, seed):
        raise NotImplementedError

    def metric(self, params, data):
        return 0.0
"""


def commands(task: str, members: list[str], where: str = "") -> list[str]:
    prepared = prepare(task, seed=0)
    view = PostedView(7, COMMITTEE, "appointed", 2, [], "spec", "model", prepared.spec.task, 4, 15, 0, 0)
    return next_commands(view, prepared, members, where)


def test_hint__of_a_task_with_parties() -> None:
    validator, trainer, watch, elsewhere = commands("heart", ["validator-1", "validator-2"])
    assert validator == "hansa aggregator run --job 7 --account validator-1     # and validator-2"
    assert trainer.startswith("hansa trainer run --job 7 --account NAME --source 0     # each trainer: --source 1, …")
    assert watch == "hansa job watch 7"
    assert str(COMMITTEE) in elsewhere


def test_hint__of_a_file_task__allows_it_and_reads_a_file(tmp_path: Path) -> None:
    file = tmp_path / "my line.py"
    file.write_text(TASK)
    validator, trainer, _, others, _ = commands(str(file), ["validator-1"], " --dir here")
    assert validator == f"hansa aggregator run --job 7 --account validator-1 --allow '{file}' --dir here"
    words = f"hansa trainer run --job 7 --account NAME --source FILE --allow '{file}' --dir here"
    assert trainer == f"{words}     # each trainer: its own rows"
    assert "my line.py" in others and "SHA-256" in others
