"""The design's formulas, written down as slowly and literally as Python allows: what the fast code is compared with.

Lists of Python integers, no numpy but for the cast to float32; one coordinate, one trainer at a time.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt

import numpy as np


def median(values):
    return sorted(values)[(len(values) - 1) // 2]


def nearer_zero(values):
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if abs(low) <= abs(high) else high


def weighted_median(values, weights):
    total = sum(weights)
    return min(v for v in values if 2 * sum(b for u, b in zip(values, weights, strict=True) if u <= v) >= total)


def dot(a, b, k):
    """a, b: dicts of lists of integers; k: exponents in name order. Units of 4**-max(k)."""
    return sum(
        int(x) * int(y) * 4 ** (max(k) - e)
        for name, e in zip(sorted(a), k, strict=True)
        for x, y in zip(a[name], b[name], strict=False)
    )


def clips(norms, weights):
    m = weighted_median(norms, weights)
    return [min(256, isqrt((m << 16) // n)) for n in norms]


def duplicates(updates, k, order):
    """Of each duplicate what it repeats, and their cosine, 1e-9."""
    found, kept = {}, []
    for i in order:
        n = dot(updates[i], updates[i], k)
        inside = {name: [x for x in values if abs(x) < 127] for name, values in updates[i].items()}
        alike, small = [], sum(map(len, updates[i].values())) < 10
        for j in kept:
            d, m = dot(updates[i], updates[j], k), dot(updates[j], updates[j], k)
            if d > 0 and (updates[i] == updates[j] if small else 10_000 * d * d > 9801 * n * m):
                alike.append((isqrt(10**18 * d * d // (n * m)), -j))
        if alike and not (small and 2 * dot(inside, inside, k) <= n):
            cosine, j = max(alike)
            found[i] = (-j, cosine)
        else:
            kept.append(i)
    return found


def step(w, total, k, divisor):
    """One coordinate of w': float(Fraction) and + are correctly rounded."""
    x = float(Fraction(total) / Fraction(2) ** k / divisor)
    value = float(w) + x
    if abs(value) < 2.0**-126:
        return np.float32(0.0)
    return np.float32(max(-(2.0**64), min(2.0**64, value)))


def aggregate(rule, tensors, k, updates, weights, clip):
    """tensors: dict of lists of floats; updates: dicts of lists of integers."""
    n, names = len(updates), sorted(tensors)
    f = 3 * n // 10
    v = [{name: [c * int(x) for x in u[name]] for name in names} for u, c in zip(updates, clip, strict=True)]
    if rule == "nnm_trimmed_mean":
        v = _mixed(v, k, n - f - 1)
    result = {}
    for name, e in zip(names, k, strict=True):
        result[name] = []
        for j, w in enumerate(tensors[name]):
            column = [x[name][j] for x in v]
            if rule in ("mean", "validated_mean"):
                total, divisor = sum(a * x for a, x in zip(weights, column, strict=True)), 256 * sum(weights)
            elif rule == "median":
                ordered = sorted(column)
                total = ordered[n // 2] if n % 2 else ordered[n // 2 - 1] + ordered[n // 2]
                divisor = 256 if n % 2 else 512
            else:
                total = sum(sorted(column)[f : n - f])
                divisor = 256 * (n - 2 * f) * (n - f if rule == "nnm_trimmed_mean" else 1)
            result[name].append(step(w, total, e, divisor))
    return result


def _mixed(v, k, others):
    result = []
    for i, mine in enumerate(v):
        gap = [
            ({name: [x - y for x, y in zip(mine[name], u[name], strict=True)] for name in mine}, j)
            for j, u in enumerate(v)
        ]
        near = sorted((dot(g, g, k), j) for g, j in gap if j != i)[:others]
        chosen = [i] + [j for _, j in near]
        result.append({name: [sum(v[j][name][x] for j in chosen) for x in range(len(mine[name]))] for name in mine})
    return result


def middle(x, a):
    """The least x_i // a_i that, with all below it, has half of the weight."""
    each = sorted((x[i] // a[i], i) for i in x)
    for value, _ in each:
        if 2 * sum(a[i] for v, i in each if v <= value) >= sum(a[i] for i in x):
            return value
    return 0


def advance(records, judged, weights):
    """records: trainer -> (gain, news); judged: trainer -> (gain, news) of the ok updates."""
    after = {i: (floor(Fraction(5, 6) * s), floor(Fraction(5, 6) * u)) for i, (s, u) in records.items()}
    m = middle({i: abs(g) for i, (g, _) in judged.items()}, {i: weights[i] for i in judged})
    for i, (g, n) in judged.items():
        s, u = after.get(i, (0, 0))
        most, news = 2 * weights[i] * m, min(g, n)
        counts = g > 0 and Fraction(news, g) >= Fraction(1, 3)
        after[i] = (max(0, s + min(g, most)), u + (min(news, most) if counts else 0))
    return after


def payments(before, after, included, reward):
    """before, after: records as `advance` has them."""
    news = sum(u for _, u in before.values())
    part = Fraction(news, max(news, sum(s for s, _ in before.values()))) if news else None
    p = {
        i: min(Fraction(s), 2 * u / part) if part else Fraction(s) for i in included for s, u in [after.get(i, (0, 0))]
    }
    return {i: floor(reward * p[i] / sum(p.values())) if sum(p.values()) else 0 for i in included}
