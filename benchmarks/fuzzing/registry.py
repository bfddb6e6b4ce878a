"""All decoders, by name. They are imported when they are asked for, so that a worker traces them."""

from __future__ import annotations

import importlib
from typing import Final

from benchmarks.fuzzing.target import Target
from hansa.protocol.errors import FatalError

ROOMS: Final = ("hansa", "client", "aggregator")
GROUPS: Final = {
    "content": "what stores give",
    "answers": "what nodes of a chain answer",
    "transactions": "what nodes and archives give of transactions and proofs",
    "histories": "events that follow one another",
    "strangers": "what strangers hand over",
    "local": "files on a party's own disk",
    "databases": "databases of a daemon",
    "data": "a party's own data",
}


def targets(group: str) -> tuple[Target, ...]:
    found: tuple[Target, ...] = importlib.import_module(f"benchmarks.fuzzing.{group}").TARGETS
    return found


def all_targets() -> list[Target]:
    return [target for group in GROUPS for target in targets(group)]


def find(name: str) -> Target:
    """FatalError where there is none."""
    for group in GROUPS:
        for target in targets(group):
            if target.name == name:
                return target
    names = ", ".join(target.name for target in all_targets())
    raise FatalError(f"no decoder is called {name}", next_step=f"name one of {names}")
