"""A file of test vectors: written, or compared with what would be written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

VECTORS: Final = Path(__file__).resolve().parents[1]
CHECKOUT: Final = VECTORS.parents[1]


def text_of(facts: Any) -> str:
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def decimal(value: Any) -> Any:
    """The same with every integer as a decimal string."""
    if isinstance(value, dict):
        return {name: decimal(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [decimal(inner) for inner in value]
    return value if isinstance(value, str) else str(int(value))


def write_or_check(
    path: Path, make: Callable[[], Any], writer: str, arguments: Sequence[str], text_of: Callable[[Any], str] = text_of
) -> int:
    """Writes the file; with `--check` says whether it is what would be written. The exit code.

    writer: the script's own file, which is named where the committed one is stale. text_of: how it is written.
    """
    text = text_of(make())
    if list(arguments) != ["--check"]:
        path.write_text(text, encoding="utf-8")
        return 0
    same = path.exists() and path.read_text(encoding="utf-8") == text
    print(f"{path} is {'up to date' if same else f'stale: run python {Path(writer).resolve().relative_to(CHECKOUT)}'}")
    return 0 if same else 1
