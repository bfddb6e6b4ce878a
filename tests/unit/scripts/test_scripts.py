"""Scripts that set-up depends on."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import install_solc
from scripts.dotted_paths import DottedPaths


@pytest.fixture
def dotted_folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "with.dots.in" / "x"
    folder.mkdir(parents=True)
    known = set(sys.modules)
    finder = DottedPaths(folder)
    sys.meta_path.append(finder)
    sys.path.append("/")
    yield folder
    sys.path.remove("/")
    sys.meta_path.remove(finder)
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_dotted_path__is_imported_as_brownie_does_it(dotted_folder: Path) -> None:
    (dotted_folder / "hello.py").write_text("word = 'hansa'\n")
    module = importlib.import_module(".".join([*dotted_folder.parts[1:], "hello"]))
    assert module.word == "hansa"


def test_dotted_path__of_another_folder__is_not_found(dotted_folder: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(".".join([*dotted_folder.parent.parts[1:], "y"]))


def test_install_solc__without_download__wraps_the_npm_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(install_solc, "download", lambda: False)
    install_solc.main()
    assert install_solc.works(tmp_path / ".solcx" / "solc-v0.8.30")
