"""The inputs that are kept with the code, a file a decoder, a line an input: what it is, and what becomes of it.

A line is a JSON object: `text` or `hex`, `accepted`, and, of a decoder that has a twin in the page, `told`: the value.
Both languages read the same file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from benchmarks.fuzzing.target import Target
from benchmarks.fuzzing.target import judge as judge

FOLDER: Final = Path(__file__).parents[2] / "tests" / "fuzz" / "corpus"
MOST: Final = 64  # inputs of a decoder
MOST_BYTES: Final = 3000  # of all of them; what was found to be a fault stays, whatever its size
LONGEST: Final = 1500  # bytes of one


def read(name: str) -> list[bytes]:
    """None where there is no file."""
    return [as_bytes(line) for line in lines(name)]


def lines(name: str) -> list[dict[str, Any]]:
    path = FOLDER / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def as_bytes(line: dict[str, Any]) -> bytes:
    return line["text"].encode() if "text" in line else bytes.fromhex(line["hex"])


def write(target: Target, inputs: Iterable[bytes]) -> None:
    """With what becomes of them now."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    told = [json.dumps(_line(target, data), ensure_ascii=True) + "\n" for data in dict.fromkeys(inputs)]
    (FOLDER / f"{target.name}.jsonl").write_text("".join(told))


def _line(target: Target, data: bytes) -> dict[str, Any]:
    verdict = judge(target, data)
    line: dict[str, Any] = _written(data) | {"accepted": verdict.accepted}
    return line | ({"told": verdict.told} if verdict.accepted and target.told is not None else {})


def _written(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"hex": data.hex()}


def chosen(inputs: Iterable[bytes]) -> list[bytes]:
    """The first of these, as many as are kept."""
    found, left = list[bytes](), MOST_BYTES
    for data in inputs:
        if len(data) <= min(left, LONGEST) and len(found) < MOST:
            found.append(data)
            left -= len(data)
    return found
