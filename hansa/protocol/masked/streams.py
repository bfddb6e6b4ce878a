"""Mask streams, and what those of one set of seats come to over a group of trainers.

A stream is AES-256 in counter mode from IV 0 under a key that the seed and the update's place give (NIST SP 800-38A,
6.5). Vectors are worked out block by block, so that a block of all streams stays in the cache, and hashed in a second
thread while the cipher goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from hansa.protocol.cid import CHUNK, leaves_of, root_of
from hansa.protocol.masked.words import WORD, Words
from hansa.protocol.types import Digest

_BLOCK: Final = 1 << 15  # words at a time: they stay in the cache
_HASHED: Final = 4 * CHUNK // 2  # words that the second thread takes at a time: whole leaves of a file
_ROOM: Final = 16  # bytes beyond, which the cipher asks for
_CIPHER: Final = 16  # bytes of a cipher's block
_ZEROS: Final = memoryview(bytes(2 * _BLOCK))


Change = Callable[[Words, Words, Words], object]
"""What becomes of a block of words and one of a stream, into the third."""


class Stream:
    """The words of one stream, from the first on."""

    def __init__(self, key: bytes, block: int = 0) -> None:
        self._cipher = Cipher(AES(key), CTR(block.to_bytes(_CIPHER, "big"))).encryptor()

    def fill(self, buffer: memoryview, words: int) -> None:
        """Writes the next words into a buffer that has room for `_ROOM` bytes more."""
        self._cipher.update_into(_ZEROS[: 2 * words], buffer)


def add_streams(words: Words, keys: Sequence[bytes], sign: int = 1) -> None:
    """Adds the streams of these keys to words, in place, modulo 2¹⁶; sign −1 takes them off."""
    change = np.add if sign > 0 else np.subtract
    for _ in _added(words, keys, change, change):
        pass


def vector(keys: Sequence[bytes], words: int, room: Words | None = None) -> tuple[Words, Digest]:
    """V_T, the sum of one stream or more, and the digest of its file. room: where it is worked out, as long as it is:
    one that is worked out after another takes the memory of that."""
    total, hashed, done = np.empty(words, WORD) if room is None else room, [], 0
    data = total.data.cast("B")
    with ThreadPoolExecutor(1) as hasher:
        for end in _added(total, keys, _instead, np.add):
            if end - done == _HASHED or end == words:
                hashed.append(hasher.submit(leaves_of, data[2 * done : 2 * end]))
                done = end
    return total, root_of([leaf for part in hashed for leaf in part.result()])


def _added(words: Words, keys: Sequence[bytes], first: Change, change: Change) -> Iterator[int]:
    """Changes words by the streams, block by block, by the first one as `first` does; tells after each how far it
    is."""
    streams = [(Stream(key), change if place else first) for place, key in enumerate(keys)]
    buffer = memoryview(bytearray(2 * _BLOCK + _ROOM))
    drawn = np.frombuffer(buffer, WORD, _BLOCK)
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK]
        for stream, changed in streams:
            stream.fill(buffer, len(block))
            changed(block, drawn[: len(block)], block)
        yield start + len(block)


def _instead(block: Words, drawn: Words, out: Words) -> None:
    """The first stream of a sum: what stood there doesn't count."""
    np.copyto(out, drawn)


def words_at(key: bytes, first: int, words: int) -> Words:
    """Some words of a stream."""
    block, skip = divmod(2 * first, _CIPHER)
    before = skip // 2
    buffer = memoryview(bytearray(2 * (before + words) + _ROOM))
    Stream(key, block).fill(buffer, before + words)
    return np.frombuffer(buffer, WORD, before + words)[before:]
