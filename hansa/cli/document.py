"""What a command answers is a dataclass. Its JSON follows from the types of its fields, so that amounts stay integers
until they are printed:

    @dataclass(frozen=True)
    class Pay:
        address: Address
        pay: Amount  # an integer here, a decimal string in JSON
        from_: int  # "from" in JSON
        seat: Annotated[Fees | None, OMIT_NONE]  # no such key where it is None
        books: Annotated[Books, INLINE]  # its keys stand among ours
        terms: Annotated[JobTerms, Only("token quorum")]  # these of its fields
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.types import UNIT, Wei


@dataclass(frozen=True)
class AsJson:
    """What a value becomes in JSON, unless it is None."""

    convert: Callable[[Any], Any]


class Only:
    """JSON shows these fields of a record alone, in this order; `key=field` has another key there. as_json: what a
    field's value becomes, by key, where its type doesn't say."""

    def __init__(self, fields: str, **as_json: Callable[[Any], Any]) -> None:
        self.fields = [field.split("=") for field in fields.split()]
        self.as_json = as_json

    def object(self, record: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        kind: Any = type(record)
        hints = dict(_hints(kind))
        for key, *named in self.fields:
            name = named[0] if named else key
            value = getattr(record, name)
            made[key] = self.as_json[key](value) if key in self.as_json else to_json(value, hints[name])
        return made


class Mark(Enum):
    OMIT_NONE = 1
    INLINE = 2  # None: nothing
    HIDDEN = 3


OMIT_NONE, INLINE, HIDDEN = Mark


def metric_of(units: int) -> float | None:
    """A metric as a number; None before there is one."""
    return None if units == NO_METRIC else units / UNIT


Amount = Annotated[int, AsJson(str)]  # of a token's smallest unit, or the chain's
Metric = Annotated[int, AsJson(metric_of)]  # in 1e-9
Large = Annotated[int, AsJson(str)]  # past what JSON's readers hold exactly


def integers_as_text(value: Any) -> dict[str, str]:
    """A dataclass of integers that are past what JSON's readers hold exactly."""
    return {name: str(number) for name, number in asdict(value).items()}


def to_json(value: Any, hint: Any = None) -> Any:
    """A dataclass, and whatever its fields hold, as the `json` module prints it. hint: the type that it stands for."""
    if value is None:
        return None
    for mark in _marks(hint):
        if isinstance(mark, AsJson):
            return mark.convert(value)
        if isinstance(mark, Only):
            return mark.object(value)
    if Wei in (hint, *_parts(hint)):
        return str(value)
    if is_dataclass(value):
        return _object(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    inner = next((get_args(part) for part in _parts(hint) if get_args(part)), ())
    if isinstance(value, Mapping):
        return {key: to_json(item, inner[1] if inner else None) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item, inner[0] if inner else None) for item in value]
    return value


def _object(value: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    kind: Any = type(value)
    for name, hint in _hints(kind):
        item, marks = getattr(value, name), _marks(hint)
        if HIDDEN in marks or (item is None and (OMIT_NONE in marks or INLINE in marks)):
            continue
        if INLINE in marks:
            made |= to_json(item, hint)
        else:
            made[name.rstrip("_")] = to_json(item, hint)
    return made


@cache
def _hints(kind: Any) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return [(field.name, hints[field.name]) for field in fields(kind)]


def _parts(hint: Any) -> list[Any]:
    """A type and, of `A | None` and annotated ones, what they are made of; `list[A]` stays whole."""
    if get_origin(hint) is Annotated:
        return [hint.__origin__, *_parts(hint.__origin__)]
    if get_origin(hint) in (Union, UnionType):
        return [part for member in get_args(hint) for part in [member, *_parts(member)]]
    return [hint]


def _marks(hint: Any) -> list[Any]:
    return [mark for part in [hint, *_parts(hint)] for mark in getattr(part, "__metadata__", ())]
