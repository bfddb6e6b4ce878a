"""Pictures of 28 × 28 points from files that people have: numpy arrays, idx files, PNG."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hansa.protocol.errors import FatalError
from hansa.tasks.images import MAGIC_IMAGES, SIDE, read_idx

PNG = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by PNG's colour type; a palette is not read


def read_pictures(path: Path) -> NDArray[np.uint8]:
    """(n, 28, 28), bright on dark as Fashion-MNIST's are. FatalError for files that hold no such pictures."""
    try:
        if path.suffix == ".npy":
            with path.open("rb") as file:
                found = np.lib.format.read_array(file, allow_pickle=False)
        elif path.suffix == ".png":
            found = read_png(path.read_bytes())
        else:
            found = read_idx(path, MAGIC_IMAGES)
        if found.dtype != np.uint8 or found.shape[-2:] != (SIDE, SIDE) or found.ndim not in (2, 3):
            raise ValueError(f"it holds {found.dtype} of shape {found.shape}")
    except Exception as error:  # numpy and zlib have many words for a file that is none of theirs
        raise FatalError(
            f"{path} can't be used", cause=error, next_step="give bytes (n, 28, 28) as .npy, an idx file, or a .png"
        ) from error
    return np.array(found).reshape(-1, SIDE, SIDE)


def read_png(data: bytes) -> NDArray[np.uint8]:
    """(28, 28): grey as it is, colours by their mean, transparency left out. ValueError for other sizes, and other
    kinds than 8 bits a channel without interlacing."""
    if data[:8] != PNG:
        raise ValueError("it is no PNG file")
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        chunks[kind] = chunks.get(kind, b"") + data[at + 8 : at + 8 + size]
        at += size + 12
    header = chunks.get(b"IHDR", b"")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    if len(header) != 13 or header[8] != 8 or header[9] not in CHANNELS or header[12]:
        raise ValueError("it is no PNG of 8 bits a channel, without a palette and interlacing")
    if (width, height) != (SIDE, SIDE):
        raise ValueError(f"it is {width} × {height} points")
    channels = CHANNELS[header[9]]
    size = height * (width * channels + 1)
    lines = np.frombuffer(zlib.decompressobj().decompress(chunks.get(b"IDAT", b""), size), np.uint8)
    lines = lines.reshape(height, -1)
    if lines[:, 0].max() > 4:
        raise ValueError("a line of it has a filter that PNG does not know")
    points = _unfiltered(lines, channels).reshape(height, width, channels)
    colours = points[:, :, : channels - 1 if channels in (2, 4) else channels]
    grey: NDArray[np.uint8] = colours.mean(axis=2).round().astype(np.uint8)
    return grey


def _unfiltered(lines: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Each line's first byte says what its bytes were subtracted from (PNG specification, section 9)."""
    length = lines.shape[1] - 1
    above = [0] * (length + channels)  # `channels` zeros stand before every line
    points = np.empty((len(lines), length), np.uint8)
    for number, (kind, *coded) in enumerate(lines.tolist()):
        line = [0] * channels
        for place, value in enumerate(coded, channels):
            left, up, corner = line[place - channels], above[place], above[place - channels]
            line.append((value + (0, left, up, (left + up) // 2, _nearest(left, up, corner))[kind]) % 256)
        points[number], above = line[channels:], line
    return points


def _nearest(left: int, up: int, corner: int) -> int:
    """Paeth's: of the three the one nearest to left + up − corner."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))
