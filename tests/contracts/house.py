"""The contracts, and who plays."""

from __future__ import annotations

from typing import Any


class House:
    def __init__(self, **things: Any) -> None:
        self.federation = things["federation"]
        self.vault = things["vault"]
        self.token = things["token"]
        self.admission = things["admission"]
        self.committees = things["committees"]  # by number of seats
        self.sponsor = things["sponsor"]
        self.trainers = things["trainers"]
        self.validators = things["validators"]  # ascending: a place in this list is a seat
