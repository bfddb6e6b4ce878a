"""The peer of `secagg`: Flower's SecAgg+, its own functions of client and server called one after another, no network.

Every client masks against all others, as in the scheme that SecAgg+ is a sparser form of (Bonawitz et al. 2017,
"Practical Secure Aggregation for Privacy-Preserving Machine Learning"), or against so many neighbours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import offered

CLIP, LEVELS, RANGE = 8.0, 1 << 22, 1 << 32  # what Flower's workflow sets if it is told nothing

Clock = Callable[[], float]


@dataclass
class Spent:
    """Seconds of one client, of the server, and of all; upload: bytes of one client's masked vector."""

    client: float
    server: float
    everything: float
    upload: int


class Flower:
    """Flower's functions, and a ledger of the seconds that they take."""

    def __init__(self, clock: Clock) -> None:
        common = "flwr.common.secure_aggregation"
        self.client = _module("flwr.client.mod.secure_aggregation.secaggplus_mod")
        self.utils, self.arithmetic = _module(f"{common}.secaggplus_utils"), _module(f"{common}.ndarrays_arithmetic")
        self.shamir, self.rounding = _module(f"{common}.crypto.shamir"), _module(f"{common}.quantization")
        self.arrays = _module("flwr.common")
        self.key = _module(f"{common}.secaggplus_constants").Key
        self.seconds: dict[object, float] = {}
        self._clock = clock
        logging.getLogger("flwr").setLevel(logging.WARNING)

    @contextmanager
    def on(self, who: object) -> Iterator[None]:
        started = self._clock()
        yield
        self.seconds[who] = self.seconds.get(who, 0.0) + self._clock() - started


def is_installed() -> bool:
    return offered("flwr") is not None and offered("Crypto") is not None


def secure_sum(updates: Sequence[NDArray[np.float32]], neighbours: int | None, clock: Clock) -> Spent:
    """One round without a drop-out. Raises AssertionError where the sum isn't that of the updates."""
    flower, n = Flower(clock), len(updates)
    ring = _ring(n, neighbours if neighbours is not None else n - 1)
    states = {i: flower.client.SecAggPlusState() for i in range(n)}
    key, keys = flower.key, {}
    threshold = len(ring[0]) // 2 + 1
    for i, state in states.items():
        state.nid = i
        configs = {
            key.SAMPLE_NUMBER: n,
            key.SHARE_NUMBER: len(ring[i]),
            key.THRESHOLD: threshold,
            key.CLIPPING_RANGE: CLIP,
            key.TARGET_RANGE: LEVELS,
            key.MOD_RANGE: RANGE,
            key.MAX_WEIGHT: 1.0,
        }
        with flower.on(i):
            told = flower.client._setup(state, configs)
        keys[i] = (told[key.PUBLIC_KEY_1], told[key.PUBLIC_KEY_2])
    boxes: dict[int, list[tuple[int, bytes]]] = {i: [] for i in range(n)}
    for i, state in states.items():
        with flower.on(i):
            told = flower.client._share_keys(state, {str(j): keys[j] for j in ring[i]})
        for j, box in zip(told[key.DESTINATION_LIST], told[key.CIPHERTEXT_LIST], strict=True):
            boxes[j].append((i, box))
    total, upload = None, 0
    for i, state in states.items():
        given = {key.CIPHERTEXT_LIST: [box for _, box in boxes[i]], key.SOURCE_LIST: [j for j, _ in boxes[i]]}
        parameters = flower.arrays.ndarrays_to_parameters([updates[i]])
        with flower.on(i):
            told = flower.client._collect_masked_vectors(state, given, 1, parameters)
        upload = sum(map(len, told[key.MASKED_PARAMETERS]))
        with flower.on("server"):
            vector = [flower.arrays.bytes_to_ndarray(data) for data in told[key.MASKED_PARAMETERS]]
            total = vector if total is None else flower.arithmetic.parameters_addition(total, vector)
    mean = _unmasked(flower, states, ring, total, threshold)
    expected = np.sum(updates, axis=0, dtype=np.float64) / n
    assert np.abs(mean - expected).max() < 2 * CLIP / LEVELS * 2, "the peer's mean is not that of the updates"
    everything = sum(flower.seconds.values())
    return Spent(flower.seconds[0], flower.seconds["server"], everything, upload)


def _unmasked(flower: Flower, states: Any, ring: list[list[int]], total: Any, threshold: int) -> NDArray[np.float64]:
    """The mean, as the server's last stage works it out."""
    key, n = flower.key, len(states)
    shares: dict[int, list[bytes]] = {i: [] for i in range(n)}
    for i, state in states.items():
        with flower.on(i):
            told = flower.client._unmask(state, {key.ACTIVE_NODE_ID_LIST: ring[i], key.DEAD_NODE_ID_LIST: []})
        for j, share in zip(told[key.NODE_ID_LIST], told[key.SHARE_LIST], strict=True):
            shares[j].append(share)
    with flower.on("server"):
        total = flower.arithmetic.parameters_mod(total, RANGE)
        for found in shares.values():
            secret = flower.shamir.combine_shares(found[: max(threshold, 1)])
            shapes = flower.arithmetic.get_parameters_shape(total)
            mask = flower.utils.pseudo_rand_gen(secret, RANGE, shapes)
            total = flower.arithmetic.parameters_subtraction(total, mask)
        total = flower.arithmetic.parameters_mod(total, RANGE)
        ratio, rest = flower.arithmetic.factor_extract(total)
        (mean,) = flower.rounding.dequantize(rest, CLIP, LEVELS)
        mean += -(n - 1) * CLIP
        mean *= LEVELS / ratio
    found_mean: NDArray[np.float64] = mean
    return found_mean


def _ring(n: int, neighbours: int) -> list[list[int]]:
    """Each client and its neighbours on a circle, half on either side."""
    near = [step for half in range(1, neighbours // 2 + 1) for step in (half, -half)][:neighbours]
    if neighbours >= n - 1:
        return [list(range(n)) for _ in range(n)]
    return [sorted({i, *((i + step) % n for step in near)}) for i in range(n)]


def _module(name: str) -> Any:
    module = offered(name)
    assert module is not None, f"{name} is missing"
    return module
