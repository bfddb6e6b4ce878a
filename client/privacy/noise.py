"""Gaussian noise on the integers, from the operating system's randomness alone.

What everybody knows must not decide it: a job's seed is public, so torch's and numpy's generators are never asked.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from numpy.typing import NDArray

Below = Callable[[int], int]
"""A uniform integer from 0 to below the argument."""
MOST_EXACT = 100_000
"""Values of a whole job that are drawn exactly, at some 50 µs each; beyond, δ holds up to float64's arithmetic."""
LARGEST_DEVIATION = 2.0**50
_BLOCK = 1 << 18  # pairs at once


def lattice_noise(count: int, deviation: float, *, exact: bool) -> NDArray[np.int64]:
    """(count,) integers. exact: of the discrete Gaussian; else a Gaussian's values, each rounded to the nearest.

    deviation: in lattice units, up to `LARGEST_DEVIATION`.
    """
    if not 0 < deviation <= LARGEST_DEVIATION:
        raise ValueError(f"a deviation of {deviation} is out of range")
    if exact:
        return discrete_gaussian(count, deviation)
    return np.rint(deviation * normals(count)).astype(np.int64)


def normals(count: int) -> NDArray[np.float64]:
    """(count,) standard normals by Box and Muller, from AES-256-CTR under a key that is used once."""
    stream = Cipher(AES(secrets.token_bytes(32)), CTR(bytes(16))).encryptor()
    parts = []
    for start in range(0, count, 2 * _BLOCK):
        pairs = (min(count - start, 2 * _BLOCK) + 1) // 2
        words = np.frombuffer(stream.update(bytes(24 * pairs)), "<u8").reshape(3, pairs)
        radius = np.sqrt(-2 * _log_uniform(words[0], words[1]))
        angle = (2 * np.pi * 2.0**-53) * (words[2] >> np.uint64(11)).astype(np.float64)
        parts.append(np.concatenate([radius * np.cos(angle), radius * np.sin(angle)]))
    return np.concatenate(parts)[:count] if parts else np.empty(0)


def _log_uniform(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.float64]:
    """ln((j + ½)·2⁻¹²⁸) of j = high·2⁶⁴ + low, with float64's full digits near 0 and near 1."""
    value = _fraction(high, low)
    rest = _fraction(~high, ~low)
    found: NDArray[np.float64] = np.where(high >> np.uint64(63), np.log1p(-rest), np.log(value))
    return found


def _fraction(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.float64]:
    return high.astype(np.float64) * 2.0**-64 + (low.astype(np.float64) + 0.5) * 2.0**-128


def discrete_gaussian(count: int, deviation: float, below: Below = secrets.randbelow) -> NDArray[np.int64]:
    """(count,) integers x with probability ∝ exp(−x²/2s²), exactly, s being `deviation` (Canonne, Kamath and Steinke,
    The Discrete Gaussian for Differential Privacy, NeurIPS 2020, algorithms 1 to 3)."""
    variance = Fraction(deviation) ** 2
    scale = math.floor(deviation) + 1
    return np.array([_discrete_gaussian(variance, scale, below) for _ in range(count)], np.int64)


def _discrete_gaussian(variance: Fraction, scale: int, below: Below) -> int:
    above, under = variance.numerator, variance.denominator
    while True:
        found = _discrete_laplace(scale, below)
        # (|x| − s²/t)² / 2s², over one denominator
        distance = (abs(found) * under * scale - above) ** 2
        if _is_kept(distance, 2 * above * under * scale**2, below):
            return found


def _discrete_laplace(scale: int, below: Below) -> int:
    """An integer x with probability ∝ exp(−|x|/scale)."""
    while True:
        rest = below(scale)
        if not _is_kept(rest, scale, below):
            continue
        whole = 0
        while _is_kept(1, 1, below):
            whole += 1
        size = rest + scale * whole
        is_negative = below(2) == 1
        if size or not is_negative:
            return -size if is_negative else size


def _is_kept(above: int, under: int, below: Below) -> bool:
    """True with probability exp(−above/under)."""
    while above > under:
        if not _is_kept(1, 1, below):
            return False
        above -= under
    tries = 1
    while below(under * tries) < above:
        tries += 1
    return tries % 2 == 1
