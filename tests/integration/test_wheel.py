"""A built wheel carries what is read, and works outside the checkout, whatever stands in the working folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hansa", "client", "aggregator")
PAGE = ("hansa/cli/page/index.html", "hansa/cli/page/assets/index.js", "hansa/cli/page/assets/index.css")
SECONDS = 240
SHADOWS = ("tasks.py", "client.py", "aggregator.py", "protocol.py", "cli.py")  # a user's own, in the working folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is built from a copy of the sources, with a page in its place."""
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
    (built,) = (source / "wheels").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs a command of the installed wheel in a folder whose own modules have names of packages, of today or once."""
    site, folder = tmp_path / "site", tmp_path / "folder"
    folder.mkdir()
    for name in SHADOWS:
        (folder / name).write_text("raise SystemExit('a file of the working folder was imported')\n")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True, timeout=SECONDS)
    tools = os.pathsep.join((str(ROOT / "node_modules/.bin"), os.environ["PATH"]))
    environment = {**os.environ, "PYTHONPATH": str(site), "PATH": tools}

    def run(*command: str) -> str:
        words = [str(site / "bin" / command[0]), *command[1:]] if command[0] == "hansa" else list(command)
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_wheel__holds_exactly_three_packages(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)


def test_installed__is_what_runs(installed: Callable[..., str], tmp_path: Path) -> None:
    found = installed(sys.executable, "-P", "-c", "import hansa, client; print(hansa.__file__, client.__file__)")
    assert all(path.startswith(str(tmp_path / "site")) for path in found.split())


def test_installed__demo__beside_a_users_own_modules(installed: Callable[..., str]) -> None:
    told = json.loads(installed("hansa", "demo", "--json", "--rounds", "1", "--trainers", "2", "--validators", "1"))
    assert told["rounds"], "a round was played"


def test_installed__up_in_the_background__beside_a_users_own_modules(installed: Callable[..., str]) -> None:
    try:
        assert "http://" in installed("hansa", "up", "--background", "--trainers", "1", "--validators", "1")
    finally:
        installed("hansa", "up", "--stop")


def test_installed__tasks__are_tried_beside_a_users_own_tasks(installed: Callable[..., str]) -> None:
    assert "TASK" in installed(sys.executable, "-m", "hansa.tasks", "--help")


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
