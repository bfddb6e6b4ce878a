"""docs/rehearsal.ipynb, cell by cell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[3] / "docs" / "rehearsal.ipynb"


def test_notebook__runs_and_shows_that_together_is_better(capsys: pytest.CaptureFixture[str]) -> None:
    book = json.loads(NOTEBOOK.read_text())
    assert (book["nbformat"], {cell["cell_type"] for cell in book["cells"]}) == (4, {"code", "markdown"})
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "kept without what it printed"
            exec(compile("".join(cell["source"]), f"{NOTEBOOK.name}, {cell['id']}", "exec"), names)
    accuracy = names["accuracy"]
    assert accuracy["together"] > 0.9 and accuracy["together"] > max(
        accuracy[name] for name in ("east", "north", "south")
    )
    assert "gradient: the slope of the loss" in capsys.readouterr().out
