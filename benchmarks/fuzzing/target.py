"""What a decoder promises, and whether it keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.fuzzing.mutate import Mutator, octets

MOST_SECONDS: Final = 1.0  # of the CPU, for one input
MOST_MEMORY: Final = 64  # MiB that one input may add to the most that was ever taken
LONGEST: Final = 2**16  # characters of a refusal: each of its three parts is cut, and may be escaped
UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Target:
    """One decoder.

    decode: of an input, a value. refusals: what it may raise, and nothing else. names: what every refusal's text must
    match: the object. seeds: valid inputs, made anew each time. encode: of a value, the only bytes that are decoded to
    it; None where a format has several. told: a value as text, which a twin in another language tells alike.
    """

    name: str
    what: str
    decode: Callable[[bytes], Any]
    refusals: tuple[type[Exception], ...]
    seeds: Callable[[], Iterable[bytes]]
    names: str = r"\w"
    mutate: Mutator = octets
    encode: Callable[[Any], bytes] | None = None
    told: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of one input. fault: how the decoder broke its promise, in words; '' where it kept it."""

    accepted: bool
    fault: str = ""
    told: str = ""


def judge(target: Target, data: bytes) -> Verdict:
    """Time and memory are for the caller to measure."""
    try:
        value = target.decode(data)
    except target.refusals as error:
        return Verdict(False, _fault_of(target, error), type(error).__name__)
    except Exception as error:
        return Verdict(False, f"{type(error).__name__}: {str(error)[:200]}")
    if target.encode is not None:
        try:
            again = target.encode(value)
        except Exception as error:
            return Verdict(True, f"what was decoded can't be encoded: {type(error).__name__}: {str(error)[:200]}")
        if again != data:
            return Verdict(True, f"another encoding: {again[:80]!r} of {data[:80]!r}")
    return Verdict(True, told=target.told(value) if target.told is not None else "")


def _fault_of(target: Target, error: Exception) -> str:
    text = str(error)
    if len(text) > LONGEST:
        return f"a refusal of {len(text)} characters"
    if UNPRINTABLE.search(text):
        return f"a refusal that can't be printed: {text[:200]!r}"
    if re.search(target.names, text) is None:
        return f"a refusal that names no object: {text[:200]!r}"
    return ""
