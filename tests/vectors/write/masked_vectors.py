"""Writes tests/vectors/masked.json: one small masked opening from the updates to the step, byte for byte.

`python tests/vectors/write/masked_vectors.py` writes it, `--check` says whether the committed file is what would be
written. Bytes are 0x-hex.
"""

from __future__ import annotations

import sys
from typing import Final

import numpy as np
from cycle_facts import CHAIN_ID, FEDERATION, JOB, Facts, account, hexed
from vector_file import VECTORS, write_or_check

from hansa.protocol import envelope as sealing
from hansa.protocol.cid import digest_of
from hansa.protocol.exact import Tensors
from hansa.protocol.masked import envelope, streams, words
from hansa.protocol.masked.envelope import Masked
from hansa.protocol.masked.group import Group
from hansa.protocol.masked.opening import Opening
from hansa.protocol.masked.probe import Probe
from hansa.protocol.masked.sharing import Sharing, mask
from hansa.protocol.masked.table import Table
from hansa.protocol.masked.words import Fault
from hansa.protocol.model import initial_model
from hansa.protocol.types import CycleId, Digest, Place, Seat

PATH: Final = VECTORS / "masked.json"
SHAPES: Final = {"bias": (2,), "weight": (2, 2)}
SHARING: Final = Sharing(4, 2)
CYCLE: Final = CycleId(0xABCDE << 24 | 2)
GROUP: Final = Group(CYCLE, 2**100 + 7, (True, True, False, True))
FAULT: Final = Fault(6, 9)
UPDATES: Final[list[Tensors]] = [
    {"bias": np.array([b, -1], np.int8), "weight": np.array([[w, 2], [-w, 0]], np.int8)}
    for b, w in ((0, 127), (3, -64), (1, 1), (-127, 5))
]


def make() -> Facts:
    """All vectors."""
    secrets = [bytes([seat + 1]) * 32 for seat in range(SHARING.seats)]
    keys = [*map(sealing.public_key, secrets[:3]), None]
    length = words.length(SHAPES)
    sealed = []
    for place, update in enumerate(UPDATES):
        ctx = sealing.context(
            Place(CHAIN_ID, FEDERATION, JOB, CYCLE), account(f"trainer {place}"), Digest(bytes(range(32)))
        )
        data = envelope.seal(words.words_of(update), _seeds(place), ctx, SHARING, keys)
        sealed.append(Masked(data, ctx, SHARING, length))
    stream_keys = [[sealed[p].stream_key(i, _seeds(p)[i]) for p in GROUP.places] for i in range(len(SHARING.sets))]
    vectors = [streams.vector(chosen, length) for chosen in stream_keys]
    opening = Opening(length)
    for place in GROUP.places:
        opening.add(sealed[place].words)
    for total, _ in vectors:
        opening.take_off(total)
    model = initial_model({name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}, 8)
    step = words.next_model_tensors(model, opening.total, GROUP.size)
    own = SHARING.by_seat[1]
    table = Table(Seat(1), {index: vectors[index][1] for index in own})
    told = {i: np.stack([streams.words_at(k, FAULT.first, FAULT.words) for k in stream_keys[i]]) for i in own}
    return {
        "sets": {str(t): [[list(s), hexed(mask(s))] for s in Sharing(5, t).sets] for t in (2, 3)},
        "secrets": [hexed(secret) for secret in secrets],
        "keys": [None if key is None else hexed(key) for key in keys],
        "seeds": [[hexed(seed) for seed in _seeds(place)] for place in range(len(UPDATES))],
        "updates": [{name: update[name].ravel().tolist() for name in sorted(update)} for update in UPDATES],
        "words": [hexed(words.words_of(update).tobytes()) for update in UPDATES],
        "contexts": [hexed(one.ctx) for one in sealed],
        "envelopes": [hexed(bytes(one.data)) for one in sealed],
        "group": {
            "cycle": str(GROUP.cycle),
            "updates": str(GROUP.updates),
            "in": GROUP.places,
            "bitmap": hexed(GROUP.bitmap),
            "name": hexed(GROUP.name),
        },
        "vectors": [hexed(total.tobytes()) for total, _ in vectors],
        "digests": [hexed(digest) for _, digest in vectors],
        "table": hexed(table.encode(SHARING, GROUP)),
        "table_digest": hexed(digest_of(table.encode(SHARING, GROUP))),
        "probe": hexed(Probe(Seat(1), told).encode(SHARING, GROUP, FAULT)),
        "sum": opening.total.tolist(),
        "step": {name: hexed(values.tobytes()) for name, values in step.items()},
        "k": list(words.next_exponents(model.k, opening.total)),
    }


def _seeds(place: int) -> list[bytes]:
    return [bytes([16 * place + index + 1]) * 32 for index in range(len(SHARING.sets))]


if __name__ == "__main__":
    sys.exit(write_or_check(PATH, make, __file__, sys.argv[1:]))
