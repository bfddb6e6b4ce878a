"""docs/operate.md and docs/scale.md: every command on them exists, with the options that they give it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hansa.cli.main import COMMANDS, app

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ("operate.md", "scale.md")


def commands(page: str) -> Iterator[str]:
    """Lines of its blocks that begin with `hansa`, and whatever stands in backquotes."""
    text = (DOCS / page).read_text().replace("\\\n", " ")
    yield from re.findall(r"^hansa .*$", text, re.M)
    yield from re.findall(r"`(hansa [^`]+)`", text)


def words_of(line: str) -> tuple[str, list[str]]:
    """The command, and its options."""
    words = shlex.split(line)[1:]
    path = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    return path, [word for word in words if word.startswith("--")]


@pytest.mark.parametrize("page", PAGES)
def test_page__names_commands_and_options_that_there_are(page: str) -> None:
    found = [words_of(line) for line in commands(page)]
    assert len(found) > 1
    shown: dict[str, str] = {}
    for path, options in found:
        assert path in COMMANDS, path
        if path not in shown:
            shown[path] = CliRunner().invoke(app, [*path.split(), "--help"]).output
        assert [option for option in options if f"{option} " not in shown[path].replace("\n", " ")] == [], path


@pytest.mark.parametrize("page", PAGES)
def test_page__links_to_pages_that_there_are(page: str) -> None:
    for target in re.findall(r"\]\(([\w-]+\.md)", (DOCS / page).read_text()):
        assert (DOCS / target).is_file(), target
