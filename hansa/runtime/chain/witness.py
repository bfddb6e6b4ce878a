"""What several nodes say of one block: for what can't be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hansa.protocol.errors import ChainUnavailable, HansaError
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.chain.blocks import Block, block_request, read_block
from hansa.runtime.chain.node_errors import NodeError, is_behind
from hansa.runtime.chain.readings import Reading, decoded
from hansa.runtime.chain.rpc import Endpoint, Request, Rpc

FAR = 64  # blocks that a node may be behind; one that is further is of another mind, unless it says that it is syncing
OTHERS = 2  # that must agree before one that is syncing is not counted


class Stance(Enum):
    """What one endpoint says."""

    AGREES = "agrees"
    DIFFERS = "differs"
    BEHIND = "is not there yet"
    SYNCING = "is syncing, far behind, and not counted"
    SILENT = "gives no answer"


@dataclass(frozen=True)
class Witness:
    """What each endpoint, as it is shown and by its place in the list, says of `block`."""

    block: Block
    told: Mapping[str, Stance]

    @property
    def agreed(self) -> bool:
        """Whether one answers, and all that answer say the same."""
        return set(self.told.values()) - {Stance.SILENT, Stance.SYNCING} == {Stance.AGREES}

    def those(self, *kinds: Stance) -> list[str]:
        return [name for name, its in self.told.items() if its in kinds]

    def __str__(self) -> str:
        return f"of block {self.block.number}: {', '.join(f'{name} {its.value}' for name, its in self.told.items())}"


def witness_of(rpc: Rpc, block: Block, batch: Sequence[Request], agrees: Callable[[list[Any]], bool]) -> Witness:
    """Every endpoint's answers to a batch as `weighed` takes it.

    One that calls itself far behind and syncing could keep silent as well: it is not counted where two others agree and
    none differs. Two that invent blocks far above an honest node's head don't silence that: it isn't syncing.
    """
    told = {one: weighed(block, answers, agrees) for one, answers in rpc.ask_each(batch).items()}
    far = [one for one, stance in told.items() if stance is Stance.SYNCING]
    others = [stance for stance in told.values() if stance is not Stance.SYNCING]
    believed = others.count(Stance.AGREES) >= OTHERS and Stance.DIFFERS not in others
    late = syncing(rpc, block.number) if far and believed else set()
    told |= {one: Stance.DIFFERS for one in far if one not in late}
    return Witness(block, {f"{one.shown} ({n})": stance for n, (one, stance) in enumerate(told.items(), 1)})


def syncing(rpc: Rpc, number: int) -> set[Endpoint]:
    """Endpoints that say themselves that their head is far below a block, and that they are fetching more."""
    return {
        one
        for one, answers in rpc.ask_each([block_request("latest"), ("eth_syncing", [])]).items()
        if not isinstance(answers, HansaError) and isinstance(answers[1], dict) and _is_far(number, answers[0])
    }


def _is_far(number: int, latest: Any) -> bool:
    try:
        return number - read_block(latest, "latest").number > FAR
    except ChainUnavailable:
        return False


def weighed(block: Block, answers: list[Any] | HansaError, agrees: Callable[[list[Any]], bool]) -> Stance:
    """One endpoint's answers to readings, the block by its number, and the latest block. SYNCING: it is far behind."""
    if isinstance(answers, HansaError):
        return Stance.SILENT
    *given, there, latest = answers
    is_far = False
    try:
        is_far = block.number - read_block(latest, "latest").number > FAR
        if isinstance(there, NodeError):
            raise there
        if read_block(there, hex(block.number)) != block:  # a node can name a block's hash, and another time
            return Stance.DIFFERS
        for answer in given:
            if isinstance(answer, NodeError | ContractError):
                raise answer
        return Stance.AGREES if agrees(given) else Stance.DIFFERS
    except ChainUnavailable as error:
        if not is_behind(error):
            return Stance.SILENT
        return Stance.SYNCING if is_far else Stance.BEHIND
    except HansaError:  # a refusal, no contract, or no such record, where others have one
        return Stance.DIFFERS


def denies(
    readings: Sequence[Reading], answers: list[Any] | HansaError, agrees: Callable[[list[tuple[Any, ...]]], bool]
) -> bool:
    """Whether one endpoint's answers to readings can be read, and don't agree."""
    try:
        if isinstance(answers, HansaError):
            raise answers
        return not agrees([decoded(function, told) for (_, function, _), told in zip(readings, answers, strict=True)])
    except HansaError:
        return False
