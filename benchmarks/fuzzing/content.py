"""Decoders of what stores give: models, updates, envelopes, specs, what committees publish."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from benchmarks.fuzzing.mutate import json_text, octets
from benchmarks.fuzzing.shapes import after, either, tensor_file
from benchmarks.fuzzing.target import Target
from hansa.protocol import content_keys, envelope, release, shared_envelope, tensors
from hansa.protocol.baselines import parse_baselines
from hansa.protocol.cid import from_cid, to_cid
from hansa.protocol.errors import BadKey, Malformed
from hansa.protocol.masked import envelope as masked_envelope
from hansa.protocol.masked.group import Group, from_bitmap
from hansa.protocol.masked.probe import Probe
from hansa.protocol.masked.sharing import Sharing
from hansa.protocol.masked.table import Table
from hansa.protocol.masked.words import Fault
from hansa.protocol.model import Model, Update, initial_model
from hansa.protocol.sheet import Entry, decode_sheet, encode_sheet
from hansa.protocol.spec import JobSpec
from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import Address, Code, CycleId, Digest, JobId, Place, Seat

PLACE: Final = Place(31337, Address("0x" + "11" * 20), JobId(7), CycleId(5))
TRAINER: Final = Address("0x" + "22" * 20)
BASE: Final = Digest(hashlib.sha256(b"base").digest())
CONTEXT: Final = envelope.context(PLACE, TRAINER, BASE)
SECRETS: Final = [bytes([seat + 1]) * 32 for seat in range(4)]
KEYS: Final[list[bytes | None]] = [envelope.public_key(secret) for secret in SECRETS[:3]] + [None]
KEY: Final = b"\7" * 32
SHARING: Final = Sharing(4, 2)
GROUP: Final = Group(CycleId(5), 9, (True, False, True, True))
FAULT: Final = Fault(3, 1)
UPDATES: Final = 3  # in a cycle with releases
VECTORS: Final = Path(__file__).parents[2] / "tests" / "vectors"

MODEL: Final = initial_model({"b": np.ones(3, np.float32), "w": np.arange(8, dtype=np.float32).reshape(2, 4)}, 8)
LATER: Final = Model(dict(MODEL.tensors), 7, 1, BASE, 8, (9, -3))


def _update(**retry: Any) -> bytes:
    values = {"b": np.array([1, -2, 127], np.int8), "w": np.arange(8, dtype=np.int8).reshape(2, 4)}
    return Update({**values}, 7, 5, TRAINER, **retry).encode()


def _read_update(data: bytes) -> Update:
    return Update.decode(data, model=MODEL, job=7, cycle=5, trainer=TRAINER)


def _open(data: bytes) -> bytes:
    return bytes(envelope.open_envelope(data, CONTEXT, 1, SECRETS[1], KEYS).update)


def _sealed() -> Iterable[bytes]:
    return [envelope.seal(update, KEY, CONTEXT, KEYS) for update in (b"", _update())]


def _open_shared(data: bytes) -> bytes:
    shared_envelope.open_box(data, CONTEXT, Seat(1), SECRETS[1], KEYS, 2)
    shares = {Seat(seat): share for seat, share in enumerate(shared_envelope.shares_of(KEY, CONTEXT, 4, 2))}
    said = {seat: share for seat, share in shares.items() if shared_envelope.has_share(data, CONTEXT, seat, share)}
    if len(said) < 2:
        raise Malformed("envelope", cause="fewer than two shares are its own")
    return bytes(shared_envelope.open_with_shares(data, CONTEXT, said, KEYS, 2).update)


def _open_masked(data: bytes) -> tuple[int, ...]:
    opened = masked_envelope.Masked(data, CONTEXT, SHARING, 20)
    opened.open_own(1, SECRETS[1], KEYS)
    return tuple(int(word) for word in opened.words)


def _masked() -> Iterable[bytes]:
    seeds = [bytes([index + 9]) * 32 for index in range(len(SHARING.sets))]
    return [masked_envelope.seal(np.arange(20, dtype="<u2"), seeds, CONTEXT, SHARING, KEYS)]


RELEASED: Final = release.context(PLACE, TRAINER, 77)


def _read_release(data: bytes) -> tuple[release.Entry, ...]:
    """data: the file, or its content, which is sealed first."""
    sealed = data if data[:6] == envelope.MAGIC else envelope.seal(data, KEY, RELEASED, KEYS)
    return release.read(sealed, RELEASED, Seat(1), SECRETS[1], KEYS, UPDATES)


def _releases() -> Iterable[bytes]:
    content = bytes(33) + b"\1" + b"\5" * 32 + b"\2" + bytes(32)
    return [content, envelope.seal(content, KEY, RELEASED, KEYS)]


def _tables() -> Iterable[bytes]:
    own = SHARING.by_seat[1]
    digests = {index: Digest(hashlib.sha256(bytes([index])).digest()) for index in own}
    return [Table(Seat(1), told).encode(SHARING, GROUP) for told in (digests, dict(list(digests.items())[:1]), {})]


def _probe(seat: int = 1) -> Probe:
    return Probe(Seat(seat), {index: np.full((3, 1), index, "<u2") for index in SHARING.by_seat[seat]})


def _specs() -> Iterable[bytes]:
    plain = JobSpec(task="heart", steps=10, model_bytes=10_000, update_bytes=20_000)
    changes: dict[str, Any] = {
        "task": "file.py:Class",
        "task_digest": "cd" * 32,
        "steps": 1,
        "bits": 16,
        "weights": "bond",
        "seed": 2**53 - 1,
        "title": "Ein Titel",
        "about": "\u00e9\n\u202e",
        "metric": "accuracy",
        "baselines": ["majority=0.54", "x"],
        "settings": {"batch": 4, "names": ["a", ["b", 1]], "on": True, "rate": "0.01"},
        "frozen": {"f": "ab" * 32},
        "privacy": "masked",
        "group": 3,
        "shares": 2,
        "loss_threshold": -5,
    }
    given = JobSpec.model_validate({**plain.model_dump(), **changes})
    first = JobSpec(version=1, task="heart", steps=10, model_bytes=10_000, update_bytes=20_000)
    return [spec.encode() for spec in (plain, given, first)]


def _told_spec(spec: JobSpec) -> str:
    return json.dumps(
        [spec.task, spec.title, spec.steps, spec.bits, spec.rule, spec.privacy, spec.group, spec.shares],
        ensure_ascii=True,
    )


def _sheet(data: bytes) -> tuple[int, list[Entry]]:
    """The first byte says how many updates there are."""
    return data[0] if data else 0, decode_sheet(data[1:], data[0] if data else 0)


def _sheets() -> Iterable[bytes]:
    entries = [
        Entry(Code.OK, 5, -7),
        Entry(Code.MALFORMED),
        Entry(Code.DUPLICATE, 0, 999_000_000),
        Entry(Code.OK, 2**40, -(2**40)),
    ]
    return [bytes([count]) + encode_sheet(entries[:count]) for count in range(5)]


def _told_sheet(value: tuple[int, list[Entry]]) -> str:
    return " ".join(f"{int(code)},{gain},{news}" for code, gain, news in value[1])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _baselines(data: bytes) -> list[tuple[str, int]]:
    return parse_baselines(_text(data).split("\n"))


def _bitmap(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return octets(random, data, others)[:40]


ACCEPTED = (Malformed, BadKey)
TARGETS: Final = (
    Target(
        "tensors",
        "a tensor file",
        tensors.decode,
        (Malformed,),
        lambda: [MODEL.encode(), _update(), tensors.encode({"s": np.array(1, np.int8)}, {})],
        "tensor",
        tensor_file,
        lambda value: tensors.encode(*value),
    ),
    Target(
        "model",
        "a model file",
        Model.decode,
        (Malformed,),
        lambda: [MODEL.encode(), LATER.encode()],
        "model|tensor|CID",
        tensor_file,
        Model.encode,
    ),
    Target(
        "update",
        "an update to a model",
        _read_update,
        (Malformed,),
        lambda: [_update(), _update(retry_cid=to_cid(BASE), retry_key=KEY)],
        "update|tensor|CID",
        tensor_file,
        Update.encode,
    ),
    Target(
        "envelope",
        "hansa1: an update sealed to every seat",
        _open,
        ACCEPTED,
        _sealed,
        "envelope|seat",
        either(after(6 + 1 + 192), octets),
        lambda update: envelope.seal(update, KEY, CONTEXT, KEYS),
    ),
    Target(
        "shared-envelope",
        "hansa2: an update sealed to a committee together",
        _open_shared,
        ACCEPTED,
        lambda: [shared_envelope.seal(update, KEY, CONTEXT, KEYS, 2) for update in (b"", _update())],
        "envelope|seat",
        after(6 + 2 + 192),
        lambda update: shared_envelope.seal(update, KEY, CONTEXT, KEYS, 2),
    ),
    Target(
        "masked-envelope",
        "hansa3: an update under masks",
        _open_masked,
        ACCEPTED,
        _masked,
        "envelope|seat",
        after(6 + 2 + 192),
    ),
    Target("release", "a file of released shares", _read_release, ACCEPTED, _releases, "release file|envelope"),
    Target(
        "masked-table",
        "a seat's table of vectors",
        lambda data: Table.decode(data, SHARING, GROUP, Seat(1)),
        (Malformed,),
        _tables,
        "table of seat",
        after(40),
        lambda table: table.encode(SHARING, GROUP),
    ),
    Target(
        "masked-probe",
        "a seat's words of a fault",
        lambda data: Probe.decode(data, SHARING, GROUP, Seat(1), FAULT),
        (Malformed,),
        lambda: [_probe().encode(SHARING, GROUP, FAULT)],
        "probe of seat",
        after(45),
        lambda probe: probe.encode(SHARING, GROUP, FAULT),
    ),
    Target(
        "bitmap",
        "which updates a seat has",
        lambda data: from_bitmap(data, 100),
        (),
        lambda: [bytes(13), b"\xff" * 12],
        mutate=_bitmap,
    ),
    Target(
        "content-keys",
        "a file of content keys",
        content_keys.decode_keys,
        (Malformed,),
        lambda: [content_keys.encode_keys({BASE: KEY}), b"{}"],
        "content keys|CID",
        json_text,
    ),
    Target(
        "spec", "a job's spec", JobSpec.decode, (Malformed,), _specs, "job spec", json_text, JobSpec.encode, _told_spec
    ),
    Target("sheet", "a score sheet", _sheet, (Malformed,), _sheets, "score sheet", told=_told_sheet),
    Target(
        "cid",
        "a CID",
        lambda data: from_cid(_text(data)),
        (Malformed,),
        lambda: [to_cid(BASE).encode(), to_cid(bytes(32)).encode()],
        "CID",
        encode=lambda digest: to_cid(digest).encode(),
        told=lambda digest: str(digest.hex()),
    ),
    Target(
        "baselines",
        "what a metric is compared with",
        _baselines,
        (ValueError,),
        lambda: [b"majority=0.54\nplain\nx=-12", b"a=0\nb=999999999.999999999"],
        "baseline",
        told=lambda value: " ".join(f"{name.encode().hex()},{metric}" for name, metric in value),
    ),
    Target(
        "text",
        "a stranger's text",
        lambda data: escape_untrusted(_text(data), 256),
        (),
        lambda: ["é \u202e [b]x[/b] \\[".encode(), b"\0\x1b[2J"],
        told=lambda text: text,
    ),
)
"""In the order of docs/architecture.md."""
