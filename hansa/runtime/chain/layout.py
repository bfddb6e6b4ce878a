"""Where a contract keeps what it keeps: slots by name, words from values and back, as the compiler laid them out.

A place is named by a path of members and keys: `("_jobs", 1, "history")`, `("_tabs", 1, trainer, 0)`. Its value is what
the ABI gives for its type: int, bool, bytes, address; of a struct a mapping by member, mappings in it left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from eth_utils.crypto import keccak

from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.structs import address

WORD: Final = 2**256 - 1
VALUE = re.compile(r"(bool|address|uint|int|bytes)(\d*)")

Key = int | str | bytes
Path = tuple[Key, ...]


class Word(NamedTuple):
    """What a slot holds in the bits of `mask`."""

    value: int
    mask: int = WORD

    def fits(self, found: int) -> bool:
        return found & self.mask == self.value


class Leaf(NamedTuple):
    """One value in its slot: the bits from `shift` on."""

    path: Path
    slot: int
    shift: int
    type: str

    @property
    def bits(self) -> int:
        return _bits(self.type)


@dataclass(frozen=True)
class StorageLayout:
    """structs: member → slot, byte in the slot, type; the contract itself is one, under its own name."""

    contract: str
    structs: Mapping[str, Mapping[str, tuple[int, int, str]]]

    def slot(self, *path: Key) -> int:
        """The slot that a place begins in. KeyError where the contract has no such place."""
        return self._find(path)[0]

    def pack(self, value: Any, *path: Key) -> dict[int, Word]:
        """The words of a place that holds `value`, by slot.

        None, for a member or a struct: any value, not in the mask. A Word, for a member: any value with these bits.
        KeyError where a member is missing, or there is no such one; ValueError where a value does not fit its type.
        """
        found: dict[int, Word] = {}
        for leaf, part in self._assign(self.leaves(*path), value, path):
            held = found.get(leaf.slot, Word(0, 0))
            if isinstance(part, Word):
                held = Word(held.value | part.value << leaf.shift, held.mask | part.mask << leaf.shift)
            elif part is not None:
                ones = 2**leaf.bits - 1
                number = _to_int(leaf.type, part) << leaf.shift
                held = Word(held.value | number, held.mask | ones << leaf.shift)
            found[leaf.slot] = held
        return {slot: self._full(word, slot, path) for slot, word in found.items()}

    def unpack(self, words: Mapping[int, int], *path: Key) -> Any:
        """The value of a place, from the words of its slots."""
        found: dict[Key, Any] = {}
        for leaf in self.leaves(*path):
            number = words[leaf.slot] >> leaf.shift & 2**leaf.bits - 1
            below = leaf.path[len(path) :]
            if not below:
                return _from_int(leaf.type, number)
            at = found
            for name in below[:-1]:
                at = at.setdefault(name, {})
            at[below[-1]] = _from_int(leaf.type, number)
        return found

    def difference(
        self, words: Mapping[int, Word], found: Mapping[int, int], *path: Key
    ) -> tuple[str, Any, Any] | None:
        """The first value of a place that is not as its words ask for: its name, what it must be, what it is."""
        for slot, word in words.items():
            if word.fits(found[slot]):
                continue
            for leaf in self.leaves(*path):
                ones = (2**leaf.bits - 1 << leaf.shift) & word.mask if leaf.slot == slot else 0
                if (word.value ^ found[slot]) & ones:
                    expected, other = (
                        _from_int(leaf.type, (held & ones) >> leaf.shift) for held in (word.value, found[slot])
                    )
                    return self.name(leaf.path), expected, other
            return f"{self.name(path)}, slot 0x{slot:064x}", f"0x{word.value:064x}", f"0x{found[slot]:064x}"
        return None

    def leaves(self, *path: Key) -> list[Leaf]:
        """Every value of a place, with its slot and bits; what it maps to is another place."""
        return list(self._leaves(path, *self._find(path)))

    def _find(self, path: Path) -> tuple[int, int, str]:
        """Slot, byte in the slot, and type of a place."""
        slot, byte, kind = 0, 0, self.contract
        for step, key in enumerate(path):
            of, _, value = kind.partition(" => ")
            if value:
                slot = int.from_bytes(keccak(_to_int(of, key).to_bytes(32, "big") + slot.to_bytes(32, "big")), "big")
                byte, kind = 0, value
            elif kind in self.structs and key in self.structs[kind]:
                place, byte, kind = self.structs[kind][str(key)]
                slot = (slot + place) % 2**256
            else:
                raise KeyError(f"{self.contract} keeps no {self.name(path[: step + 1])}")
        return slot, byte, kind

    def _leaves(self, path: Path, slot: int, byte: int, kind: str) -> Iterator[Leaf]:
        if kind in self.structs:
            for name, (place, inner, member) in self.structs[kind].items():
                if " => " not in member:
                    yield from self._leaves((*path, name), (slot + place) % 2**256, inner, member)
        elif " => " in kind:
            raise KeyError(f"{self.contract}'s {self.name(path)} maps a {kind.partition(' => ')[0]}: name one")
        else:
            yield Leaf(path, slot, 8 * byte, kind)

    def _assign(self, leaves: list[Leaf], value: Any, path: Path) -> Iterator[tuple[Leaf, Any]]:
        """Each leaf with its part of the value."""
        used: set[Path] = set()
        for leaf in leaves:
            part = value
            for depth in range(len(path), len(leaf.path)):
                if part is None:
                    break
                part = part[leaf.path[depth]]
                used.add(leaf.path[: depth + 1])
            yield leaf, part
        unknown = [name for name in _names(value, path) if name not in used]
        if unknown:
            raise KeyError(f"{self.contract} keeps no {self.name(unknown[0])}")

    def _full(self, word: Word, slot: int, path: Path) -> Word:
        """With the bits that no member has, which are zero, where all of a slot is the place's own."""
        kind = self._find(path)[2]
        if kind not in self.structs:
            return word
        unused = WORD
        for leaf in self.leaves(*path):
            if leaf.slot == slot:
                unused &= ~((2**leaf.bits - 1) << leaf.shift)
        return Word(word.value, word.mask | unused)

    def name(self, path: Path) -> str:
        """A place as findings show it: `_jobs[1].attempt.cycle`."""
        text, kind = "", self.contract
        for key in path:
            of, _, value = kind.partition(" => ")
            shown = "0x" + key.hex() if isinstance(key, bytes) else str(key)
            text += f"[{shown}]" if value else f".{shown}"
            kind = value or self.structs.get(kind, {}).get(str(key), (0, 0, ""))[2]
        return text.removeprefix(".")


@cache
def storage_layout(name: str) -> StorageLayout:
    """The layout of a contract that the artifacts have one of, 'Federation' or 'Vault'."""
    structs = artifact(name).storage
    return StorageLayout(name, {s: {m: tuple(at) for m, at in members.items()} for s, members in structs.items()})


def _names(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield (*path, name)
            yield from _names(part, (*path, name))


@cache
def _bits(kind: str) -> int:
    found = VALUE.fullmatch(kind)
    assert found is not None, kind
    name, size = found[1], int(found[2] or 0)
    return {"bool": 8, "address": 160, "bytes": 8 * size}.get(name, size)


def _to_int(kind: str, value: Any) -> int:
    """A value as the unsigned number of its bits. ValueError where it does not fit its type."""
    bits = _bits(kind)
    if kind == "address":
        number = int(value, 16) if isinstance(value, str) and len(value) == 42 else -1
    elif kind.startswith("bytes"):
        number = int.from_bytes(value, "big") if isinstance(value, bytes) and 8 * len(value) == bits else -1
    elif kind == "bool":
        number = int(value) if isinstance(value, bool) else -1
    elif isinstance(value, int):
        least = -(2 ** (bits - 1)) if kind.startswith("int") else 0
        number = value % 2**bits if least <= value < least + 2**bits else -1
    else:
        number = -1
    if not 0 <= number < 2**bits:
        raise ValueError(f"{value!r} is no {kind}")
    return number


def _from_int(kind: str, number: int) -> Any:
    bits = _bits(kind)
    if kind == "address":
        return address(f"0x{number:040x}")
    if kind.startswith("bytes"):
        return number.to_bytes(bits // 8, "big")
    if kind == "bool":
        return bool(number)
    return number - 2**bits if kind.startswith("int") and number >> bits - 1 else number
