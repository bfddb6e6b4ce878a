"""A job's settings, read with their types: no floats, nothing unknown, nothing out of range."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from hansa.protocol.errors import FatalError


class Settings:
    """Reads one setting after another; `done` refuses what nobody read.

    settings = Settings("heart", values)
    self.batch = settings.integer("batch", 4, low=1, high=1000)
    settings.done()
    """

    def __init__(self, task: str, values: Mapping[str, object]) -> None:
        self._task = task
        self._values = values
        self._known: list[str] = []

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self._read(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, value, f"an integer from {low} to {high}")
        return value

    def decimal(self, name: str, default: str, *, low: str = "0", high: str = "1000") -> float:
        """A number written as text ("0.01"): a job spec has no floats."""
        value = self._read(name, default)
        wanted = f"a number from {low} to {high}, written as text"
        if not isinstance(value, str):
            raise self._wrong(name, value, wanted)
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self._wrong(name, value, wanted) from None
        if not number.is_finite() or not Decimal(low) <= number <= Decimal(high):
            raise self._wrong(name, value, wanted)
        return float(number)

    def table(self, name: str) -> dict[str, Any]:
        """Values by name; none by default."""
        value = self._read(name, {})
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise self._wrong(name, value, "a dict of values by name")
        return dict(value)

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """One of `options`; the first is the default."""
        value = self._read(name, options[0])
        if not isinstance(value, str) or value not in options:
            raise self._wrong(name, value, " or ".join(options))
        return value

    def done(self) -> None:
        unknown = sorted(set(self._values) - set(self._known))
        if unknown:
            raise FatalError(
                f"task {self._task} has no setting {', '.join(unknown)}", next_step=f"it has {', '.join(self._known)}"
            )

    def _read(self, name: str, default: object) -> object:
        self._known.append(name)
        return self._values.get(name, default)

    def _wrong(self, name: str, value: object, wanted: str) -> FatalError:
        return FatalError(f"task {self._task}: setting {name} is {value!r}", next_step=f"it must be {wanted}")


def parse_settings(entries: Sequence[str]) -> dict[str, Any]:
    """`name=value` entries; a value is JSON (no floats), or the text itself where it is not."""
    settings: dict[str, Any] = {}
    for entry in entries:
        name, equals, text = entry.partition("=")
        if not name or not equals:
            raise FatalError(f"--set {entry!r} is not a setting", next_step="write it like --set batch=8")
        try:
            value = json.loads(text, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            value = text
        settings[name] = value
    return settings
