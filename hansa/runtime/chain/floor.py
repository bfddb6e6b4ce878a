"""The block that a chain has come to: a head below it is one of a node that lags."""

from __future__ import annotations


class Floor:
    """first_block: nothing of the deployment is older.

    known: the highest block that a head or a receipt named; -1: none.
    """

    def __init__(self, first_block: int) -> None:
        self.known = -1
        self._first_block = first_block
        self._sure = -1  # the highest block that every endpoint which answered agreed on
        self._was_reached = False  # whether the chain was ever at `first_block`

    def saw(self, number: int) -> None:
        """Notes that a block is there."""
        self.known = max(self.known, number)
        self._was_reached = self._was_reached or number >= self._first_block

    def agreed(self, number: int) -> None:
        """Notes a block that every endpoint which answered agreed on."""
        self._sure = max(self._sure, number)

    def distrust(self) -> None:
        """Forgets what one endpoint said, beyond what all agreed on."""
        self.known = self._sure

    def forget(self, *, is_reset: bool) -> None:
        """Forgets how far the chain was. is_reset: it is another one."""
        self.known = self._sure = -1
        self._was_reached = self._was_reached and not is_reset

    def least(self, *, others: bool) -> int:
        """The number below which no head is believed. Where the deployment's first block was seen, or others can be
        asked, it is that at least: a node that syncs from nothing is not there yet."""
        return max(self.known, self._first_block) if others or self._was_reached else self.known
