"""Draws docs/images/demo.svg, what README shows first: the words of a real `hansa demo`, shortened where lines repeat.

python -m scripts.demo_picture
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.segment import Segment
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from rich.text import Text

from hansa.cli.command import Command
from hansa.cli.demo.command import run
from hansa.cli.party_options import PartyOptions
from hansa.cli.trainer.privacy_options import BudgetOptions
from hansa.runtime.workspace import Workspace

OUT = Path(__file__).resolve().parents[1] / "docs" / "images" / "demo.svg"
WIDTH = 114  # columns
PROMPT = "$ hansa demo"
SHOWN_ROUNDS = {"1", "2", "3", "4", "14", "15"}
ROUND = re.compile(r" s  round (\d+)/")
MODEL = re.compile(r", model Qm\w+")  # whose names a narrow terminal leaves out
LAST = "escrowed ="  # costs and times come after this line
LOOKS = {
    "Fira Code": "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono",
    "rgba(255,255,255,0.35)": "#c8ccd0",  # the terminal's edge, on a white page
}
FONT = re.compile(r"@font-face \{.*?\}\s*", re.S)  # of another host


class Recording(Command):
    """A command whose words are kept, with their colours."""

    recorder = Console(record=True, file=io.StringIO(), width=200, highlight=False, emoji=False, soft_wrap=True)
    console = recorder


def main() -> None:
    """Runs the demo, which takes well under a minute, and writes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        run(Recording(Workspace(Path(folder) / "demo")), parties=PartyOptions(), budget=BudgetOptions())
    lines = [Text.assemble(*((part.text, part.style or "") for part in line)) for line in recorded(Recording.recorder)]
    OUT.write_text(draw([Text(PROMPT, "bold"), *shortened(lines)]))
    print(f"{OUT}: {OUT.stat().st_size:,} bytes", file=sys.stderr)


def recorded(console: Console) -> Iterable[list[Segment]]:
    """The lines that a console has shown."""
    return Segment.split_lines(part for part in console._record_buffer if not part.control)


def shortened(lines: Iterable[Text]) -> Iterable[Text]:
    """Up to what became of the escrow; of the rounds some, and a mark where others are left out."""
    is_left_out = False
    for line in lines:
        found = ROUND.search(line.plain)
        if found is None or found[1] in SHOWN_ROUNDS:
            is_left_out = False
            model = MODEL.search(line.plain)
            yield line[: model.start()] + line[model.end() :] if model else line
        elif not is_left_out:
            is_left_out = True
            yield Text("          …", "dim")
        if LAST in line.plain:
            return


def draw(lines: Iterable[Text]) -> str:
    """An SVG of a light terminal with these lines; the fonts are those of whoever looks at it."""
    console = Console(record=True, file=io.StringIO(), width=WIDTH, highlight=False)
    for line in [*lines, Text()]:
        line.rstrip()
        console.print(line)
    drawn = console.export_svg(title="hansa demo", theme=DEFAULT_TERMINAL_THEME, unique_id="hansa")
    for what, instead in LOOKS.items():
        assert what in drawn, f"rich draws without {what}"
        drawn = drawn.replace(what, instead)
    return FONT.sub("", drawn)


if __name__ == "__main__":
    main()
