"""The vectors that Python, Solidity and the web page read, and how their bytes are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "protocol.json").read_text(encoding="utf-8")
)


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
