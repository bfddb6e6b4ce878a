"""What masked sums take a trainer and a member, step by step, and Flower's SecAgg+ in the same run.

Nothing here reads a network or a disk. That the sum is exact is asserted in every run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import secagg_peer as peer
from benchmarks.aggregation import most_in_memory
from benchmarks.peers import INSTALL, offered
from benchmarks.report import Cell, Report, Section, load
from hansa.protocol import envelope as sealing
from hansa.protocol.cid import digest_of
from hansa.protocol.masked import envelope, streams, words
from hansa.protocol.masked.envelope import Masked
from hansa.protocol.masked.opening import Opening
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.model import Model, initial_model
from hansa.protocol.types import Address, CycleId, Digest, JobId, Place
from hansa.runtime.memory import give_back_large

MILLION: Final = 10**6
SIZES: Final = [(10, 25 * MILLION), (50, MILLION)]
SMALL: Final = [(10, MILLION), (12, MILLION // 10)]
SHARINGS: Final = [Sharing(3, 2), Sharing(4, 2), Sharing(5, 3)]
SPARSE: Final = 12  # neighbours of a client, where SecAgg+ is let be sparse
STEPS: Final = ["attest", "sums, own hashed", "others' re-hashed", "open", "step"]
COLUMNS: Final = ["", "CPU s", "s by the clock", "target"]
TARGETS: Final = {"trainer": "≤ 0.3", "member": "≤ 1.5"}


class Watch:
    """CPU seconds, of all threads, and seconds by the clock, by what they were spent on."""

    def __init__(self) -> None:
        self.spent: dict[str, tuple[float, float]] = {}

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        cpu, clock = time.process_time(), time.perf_counter()
        yield
        self.spent[what] = (time.process_time() - cpu, time.perf_counter() - clock)

    def total(self, names: list[str]) -> tuple[float, float]:
        return sum(self.spent[name][0] for name in names), sum(self.spent[name][1] for name in names)


def run(quick: bool) -> Report:
    give_back_large()
    sections: list[Section] = []
    ratios: list[list[Cell]] = []
    for n, size in SMALL if quick else SIZES:
        updates = [np.random.default_rng(i).integers(-127, 128, size, np.int8) for i in range(n)]
        paths = {}
        for sharing in SHARINGS:
            section, paths[sharing] = _masked(updates, sharing)
            sections.append(section)
        if peer.is_installed():
            section, theirs = _theirs(updates)
            sections.append(section)
            for s, ours in paths.items():
                beside: list[Cell] = [
                    cell for spent in theirs for cell in (spent, None if spent is None else spent / ours)
                ]
                ratios.append([f"{n} × {size:,}, m={s.seats}, t={s.shares}", ours, *beside])
    if ratios:
        title = "One trainer and one member, beside the peer's client (masks with all others, or with a few) and server"
        notes = ["Targets at full size: 10 × and more at 50 × 1M, 2 × and more at 10 × 25M."]
        few = f"{SPARSE} neighbours"
        sections.append(Section(title, ["", "Hansa CPU s", "Flower CPU s", "times", few, "times"], ratios, notes))
    else:
        sections[-1].notes.append(f"No peer: {INSTALL}")
    return Report("secagg", quick, sections)


def _masked(updates: list[NDArray[np.int8]], sharing: Sharing) -> tuple[Section, float]:
    """The table of one committee, and CPU seconds of one trainer with one member."""
    n, size, watch = len(updates), updates[0].size, Watch()
    model = initial_model({"w": np.zeros(size, np.float32)}, 8)
    secrets = [bytes([seat + 1]) * 32 for seat in range(sharing.seats)]
    keys: list[bytes | None] = [sealing.public_key(secret) for secret in secrets]
    files, seeds = [], []
    for place, update in enumerate(updates):
        drawn = envelope.new_seeds(sharing)
        with watch.on("trainer"):
            files.append(envelope.seal(words.words_of({"w": update}), drawn, _context(place), sharing, keys))
        seeds.append(drawn)
    length = words.length(model.shapes)
    before = most_in_memory()
    _member(watch, model, files, seeds, sharing, keys, secrets[0])
    beside = most_in_memory() - before
    cpu = watch.total(["trainer", *STEPS])[0]
    rows: list[list[Cell]] = [["trainer", *watch.spent["trainer"], TARGETS["trainer"]]]
    rows += [[f"  {name}", *watch.spent[name], None] for name in STEPS]
    rows.append(["member", *watch.total(STEPS), TARGETS["member"]])
    rows.append(["fetched envelopes re-hashed, as in every mode", *watch.spent["fetched"], None])
    notes = [
        f"{len(sharing.sets)} sets. Upload {len(files[0]) / 1e6:.1f} MB, {len(files[0]) / size:.2f} bytes a value; a "
        f"member fetches {_fetched(sharing, len(files[0]), n, length) / 1e6:.0f} MB.",
        f"Peak memory grew by {beside / 1e6:.0f} MB while the member worked, all files held. {load()}.",
    ]
    title = f"Masked, {n} trainers × {size:,}, m={sharing.seats}, t={sharing.shares}"
    return Section(title, COLUMNS, rows, notes, digits=3), cpu


def _member(
    watch: Watch,
    model: Model,
    files: list[bytes],
    seeds: list[list[bytes]],
    sharing: Sharing,
    keys: list[bytes | None],
    secret: bytes,
) -> None:
    """A cycle of seat 0. Raises AssertionError where the sum isn't that of the updates."""
    length, own = words.length(model.shapes), sharing.by_seat[0]
    with watch.on("fetched"):
        for data in files:
            digest_of(data)
    with watch.on("attest"):
        masked = [Masked(data, _context(place), sharing, length) for place, data in enumerate(files)]
        opened = [one.open_own(0, secret, keys) for one in masked]
    with watch.on("sums, own hashed"):  # a daemon writes each to its disk before the next
        room = np.empty(length, words.WORD)
        for index in own:
            keys_of_set = [one.stream_key(index, seed[index]) for one, seed in zip(masked, opened, strict=True)]
            streams.vector(keys_of_set, length, room)
    vectors = {}
    for index in range(len(sharing.sets)):
        keys_of_set = [one.stream_key(index, drawn[index]) for one, drawn in zip(masked, seeds, strict=True)]
        vectors[index] = streams.vector(keys_of_set, length)[0]
    with watch.on("others' re-hashed"):
        for index in set(vectors) - set(own):
            digest_of(vectors[index].data.cast("B"))
    with watch.on("open"):
        opening = Opening(length)
        for one in masked:
            opening.add(one.words)
        for vector in vectors.values():
            opening.take_off(vector)
        assert words.fault_in(opening.total, model.shapes, len(files)) is None
    with watch.on("step"):
        words.next_model_tensors(model, opening.total, len(files))
    plain = sum(one.unmasked(dict(enumerate(drawn))).view(np.int16) for one, drawn in zip(masked, seeds, strict=True))
    assert np.array_equal(plain, opening.total), "the sum is not exact"


def _theirs(updates: list[NDArray[np.int8]]) -> tuple[Section, list[float | None]]:
    """The peer's table, and CPU seconds of one of its clients with its server: where it masks with all others, and
    where it masks with a few; None where there are no more."""
    n, size = len(updates), updates[0].size
    floats = [update.astype(np.float32) * np.float32(2**-8) for update in updates]
    rows: list[list[Cell]] = []
    found: list[float | None] = []
    for what, neighbours in (("masks with all others", None), (f"masks with {SPARSE} neighbours", SPARSE)):
        if neighbours is None or neighbours < n - 1:
            spent = peer.secure_sum(floats, neighbours, time.process_time)
            found.append(spent.client + spent.server)
            rows.append([what, spent.client, spent.server, spent.everything, spent.upload / 1e6])
    package = offered("flwr")
    assert package is not None
    notes = [f"Float32 updates of {4 * size / 1e6:.0f} MB; no drop-out, no network, one process. {load()}."]
    title = f"Flower {package.__version__}, SecAgg+, its own functions, {n} × {size:,}: CPU s"
    section = Section(title, ["", "client", "server", "all", "upload MB"], rows, notes)
    return section, [*found, None][:2]


def _context(trainer: int) -> bytes:
    place = Place(1, Address("0x" + "ee" * 20), JobId(1), CycleId(2))
    return sealing.context(place, Address(f"0x{trainer + 1:040x}"), Digest(bytes(32)))


def _fetched(sharing: Sharing, upload: int, n: int, length: int) -> int:
    """Bytes: envelopes, and the vectors of sets that seat 0 isn't in."""
    return n * upload + (len(sharing.sets) - len(sharing.by_seat[0])) * 2 * length
