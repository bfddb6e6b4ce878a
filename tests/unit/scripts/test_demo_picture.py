"""The picture of README's first screen."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from scripts.demo_picture import OUT, draw, shortened

ROOT = Path(__file__).resolve().parents[3]
LINES = [
    "   0.0 s  starting a chain",
    *(f"  {number}.0 s  round {number}/15: metric 0.6, model Qm{'a' * 44}, 4 updates" for number in range(1, 16)),
    "1,725 HANSA escrowed = 1,725 paid + 0 refunded + 0 burnt + 0 left  (exactly)",
    "gas",
]


def test_shortened__leaves_out_models_and_rounds__and_ends_with_the_escrow() -> None:
    lines = [line.plain for line in shortened(map(Text, LINES))]
    assert [line for line in lines if "round" in line][:2] == [
        "  1.0 s  round 1/15: metric 0.6, 4 updates",
        "  2.0 s  round 2/15: metric 0.6, 4 updates",
    ]
    assert [line.strip() for line in lines].count("…") == 1 and len(lines) == 1 + 6 + 1 + 1
    assert "escrowed" in lines[-1]


def test_drawing__asks_no_other_host_for_anything() -> None:
    for drawn in (draw([Text("$ hansa demo", "bold")]), OUT.read_text()):
        assert "hansa demo" in drawn.replace("&#160;", " ")
        assert "@font-face" not in drawn and "url(h" not in drawn


def test_readme__shows_it_before_the_first_heading() -> None:
    top = (ROOT / "README.md").read_text().partition("\n## ")[0]
    assert OUT.relative_to(ROOT).as_posix() in top
