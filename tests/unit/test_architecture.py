"""What docs/architecture.md names is there: every file, and every function or class beside its file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PATHS = sorted(set(re.findall(r"`((?:hansa|client|aggregator|contracts|dashboard)/[\w./]*)`", PAGE)))
STEPS = re.findall(r"^\| (\d+) \| .* \| (`.*`) \| (`.*`) \|$", PAGE, re.MULTILINE)
INLINE = re.findall(r"`([\w/]+\.py)` `(\w+)`", PAGE)


def defines(path: str, name: str) -> bool:
    return re.search(rf"\b(?:def|class|function) {name}\b", (ROOT / path).read_text()) is not None


@pytest.mark.parametrize("path", PATHS)
def test_path__is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("number, files, names", STEPS, ids=[step[0] for step in STEPS])
def test_step__names_a_function_of_each_of_its_files(number: str, files: str, names: str) -> None:
    pairs = list(zip(re.findall(r"`(.*?)`", files), re.findall(r"`(.*?)`", names), strict=True))
    assert all(defines(path, name) for path, name in pairs), pairs


def test_steps__are_ten() -> None:
    assert [int(step[0]) for step in STEPS] == list(range(1, 11))


@pytest.mark.parametrize("path, name", INLINE)
def test_name__stands_in_the_file_before_it(path: str, name: str) -> None:
    assert defines(path, name)
