"""Daemons that misbehave or die. Each runs in a process of its own, like the honest ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import characters

from aggregator.release import Releaser
from aggregator.score import Scorer
from aggregator.validator import Validator
from aggregator.vote import Voter
from client.submit import Submitter
from client.trainer import Trainer
from hansa.devnet.federation import LocalFederation
from hansa.devnet.roles import Role
from hansa.runtime import pace
from hansa.runtime.desk import Desk


@dataclass(frozen=True)
class Character:
    """Who plays a role: a class of `characters`, a daemon or a part of one, and attributes that it gets."""

    name: str
    traits: dict[str, Any] = field(default_factory=dict)
    idle_seconds: float | None = None  # patience with a chain without blocks


def cast(lab: LocalFederation, name: str, character: str, *, idle_seconds: float | None = None, **traits: Any) -> None:
    """Gives the next start of a daemon another character; 'Trainer' or 'Validator' is the honest one."""
    worker = lab.workers[name]
    worker.target, worker.arguments = play_as, (worker.arguments[0], Character(character, traits, idle_seconds))


PLAYS: dict[type, tuple[type, str]] = {
    Submitter: (Trainer, "submitter"),
    Desk: (Trainer, "desk"),
    Releaser: (Validator, "releaser"),
    Scorer: (Validator, "scorer"),
    Voter: (Validator, "voter"),
}
"""Which daemon plays a character that is but a part of one, and which part that is."""


def play_as(role: Role, character: Character) -> None:
    if character.idle_seconds is not None:
        pace.IDLE_SECONDS = character.idle_seconds
    kind: Any = getattr(characters, character.name)
    for trait, value in character.traits.items():
        setattr(kind, trait, value)
    daemon, part = next((played for part, played in PLAYS.items() if issubclass(kind, part)), (kind, None))
    made = daemon(role.config())
    if part is not None:
        attrgetter(part)(made).__class__ = kind
    made.run()
