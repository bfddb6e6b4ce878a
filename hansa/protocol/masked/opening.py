"""Opening a group's sum: which vectors count, who lied about one, whose update spoils the sum.

Everybody decides alike from files that everybody can read. A set that holders tell differently about holds a corrupt
seat, which has the set's seeds anyway: so its seeds are shown, and the vector is worked out again. Of t − 1 corrupt
seats the others are a set of honest ones that never differs, and its streams stay hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hansa.protocol.exact import PIECE, blocks
from hansa.protocol.masked.probe import Probe
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.table import Table
from hansa.protocol.masked.words import WORD, Fault, Sum, Words, is_spoilt
from hansa.protocol.types import Digest, Seat


@dataclass(frozen=True)
class Settled:
    """What a committee's tables come to.

    vectors: the digest that counts, by index of the set. disputed: sets whose seeds have to be shown first. untold:
    sets that nobody told of. liars: seats that told another vector than the seeds give.
    """

    vectors: dict[int, Digest]
    disputed: tuple[int, ...] = ()
    untold: tuple[int, ...] = ()
    liars: tuple[Seat, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not self.disputed and not self.untold


def settle(tables: Sequence[Table], sharing: Sharing, shown: Mapping[int, Digest]) -> Settled:
    """Which vector counts for each set.

    tables: one a seat. shown: of disputed sets whose seeds were put, the digest of the vector that they give.
    """
    vectors: dict[int, Digest] = {}
    disputed, untold, liars = [], [], set()
    for index in range(len(sharing.sets)):
        told = {table.seat: table.digests[index] for table in tables if index in table.digests}
        digests = set(told.values())
        if not digests:
            untold.append(index)
        elif len(digests) == 1:
            vectors[index] = digests.pop()
        elif index in shown:
            vectors[index] = shown[index]
            liars |= {seat for seat, digest in told.items() if digest != shown[index]}
        else:
            disputed.append(index)
    return Settled(vectors, tuple(disputed), tuple(untold), tuple(sorted(liars)))


class Opening:
    """The sum of a group: masked words go in, vectors come off; the files are held one at a time."""

    def __init__(self, length: int) -> None:
        self._total: Words = np.zeros(length, WORD)

    def add(self, words: Words) -> None:
        """One update's masked words."""
        self._change(words, np.add)

    def take_off(self, words: Words) -> None:
        """A set's vector, or the words of an update that spoils the sum."""
        self._change(words, np.subtract)

    @property
    def total(self) -> Sum:
        """S, once everything went in and came off."""
        return self._total.view("<i2")

    def _change(self, words: Words, change: np.ufunc) -> None:
        if len(words) != len(self._total):
            raise ValueError(f"{len(words)} words, not {len(self._total)}")
        for part in blocks(0, len(words), PIECE):
            change(self._total[part], words[part], out=self._total[part])


@dataclass(frozen=True)
class Probed:
    """suspects: places whose words at the fault are none of an update, once every set was told. disputed: sets whose
    seeds have to be shown first. untold: sets that too few told of. liars: as in `Settled`."""

    suspects: tuple[int, ...]
    disputed: tuple[int, ...] = ()
    untold: tuple[int, ...] = ()
    liars: tuple[Seat, ...] = ()


def settle_probes(
    probes: Sequence[Probe],
    sharing: Sharing,
    masked: Mapping[int, Words],
    fault: Fault,
    shown: Mapping[int, Words],
) -> Probed:
    """Who may have spoilt a sum. A set's words count where t of its seats, so an honest one, tell the same.

    masked: masked words at the fault, by place of the updates that are in. shown: of disputed sets whose seeds were
    put, the words that they give, (updates that are in, words).
    """
    places = sorted(masked)
    clear = np.stack([masked[place] for place in places]).astype(WORD)
    disputed, untold, liars = [], [], set()
    for index in range(len(sharing.sets)):
        told = {probe.seat: probe.words[index].tobytes() for probe in probes if index in probe.words}
        alike = set(told.values())
        if index in shown:
            truth = shown[index].astype(WORD).tobytes()
            liars |= {seat for seat, said in told.items() if said != truth}
        elif len(alike) > 1:
            disputed.append(index)
            continue
        elif len(told) < sharing.shares:
            untold.append(index)
            continue
        else:
            truth = alike.pop()
        clear -= np.frombuffer(truth, WORD).reshape(clear.shape)
    if disputed or untold:
        return Probed((), tuple(disputed), tuple(untold), tuple(sorted(liars)))
    suspects = tuple(place for place, words in zip(places, clear, strict=True) if is_spoilt(words, fault))
    return Probed(suspects, liars=tuple(sorted(liars)))


def spoilers(suspects: Mapping[int, Words], fault: Fault) -> tuple[int, ...]:
    """Who did spoil a sum, by all words of each suspect as its own seeds give them: who sent what an update sends is
    none, whatever probes said."""
    part = slice(fault.first, fault.first + fault.words)
    return tuple(place for place, words in sorted(suspects.items()) if is_spoilt(words[part], fault))
