"""The block that a chain has come to: a head below it is one of a node that lags."""

from __future__ import annotations

from hansa.runtime.chain.node_errors import Behind


class Floor:
    """first_block: number of the block that nothing of the deployment is older than. others: whether several endpoints
    can be asked.

    known: the highest block that a head or a receipt named; -1: none.
    """

    def __init__(self, first_block: int, *, others: bool) -> None:
        self.known = -1
        self._first_block, self._others = first_block, others
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

    @property
    def least(self) -> int:
        """The number below which no head is believed. Where the deployment's first block was seen, or others can be
        asked, it is that at least: a node that syncs from nothing is not there yet."""
        return max(self.known, self._first_block) if self._others or self._was_reached else self.known

    def check(self, head: int) -> None:
        """Behind for a head that is not believed."""
        if head < self.least:
            raise Behind(f"a node is at block {head}", cause=f"block {self.least} is known: it lags")
