"""Inputs made of valid ones: of bytes, of 32-byte words, of JSON, and of texts with JSON in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

Mutator = Callable[[Random, bytes, Sequence[bytes]], bytes]
"""A new input of one that is there and of others, of which parts may be taken."""

LARGEST: Final = 2**16  # bytes of an input; those of `deep` are larger
SIZES: Final = (
    *(0, 1, 2, 3, 7, 8, 31, 32, 33, 55, 56, 64, 127, 128, 255, 256),
    *(2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1),
)
LARGE: Final = (2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**128, 2**255, 2**256 - 1)
TOKENS: Final = (
    *(
        b"",
        b"\0",
        b"\0" * 32,
        b"\xff" * 32,
        b"\r\n",
        b'"',
        b"'",
        b"{}",
        b"[]",
        b"null",
        b"../",
        b"__proto__",
        b"$bytes",
    ),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\x1b[2J"),  # a mark; half a pair; none
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"0x", b"0X", b"1_0"),
    *(text.encode() for text in ("\u0661", "\u2028", "\u202e", "\U000e0001", "\u017f", "\u0130")),
)
SCALARS: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, -0.0, 0.5, 1.0, 1e308),
    *(2**31, 2**53, -(2**53), 2**63, 2**64, 2**256 - 1, 2**256, 10**400),
    *("", "0", "-1", "0x", "0x0", "0X1", "1e3", "NaN", "a" * 300, "0x" + "0" * 40, "0x" + "f" * 64),
    *("\0", "a\0b", "\ud800", "\udfff\ud800", "\u2028", "\u202e", "\u017f", "\u0661", " "),
    *("__proto__", "constructor", "$bytes", {"$bytes": 1}, {"$bytes": "zz"}, {}, [], [[]], {"": None}, [None] * 40),
)
RAW: Final = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1E400", "1e-400"),
    *("1" * 4301, "-0", "1.0", "0.1e1", "01", '"\\ud800"'),
)
MARK, TWICE = "@@raw", "@@twice"


def octets(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Bits, bytes, numbers, tokens; parts that are cut, moved, repeated, or another input's. One to four of these."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        _OCTETS[int(random.random() * len(_OCTETS))](random, made, others)
    return bytes(made[:LARGEST])


def words(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """32-byte words, as ABIs have them, after so many bytes as are over: numbers, places, copies, and single bytes."""
    if len(data) < 36 or random.random() < 0.3:
        return octets(random, data, others)
    made, start = bytearray(data), len(data) % 32
    for _ in range(random.choice((1, 1, 2, 3))):
        count = (len(made) - start) // 32
        if not count:
            break
        at = start + 32 * int(random.random() * count)
        way = int(random.random() * 6)
        if way == 0:
            made[at : at + 32] = (random.choice(SIZES + LARGE)).to_bytes(32, "big")
        elif way == 1:
            made[at : at + 32] = (32 * int(random.random() * (count + 2))).to_bytes(32, "big")
        elif way == 2:
            other = start + 32 * int(random.random() * count)
            made[at : at + 32] = made[other : other + 32]
        elif way == 3:
            made[at:at] = made[at : at + 32 * random.choice((1, 2, 4))]
        elif way == 4:
            del made[at : at + 32]
        else:
            number = int.from_bytes(made[at : at + 32], "big") + random.choice((-32, -1, 1, 31, 32))
            made[at : at + 32] = (number % 2**256).to_bytes(32, "big")
    return bytes(made[:LARGEST])


def json_text(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Values that are swapped, exchanged, left out or there twice, in an input that is JSON; bytes in any other."""
    if random.random() < 0.25:
        return octets(random, data, others)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return octets(random, data, others)
    made, compact = json_tree(random, tree), b'": ' not in data
    separators = (",", ":") if compact else None
    sort = random.random() < 0.5
    return json_bytes(random, made, separators, sort)[:LARGEST]


def json_bytes(random: Random, tree: Any, separators: tuple[str, str] | None = (",", ":"), sort: bool = False) -> bytes:
    """A tree of `json_tree`'s as text, as json.dumps writes it but for what that can't write."""
    text = json.dumps(tree, separators=separators, sort_keys=sort, ensure_ascii=random.random() < 0.3)
    if MARK in text:
        text = text.replace(f'"{MARK}"', random.choice(RAW))
    if TWICE in text:
        text = text.replace(TWICE, "")
    return text.encode("utf-8", "surrogatepass")


def json_tree(random: Random, tree: Any) -> Any:
    """A tree with one to three changes; the root may be another."""
    if random.random() < 0.02:
        return _scalar(random)
    for _ in range(random.choice((1, 1, 2, 3))):
        holder, key = _place(random, tree)
        if holder is None:
            return _scalar(random)
        way = random.random()
        if way < 0.4:
            holder[key] = _scalar(random)
        elif way < 0.5:
            holder[key] = MARK
        elif way < 0.6:
            del holder[key]
        elif way < 0.75:
            other, name = _place(random, tree)
            holder[key] = _shallow(other[name]) if other is not None and name in _keys(other) else []
        elif way < 0.85:
            holder[key] = _near(random, holder[key])
        elif isinstance(holder, dict):
            name = TWICE + key if way < 0.93 else random.choice(("", "x", "__proto__", key + "\0", key.upper()))
            holder[name] = holder[key] if random.random() < 0.5 else _scalar(random)
        else:
            holder.insert(key, _shallow(holder[key]))
    return tree


def deep(random: Random) -> bytes:
    """Large inputs that cost a careless reader its stack, its memory or its time: far more than `LARGEST` bytes."""
    count = random.choice((10**4, 10**5))
    return random.choice(
        (
            *(b"[" * count, b'{"a":' * count, b"[" * count + b"]" * count, b'{"a":' * count + b"1" + b"}" * count),
            *(
                b'{"k":' + b"9" * count + b"}",
                b'"' + b"\\u0000" * (count // 6) + b'"',
                b"[" + b"0," * (count // 2) + b"0]",
            ),
            *(one * count for one in (b"\0", b"\xff", b"1", b" ", b'"', b"\xc1", b".", b"\n", b"a,")),
            *(b"0x" + b"f" * count, b"0." + b"0" * count + b"1", b"1e" + b"9" * (count // 100), b"a=" + b"1" * count),
        )
    )


def _scalar(random: Random) -> Any:
    """Its own copy of one: it may be changed next."""
    return copy.deepcopy(random.choice(SCALARS))


def _keys(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def _place(random: Random, tree: Any) -> tuple[Any, Any]:
    """Some value's holder and key; None where there is none."""
    holder, key, at = None, None, tree
    while isinstance(at, dict | list) and at:
        if holder is not None and random.random() < 0.35:
            break
        keys = list(_keys(at))
        holder, key = at, keys[int(random.random() * len(keys))]
        at = at[key]
    return holder, key


def _shallow(value: Any) -> Any:
    """A copy without what is below, so that no tree holds itself."""
    if isinstance(value, dict):
        return {key: part for key, part in value.items() if not isinstance(part, dict | list)}
    return [part for part in value if not isinstance(part, dict | list)] if isinstance(value, list) else value


def _near(random: Random, value: Any) -> Any:
    """Almost the same value."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return random.choice(
            (value + 1, value - 1, -value, float(value) if abs(value) < 2**1000 else 0, str(value), value * 2**64)
        )
    if isinstance(value, str) and value:
        at = int(random.random() * len(value))
        sign = random.choice(("", "0", "g", "F", "\0", " ", "é", "\ud800", "-", value[at] * 2, value[at].swapcase()))
        return value[:at] + sign + value[at + 1 :]
    return [value]


# --- ways of `octets`


def _at(random: Random, made: bytearray) -> int:
    return int(random.random() * len(made)) if made else 0


def _flip(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    if made:
        made[_at(random, made)] ^= 1 << int(random.random() * 8)


def _set(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    if made:
        made[_at(random, made)] = random.choice(
            (0, 1, 9, 10, 32, 34, 47, 48, 57, 58, 65, 97, 0x7F, 0x80, 0xC0, 0xF7, 0xFF)
        )


def _number(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    """A length field, perhaps."""
    width = random.choice((1, 2, 4, 8))
    at = _at(random, made)
    value = random.choice((*SIZES, len(made), len(made) - at, len(made) + 1, 2**62, 2**64 - 1)) % 2 ** (8 * width)
    made[at : at + width] = value.to_bytes(width, random.choice(("big", "little")))


def _cut(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    del made[_at(random, made) :]


def _drop(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    at = _at(random, made)
    del made[at : at + random.choice((1, 1, 2, 4, 8, 32, 64))]


def _repeat(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    at = _at(random, made)
    part = made[at : at + random.choice((1, 2, 4, 13, 32, 64, 256))]
    made[at:at] = part * random.choice((1, 1, 2, 8))


def _token(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    at = _at(random, made)
    made[at : at + random.choice((0, 1, 4))] = random.choice(TOKENS)


def _insert(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    at = _at(random, made)
    made[at:at] = random.randbytes(random.choice((1, 1, 2, 4, 32)))


def _splice(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    other = others[int(random.random() * len(others))] if others else b""
    at, start = _at(random, made), int(random.random() * (len(other) + 1))
    made[at : at + random.choice((0, 8, len(made)))] = other[start : start + random.choice((4, 32, len(other)))]


def _move(random: Random, made: bytearray, others: Sequence[bytes]) -> None:
    size, at, to = random.choice((1, 4, 32)), _at(random, made), _at(random, made)
    part = made[at : at + size]
    del made[at : at + size]
    made[to:to] = part


_OCTETS: Final = (_flip, _flip, _set, _number, _cut, _drop, _repeat, _token, _insert, _splice, _move)
