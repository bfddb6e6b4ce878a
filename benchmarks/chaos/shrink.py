"""The shortest part of a schedule that still fails: delta debugging (Zeller and Hildebrandt's ddmin)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shrink(items: Sequence[T], fails: Callable[[Sequence[T]], bool], most: int = 40) -> list[T]:
    """A part of `items`, in order, of which `fails` is true, and of which no single item can be left out; sooner where
    `most` tries were made. `fails(items)` is taken for granted."""
    kept, parts, tries = list(items), 2, 0

    def tried(part: Sequence[T]) -> bool:
        nonlocal tries
        tries += 1
        return fails(part)

    if tried([]):
        return []
    while len(kept) > 1 and tries < most:
        size = -(-len(kept) // parts)
        pieces = [kept[start : start + size] for start in range(0, len(kept), size)]
        rests = [[item for other in pieces[:i] + pieces[i + 1 :] for item in other] for i in range(len(pieces))]
        candidates = [*pieces, *(rests if len(pieces) > 2 else [])]
        smaller = next((part for part in candidates if tries < most and tried(part)), None)
        if smaller is not None:
            parts = 2 if len(smaller) <= size else max(2, parts - 1)
            kept = smaller
        elif parts >= len(kept):
            break
        else:
            parts = min(len(kept), 2 * parts)
    return kept
