"""What several nodes say of one block: for what can't be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hansa.protocol.errors import ChainUnavailable, HansaError
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.blocks import Block, read_block
from hansa.runtime.chain.node_errors import Behind, NodeError

FAR = 64  # blocks that a node may be behind; one that is further is of another mind


class Testimony(Enum):
    """What one endpoint says."""

    AGREES = "agrees"
    DIFFERS = "differs"
    BEHIND = "is not there yet"
    SILENT = "gives no answer"


@dataclass(frozen=True)
class Witness:
    """The endpoints by what they say of `block`, each as it is shown and its place in the list."""

    block: Block
    agreeing: tuple[str, ...]
    silent: tuple[str, ...]
    behind: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def agreed(self) -> bool:
        """Whether one answers, and all that answer say the same."""
        return bool(self.agreeing) and not self.behind and not self.differing

    def __str__(self) -> str:
        said = {"agree": self.agreeing, "differ": self.differing, "lag": self.behind, "don't answer": self.silent}
        parts = [f"{', '.join(names)} {what}" for what, names in said.items() if names]
        return f"on block {self.block.number}: {'; '.join(parts)}"

    @classmethod
    def of(cls, block: Block, told: Mapping[str, Testimony]) -> Witness:
        kinds = (Testimony.AGREES, Testimony.SILENT, Testimony.BEHIND, Testimony.DIFFERS)
        return cls(block, *(tuple(name for name, its in told.items() if its is kind) for kind in kinds))


def weighed(block: Block, answers: list[Any] | HansaError, agrees: Callable[[list[Any]], bool]) -> Testimony:
    """One endpoint's answers to readings, the block by its number, and the latest block."""
    if isinstance(answers, HansaError):
        return Testimony.SILENT
    *given, there, latest = answers
    try:
        if isinstance(latest, NodeError):
            raise latest
        head = read_block(latest, "latest")
        if there is None or (isinstance(there, NodeError) and there.is_behind):
            return Testimony.DIFFERS if block.number - head.number > FAR else Testimony.BEHIND
        if isinstance(there, NodeError):
            raise there
        if read_block(there, hex(block.number)).hash != block.hash:
            return Testimony.DIFFERS
        if any(isinstance(answer, NodeError) and answer.is_behind for answer in given):
            return Testimony.BEHIND
        if any(isinstance(answer, NodeError) for answer in given):
            return Testimony.SILENT
        refused = any(isinstance(answer, ContractError) for answer in given)
        return Testimony.AGREES if not refused and agrees(given) else Testimony.DIFFERS
    except Behind:
        return Testimony.BEHIND
    except ChainUnavailable:
        return Testimony.SILENT
    except HansaError:  # no contract, or no such record, where others have one
        return Testimony.DIFFERS
