"""Encoding and decoding by the committed ABIs: calls, answers, events and custom errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from hansa.protocol.errors import FatalError
from hansa.runtime.chain.words import Unusual, decode_words

ARTIFACTS = Path(__file__).parent / "artifacts"
ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string)
PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)


class BadEncoding(ValueError):
    """Bytes that are not what the ABI says."""


class ContractError(FatalError):
    """A contract refused: its custom error by name, with the decoded arguments."""

    def __init__(self, name: str, arguments: Mapping[str, Any] | None = None, data: bytes = b"") -> None:
        self.name = name
        self.arguments = dict(arguments or {})
        self.data = data
        shown = ", ".join(f"{key}={_shown(value)}" for key, value in self.arguments.items())
        super().__init__(f"the contract refused: {name}({shown})")


def _shown(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


@dataclass(frozen=True)
class Field:
    name: str
    type: str  # canonical ABI type; a tuple's is '(type,…)'
    indexed: bool = False


@dataclass(frozen=True)
class Function:
    name: str
    selector: bytes
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]

    def encode(self, *arguments: Any) -> bytes:
        return self.selector + encode([field.type for field in self.inputs], arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        return decode_exactly([field.type for field in self.outputs], data)

    def read(self, data: bytes) -> tuple[Any, ...]:
        """The arguments in a call's data, its selector left out. BadEncoding where they are not in their only one."""
        types = [field.type for field in self.inputs]
        values = decode_exactly(types, data)
        if encode(types, values) != data:
            raise BadEncoding(f"{self.name}: arguments that are not in their only encoding")
        return values


@dataclass(frozen=True)
class Event:
    name: str
    topic: bytes
    fields: tuple[Field, ...]

    def decode(self, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """The event's fields by name; BadEncoding where topics or data don't fit."""
        indexed = [field for field in self.fields if field.indexed]
        if len(topics) != 1 + len(indexed) or topics[0] != self.topic:
            raise BadEncoding(f"{self.name}: {len(topics)} topics that don't fit")
        plain = [field for field in self.fields if not field.indexed]
        values = dict(zip((f.name for f in plain), decode_exactly([f.type for f in plain], data), strict=True))
        for one, topic in zip(indexed, topics[1:], strict=True):
            values[one.name] = decode_exactly([one.type], topic)[0]
        return values


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: its interface and, where it can be deployed, its bytecode."""

    name: str
    functions: Mapping[str, Function]
    events: Mapping[bytes, Event]  # by topic
    errors: Mapping[bytes, Function]  # by selector
    constructor: tuple[Field, ...]
    bytecode: str  # hex without 0x; zeros where a library's address belongs
    links: Mapping[str, Sequence[int]]  # by library, the bytes where its address begins
    runtime_start: int = 0  # where in `bytecode` the code begins that it deploys
    runtime_size: int = 0  # bytes of that code
    immutables: Mapping[str, Sequence[int]] = field(default_factory=dict)  # the bytes of that code where each begins
    storage: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)  # see hansa.runtime.chain.layout

    def event(self, name: str) -> Event:
        return next(event for event in self.events.values() if event.name == name)


def decode_exactly(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    try:
        return decode_words(types, data)
    except Unusual:
        pass
    try:
        return decode(types, data)
    except (DecodingError, OverflowError, ValueError, TypeError) as error:
        raise BadEncoding(str(error)) from error


def _type(entry: Mapping[str, Any]) -> str:
    kind = str(entry["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(_type(component) for component in entry["components"])
    return f"({inner}){kind[len('tuple') :]}"


def _fields(entries: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    return tuple(Field(str(e.get("name", "")), _type(e), bool(e.get("indexed", False))) for e in entries)


def _signature(entry: Mapping[str, Any]) -> bytes:
    return keccak(text=f"{entry['name']}({','.join(field.type for field in _fields(entry['inputs']))})")


def _function(entry: Mapping[str, Any]) -> Function:
    return Function(entry["name"], _signature(entry)[:4], _fields(entry["inputs"]), _fields(entry.get("outputs", [])))


@cache
def artifact(name: str) -> Artifact:
    """The committed artifact of a contract, e.g. 'Federation'."""
    path = ARTIFACTS / f"{name}.json"
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FatalError(
            f"the ABI of {name} cannot be read", cause=str(error), next_step="install hansa again"
        ) from error
    entries = document["abi"]
    events = [Event(e["name"], _signature(e), _fields(e["inputs"])) for e in entries if e["type"] == "event"]
    errors = [_function(e) for e in entries if e["type"] == "error"]
    constructor = next((_fields(e["inputs"]) for e in entries if e["type"] == "constructor"), ())
    return Artifact(
        name=name,
        functions={e["name"]: _function(e) for e in entries if e["type"] == "function"},
        events={event.topic: event for event in events},
        errors={error.selector: error for error in errors},
        constructor=constructor,
        bytecode=str(document.get("bytecode", "")).removeprefix("0x"),
        links=document.get("links", {}),
        runtime_start=document.get("runtime_start", 0),
        runtime_size=document.get("runtime_size", 0),
        immutables=document.get("immutables", {}),
        storage=document.get("storage", {}),
    )


@cache
def known_errors() -> Mapping[bytes, Function]:
    """Every custom error of every committed ABI, by selector."""
    found: dict[bytes, Function] = {}
    for path in sorted(ARTIFACTS.glob("*.json")):
        found.update(artifact(path.stem).errors)
    return found


def contract_error(data: bytes) -> ContractError:
    """Revert data as an error with a name; unknown data keeps its selector."""
    selector, body = data[:4], data[4:]
    try:
        if selector == ERROR_STRING:
            return ContractError("Error", {"reason": decode_exactly(["string"], body)[0]}, data)
        if selector == PANIC:
            return ContractError("Panic", {"code": decode_exactly(["uint256"], body)[0]}, data)
        known = known_errors().get(selector)
        if known is not None:
            values = decode_exactly([field.type for field in known.inputs], body)
            names = [field.name or str(i) for i, field in enumerate(known.inputs)]
            return ContractError(known.name, dict(zip(names, values, strict=True)), data)
    except BadEncoding:
        pass
    return ContractError("reverted" if not selector else f"0x{selector.hex()}", {}, data)
