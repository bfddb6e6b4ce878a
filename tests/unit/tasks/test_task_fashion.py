"""Clothes, on images made here: the real ones are no part of the project."""

from __future__ import annotations

import gzip
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from idx_files import write_idx

from hansa.protocol.errors import FatalError
from hansa.tasks.fashion import INSTALLED, KINDS, Fashion
from hansa.tasks.fashion.pictures import read_pictures, read_png
from hansa.tasks.fashion.resnet import ResNet, augmented
from hansa.tasks.images import FILES, find_folder
from hansa.tasks.rehearsal import check, federate

SMALL = {"rows": 400, "parties": 2, "batch": 16}


def write(folder: Path, part: str, count: int) -> None:
    """Kinds as a bright band whose height says which: shifts and mirrors leave it readable."""
    random = np.random.RandomState(count)
    labels = random.randint(0, 10, count).astype(np.uint8)
    images = random.randint(0, 40, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[: 2 + 2 * int(label)] = 250
    write_idx(folder, part, images, labels, packed=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, "train", 600)
    write(tmp_path, "test", 120)
    monkeypatch.setenv("HANSA_FASHION", str(tmp_path))
    return tmp_path


def png(points: bytes, width: int, colour: int) -> bytes:
    """A PNG file of these filtered lines."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    channels = {0: 1, 2: 3}[colour]
    height = len(points) // (width * channels + 1)
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, colour, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(points)) + chunk(b"IEND", b"")


def test_module__more_than_a_million_numbers_and_normalised() -> None:
    module = ResNet()
    assert sum(value.numel() for value in module.parameters()) > 1_000_000
    assert any(isinstance(part, torch.nn.BatchNorm2d) for part in module.modules())
    assert module(torch.zeros(2, 28, 28, dtype=torch.uint8)).shape == (2, 10)


def test_augmented__moves_and_mirrors_as_the_seed_says() -> None:
    images = torch.zeros(64, 28, 28, dtype=torch.uint8)
    images[:, 10, 5] = 255
    torch.manual_seed(1)
    first = augmented(images)
    torch.manual_seed(1)
    assert torch.equal(first, augmented(images))
    places = first.nonzero()
    assert len(places) == 64, "no point leaves the image"
    assert set(places[:, 1].tolist()) == set(range(8, 13))
    assert set(places[:, 2].tolist()) == {*range(3, 8), *range(20, 25)}, "or mirrored"


@pytest.mark.usefixtures("folder")
def test_rows__as_many_as_asked_for__are_dealt_once() -> None:
    task = Fashion(SMALL, seed=1)
    assert sum(len(party.train) + len(party.held) for party in task.everyone) == 400
    assert sum(len(party.test) for party in task.everyone) == 120
    assert sum(len(task.validation(seat, 3)) for seat in range(3)) == sum(len(party.held) for party in task.everyone)


@pytest.mark.usefixtures("folder")
def test_check__keeps_the_rules_and_learns() -> None:
    task = Fashion(SMALL, seed=1)
    assert len(list(check(task, "0", 3))) == 5
    trained = federate(task, task.parties(), 2, 10)
    assert task.scores(trained).mean > task.scores(task.model()).mean + 0.2
    assert task.known(3).keys() == {"model 0", "majority"}
    assert task.baselines(steps=1, seed=1, names=["local_own", "majority"])["local_own"].by_party.keys() == {
        "party-0",
        "party-1",
    }


@pytest.mark.usefixtures("folder")
def test_predict__names_the_kind_of_each_picture(tmp_path: Path) -> None:
    task = Fashion(SMALL, seed=1)
    pictures = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
    np.save(tmp_path / "three.npy", pictures)
    lines = b"".join(b"\0" + line.tobytes() for line in pictures[0])
    (tmp_path / "one.png").write_bytes(png(lines, 28, 0))
    module = task.module_at(task.model())
    found = task.predict(module, str(tmp_path / "three.npy"))
    assert [line["image"] for line in found] == [1, 2, 3]
    assert all(line["kind"] in KINDS and 0.1 <= line["probability"] <= 1 for line in found)
    assert task.predict(module, str(tmp_path / "one.png")) == found[:1]
    assert len(task.predict(module, str(tmp_path / f"{FILES['test'][0]}.gz"))) == 120


def test_png__every_filter__gives_the_points_back() -> None:
    points = np.random.RandomState(0).randint(0, 256, (28, 28, 3))
    above, lines = np.zeros((28, 3), int), b""
    for number, line in enumerate(points):
        left = np.vstack([np.zeros((1, 3), int), line[:-1]])
        corner = np.vstack([np.zeros((1, 3), int), above[:-1]])
        far = [abs(left + above - corner - value) for value in (left, above, corner)]
        paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], above, corner))
        guess = (0 * line, left, above, (left + above) // 2, paeth)[number % 5]
        lines += bytes([number % 5]) + ((line - guess) % 256).astype(np.uint8).tobytes()
        above = line
    assert np.array_equal(read_png(png(lines, 28, 2)), points.mean(axis=2).round())


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", png(b"\0" + bytes(9), 9, 0)])
@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.gz", "a"])
def test_pictures__of_other_kinds__are_refused_by_name(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FatalError, match=f"{name} can't be used: .*; give bytes"):
        read_pictures(tmp_path / name)


def npy(header: str) -> bytes:
    text = header.ljust(118).encode()
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("huge.npy", npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**12}, 28, 28)}}"), "llocate"),
        ("long.npy", npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({'9' * 30}, 28, 28)}}"), "too large"),
        ("cut.npy", npy("{'descr': ("), "EOF"),
        ("zip.npy", b"PK\x03\x04 and more", "magic string"),
        ("pickle.npy", pickle.dumps(["x"]), "magic string"),
        ("large.png", png(bytes(4096 * 4097), 4096, 0), "it is 4096 × 4096 points"),
        ("filter.png", png((b"\x07" + bytes(28)) * 28, 28, 0), "a filter that PNG does not know"),
        ("spoilt.gz", gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "Error -3"),
    ],
)
def test_pictures__hostile_files__are_a_sentence_at_once(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FatalError, match=f"{name} can't be used: .*{said}.*; give bytes"):
        read_pictures(tmp_path / name)


def test_files__missing_or_broken__are_clear_errors(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = folder / f"{FILES['train'][1]}.gz"
    labels.write_bytes(gzip.compress(b"<html>", mtime=0))
    with pytest.raises(FatalError, match="not an idx file of labels; install dataset-fashion-mnist again"):
        Fashion({}, seed=1)
    labels.write_bytes(b"nothing compressed")
    with pytest.raises(FatalError, match="can't be used"):
        Fashion({}, seed=1)
    monkeypatch.setenv("HANSA_FASHION", str(folder / "elsewhere"))
    with pytest.raises(FatalError, match="Fashion-MNIST is not in .*elsewhere; run `apt-get install"):
        Fashion({}, seed=1)


@pytest.mark.skipif(find_folder([Path(INSTALLED)]) is None, reason="Debian's dataset-fashion-mnist is not installed")
def test_real_images__are_all_read() -> None:
    task = Fashion({"rows": 60_000}, seed=1)
    assert sum(len(party.train) + len(party.held) for party in task.everyone) == 60_000
