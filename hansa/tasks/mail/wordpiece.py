"""Words into pieces that an encoder knows: BERT's uncased rules (Devlin et al., NAACL 2019), on WordPiece
(Wu et al., Google's Neural Machine Translation System, 2016, section 4.1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
CHUNK = re.compile(r"[^ \t\n\r]+")
LONGEST = 100  # characters of a word
IDEOGRAPHS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2CEAF), (0x2F800, 0x2FA1F))


class WordPiece:
    """vocabulary: one piece a line; those that go on inside a word begin with ##."""

    def __init__(self, vocabulary: Path) -> None:
        self._ids = {piece: n for n, piece in enumerate(vocabulary.read_text(encoding="utf-8").splitlines())}
        self._start, self._end, self._pad = (self._ids[name] for name in (START, END, PAD))

    def __call__(self, texts: Sequence[str], length: int) -> NDArray[np.int64]:
        """(texts, length): start, pieces as far as there is room, end, then padding."""
        rows = np.full((len(texts), length), self._pad, np.int64)
        for row, text in zip(rows, texts, strict=True):
            ids = [self._start, *self.pieces(text, length - 2), self._end]
            row[: len(ids)] = ids
        return rows

    def pieces(self, text: str, most: int) -> list[int]:
        found: list[int] = []
        for word in words(text):
            if len(found) >= most:
                break
            found += self._split(word)
        return found[:most]

    def _split(self, word: str) -> list[int]:
        """The longest known beginning, again and again; one unknown piece where that leads nowhere."""
        found: list[int] = []
        start = 0
        while start < len(word) <= LONGEST:
            ends = range(len(word), start, -1)
            pieces = (self._ids.get(("##" if start else "") + word[start:end]) for end in ends)
            at, piece = next(
                ((end, piece) for end, piece in zip(ends, pieces, strict=True) if piece is not None), (0, 0)
            )
            if not at:
                break
            found.append(piece)
            start = at
        return found if start == len(word) else [self._ids[UNKNOWN]]


def words(text: str) -> Iterator[str]:
    """In lower case, without accents; a punctuation mark or an ideograph is a word."""
    for chunk in CHUNK.finditer(text):  # most of a mail is never looked at
        spaced = "".join(f" {c} " if _is_ideograph(c) else _clean(c) for c in chunk.group())
        for word in spaced.split():
            plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")
            yield from "".join(f" {c} " if _is_mark(c) else c for c in plain).split()


def _clean(character: str) -> str:
    """A space for what is one, nothing for control characters."""
    kind = unicodedata.category(character)
    return " " if kind == "Zs" else "" if kind.startswith("C") or character == "\ufffd" else character


def _is_mark(character: str) -> bool:
    return (character.isascii() and not character.isalnum()) or unicodedata.category(character).startswith("P")


def _is_ideograph(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in IDEOGRAPHS)
