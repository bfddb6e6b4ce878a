"""Handwritten digits, on images made here: the real ones are no part of the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from idx_files import write_idx

from hansa.protocol.errors import FatalError
from hansa.tasks.images import FILES
from hansa.tasks.mnist import Mnist
from hansa.tasks.rehearsal import check, federate


def write(folder: Path, part: str, count: int) -> None:
    """Digits as a bright square whose place says which: easy to learn."""
    random = np.random.RandomState(count)
    labels = random.randint(0, 10, count).astype(np.uint8)
    images = random.randint(0, 60, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 4)
        image[2 + 8 * row : 8 + 8 * row, 1 + 7 * column : 7 + 7 * column] = 250
    write_idx(folder, part, images, labels)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, "train", 2000)
    write(tmp_path, "test", 500)
    monkeypatch.setenv("HANSA_MNIST", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_rows__dirichlet__everybody_gets_some_and_all_are_dealt_once() -> None:
    task = Mnist({"parties": 7, "alpha": "0.3"}, seed=1)
    assert sum(len(p.train) + len(p.held) for p in task.everyone) == 2000
    assert sum(len(p.test) for p in task.everyone) == 500
    assert min(len(p.train) + len(p.held) for p in task.everyone) >= 20 - 5
    mix = np.array([np.bincount(p.train.labels, minlength=10) / len(p.train) for p in task.everyone])
    assert mix.max() > 0.3, "shares are unequal"
    assert [len(p.train) for p in Mnist({"parties": 7, "alpha": "0.3"}, seed=2).everyone] != [
        len(p.train) for p in task.everyone
    ]


@pytest.mark.usefixtures("folder")
def test_rows__own_test_images__have_the_mix_of_the_training_images() -> None:
    for party in Mnist({"parties": 3}, seed=1).everyone:
        train, test = (np.bincount(r.labels, minlength=10) / len(r) for r in (party.train, party.test))
        assert np.abs(train - test).max() < 0.15


@pytest.mark.usefixtures("folder")
def test_check__keeps_the_rules_and_learns() -> None:
    task = Mnist({"alpha": "1"}, seed=1)
    assert len(list(check(task, "0", 3))) == 5
    assert task.scores(federate(task, task.parties(), 3, 40)).mean > 0.9


@pytest.mark.usefixtures("folder")
def test_train_and_gradient__threads__same_bits() -> None:
    task = Mnist({}, seed=1)

    def run(threads: int) -> bytes:
        torch.set_num_threads(threads)
        params = task.train(task.model(), task.load("0"), steps=5, loss_threshold=None, seed=7).params
        gradient = task.gradient(params, task.validation(0, 3))[1]
        return b"".join(v.tobytes() for v in (*params.values(), *gradient.values()))

    before = torch.get_num_threads()
    try:
        assert run(1) == run(2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.usefixtures("folder")
def test_settings__too_many_parties_for_the_images__is_a_clear_error() -> None:
    with pytest.raises(FatalError, match="with alpha 0.01, 200 parties don't all get rows; use a larger alpha"):
        Mnist({"parties": 200, "alpha": "0.01"}, seed=1)


def test_files__missing_or_broken__are_clear_errors(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = (folder / name for name in FILES["train"])
    whole = images.read_bytes()
    images.write_bytes(whole[:1000])
    with pytest.raises(FatalError, match="can't be used: .*; install MNIST again"):
        Mnist({}, seed=1)
    images.write_bytes(whole)
    labels.write_bytes(b"<html>")
    with pytest.raises(FatalError, match="not an idx file"):
        Mnist({}, seed=1)
    monkeypatch.setenv("HANSA_MNIST", str(folder / "elsewhere"))
    with pytest.raises(FatalError, match="MNIST is not in .*elsewhere; run `make setup`"):
        Mnist({}, seed=1)
