"""What a keystore V3 file says without its password."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_ADDRESS = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")


def read_keystore(path: Path) -> tuple[dict[str, Any], str | None]:
    """The document, and the address that it says it is for (0x, lower case); None where it says none, as V3 allows.

    OSError where it can't be read, ValueError for what is no keystore.
    """
    document = json.loads(path.read_text())
    fields = {name.lower(): value for name, value in document.items()} if isinstance(document, dict) else {}
    if not isinstance(fields.get("crypto"), dict):
        raise ValueError("it has no crypto section")
    stated = fields.get("address") or None
    found = _ADDRESS.fullmatch(stated) if isinstance(stated, str) else None
    if stated is not None and found is None:
        raise ValueError("its address is none")
    return document, None if found is None else f"0x{found[1].lower()}"
