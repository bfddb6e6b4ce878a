"""Mutators for formats that have a checksum, a length or a packing around what there is to change."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from benchmarks.fuzzing.mutate import Mutator, json_bytes, json_text, json_tree, octets, words


def either(*ways: Mutator) -> Mutator:
    """One of these."""
    return lambda random, data, others: random.choice(ways)(random, data, others)


def tensor_file(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A safetensors file's header, written again with its length; now and then without padding."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        return octets(random, data, others)
    way = random.random()
    if way < 0.35:
        return octets(random, data, others)
    if way < 0.5:
        return data[: 8 + length] + octets(random, data[8 + length :], others)
    if way < 0.7 and isinstance(header, dict) and isinstance(header.get("__metadata__"), dict):
        header["__metadata__"] = json_tree(random, header["__metadata__"])
    else:
        header = json_tree(random, header)
    text = json_bytes(random, header)
    text += b" " * (-len(text) % 8) if random.random() < 0.9 else b""
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def token(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A JSON web token's header or claims."""
    parts = data.split(b".")
    if len(parts) != 3 or random.random() < 0.3:
        return octets(random, data, others)
    place = int(random.random() * 3)
    try:
        inner = base64.urlsafe_b64decode(parts[place] + b"==")
    except ValueError:
        return octets(random, data, others)
    changed = octets(random, inner, others) if place == 2 else json_text(random, inner, others)
    parts[place] = base64.urlsafe_b64encode(changed).rstrip(b"=")
    return b".".join(parts)


def after(prefix: int, inner: Mutator = octets) -> Mutator:
    """Bytes that stand after others, which stay in three of four inputs."""

    def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
        if random.random() < 0.25:
            return octets(random, data, others)
        return data[:prefix] + inner(random, data[prefix:], [other[prefix:] for other in others[-8:]])

    return mutate


def hexadecimal(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """JSON of which long hexadecimal texts are changed as the bytes that they are."""
    if random.random() < 0.5:
        return json_text(random, data, others)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return octets(random, data, others)
    places = list(_hex_places(tree))
    if not places:
        return json_text(random, data, others)
    holder, key = random.choice(places)
    raw = bytes.fromhex(holder[key][2:])
    holder[key] = "0x" + (words if len(raw) > 36 else octets)(random, raw, []).hex()
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def _hex_places(tree: Any) -> Any:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _hex_places(value)
        elif isinstance(value, str) and len(value) > 9 and len(value) % 2 == 0 and value.startswith("0x"):
            try:
                bytes.fromhex(value[2:])
            except ValueError:
                continue
            yield tree, key


def repaired(repair: Callable[[bytes], bytes], inner: Mutator = octets) -> Mutator:
    """What is changed, with its checksums made again in two of three inputs."""

    def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
        changed = inner(random, data, others)
        return repair(changed) if random.random() < 0.67 else changed

    return mutate


def gzipped(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """What is packed, packed again."""
    if random.random() < 0.3:
        return octets(random, data, others)
    try:
        inner = zlib.decompressobj(31).decompress(data, 2**16)
    except zlib.error:
        return octets(random, data, others)
    return gzip.compress(octets(random, inner, [inner]), 1, mtime=0)


def rlp(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A list's item, changed within, left out or there twice; all lengths made again."""
    if random.random() < 0.35:
        return octets(random, data, others)
    items = rlp_items(data)
    if items is None or not items:
        return octets(random, data, others)
    place, way = int(random.random() * len(items)), random.random()
    if way < 0.12:
        del items[place]
    elif way < 0.24:
        items.insert(place, items[int(random.random() * len(items))])
    elif way < 0.32:
        items[place] = rlp_string(random.choice((b"", b"\0", b"\0\1", b"\x80", b"\xff" * 33, bytes(20), bytes(32))))
    elif items[place][:1] >= b"\xc0":
        items[place] = rlp(random, items[place], others)
    else:
        inner = items[place][_head(items[place]) :]
        items[place] = rlp_string(octets(random, inner, others))
    return rlp_list(b"".join(items))


def rlp_items(data: bytes) -> list[bytes] | None:
    """A list's items as they are written; None where it is none that is well formed."""
    at, items = _head(data), list[bytes]()
    if data[:1] < b"\xc0":
        return None
    while at < len(data):
        end = at + _whole(data[at:])
        if end > len(data) or end == at:
            return None
        items.append(data[at:end])
        at = end
    return items


def rlp_string(data: bytes) -> bytes:
    return data if len(data) == 1 and data < b"\x80" else _written(data, 0x80)


def rlp_list(payload: bytes) -> bytes:
    return _written(payload, 0xC0)


def _written(payload: bytes, base: int) -> bytes:
    if len(payload) < 56:
        return bytes([base + len(payload)]) + payload
    size = len(payload).to_bytes((len(payload).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size + payload


def _head(data: bytes) -> int:
    """Bytes before an item's payload."""
    first = data[0] if data else 0
    if first < 0x80:
        return 0
    short = (first - 0x80) % 0x40
    return 1 if short < 56 else short - 54


def _whole(data: bytes) -> int:
    first, head = data[0], _head(data)
    if first < 0x80:
        return 1
    short = (first - 0x80) % 0x40
    return head + (short if short < 56 else int.from_bytes(data[1:head], "big"))
