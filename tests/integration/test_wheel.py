"""A built wheel carries what its packages read: the page, ABIs, kernels, data."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hansa", "client", "aggregator")
PAGE = ("hansa/cli/page/index.html", "hansa/cli/page/assets/index.js", "hansa/cli/page/assets/index.css")
SECONDS = 240


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Files of a wheel that is built from a copy of the sources, with a page in its place."""
    source = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__", "page"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, source)
    for name in PAGE:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("page")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "wheels", "."]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = (source / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_wheel__carries_the_page(names: set[str]) -> None:
    assert set(PAGE) <= names


@pytest.mark.parametrize(
    "folder, kind",
    [("hansa/runtime/chain/artifacts", "*.json"), ("hansa/protocol", "*.c"), ("hansa/tasks", "**/*.csv")],
)
def test_wheel__carries_the_data_that_is_read(names: set[str], folder: str, kind: str) -> None:
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob(kind)}
    assert wanted and wanted <= names


def test_wheel__carries_no_tests(names: set[str]) -> None:
    assert not [name for name in names if name.startswith(("tests/", "dashboard/", "node_modules/"))]
