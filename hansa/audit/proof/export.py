"""Asks a node for what proves a state under one block's hash.

Whatever a node answers is verified before it is taken; where it does not verify, the next endpoint is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hansa.audit.proof.header import header_bytes
from hansa.audit.proof.state import State, StateProof
from hansa.audit.proof.trie import LEAST_NODE
from hansa.protocol.errors import ChainUnavailable, HansaError
from hansa.protocol.types import Address
from hansa.runtime.chain.client import Block, Chain, read_block
from hansa.runtime.chain.rpc import AllFailed, NodeError, Nonsense, Request, octets

KEYS = 64  # slots in one request; what public nodes answer
PROOFS = 4  # requests in one batch
TRIES = 5  # blocks that are tried, each newer than the one before
NEXT_BLOCK = 15.0  # seconds to wait for a newer block
NO_METHOD = -32601

Wanted = Mapping[Address, Sequence[int]]  # the slots of each account, none where the account alone is asked for


class Unprovable(HansaError):
    """A state that can't be proven. for_good: no newer block will help."""

    def __init__(self, why: str, cause: BaseException | None = None, *, for_good: bool) -> None:
        super().__init__(why, cause=cause)
        self.for_good = for_good


class NotHashed(ChainUnavailable):
    """A block whose hash is not that of its header."""


@dataclass(frozen=True)
class Export:
    """proof: None where there is none; `why` says why then."""

    at: Block
    proof: StateProof | None
    why: str = ""


def export_state(chain: Chain, wanted: Callable[[Block], Wanted]) -> Export:
    """Proves slots at a block `confirmations` deep. wanted: asked with each block that is tried.

    Nodes keep few states: where one has dropped that of the block meanwhile, a newer block is tried.
    """
    tried: Export | None = None
    for _ in range(TRIES):
        if tried is not None:
            chain.wait(NEXT_BLOCK)
        at = chain.below(chain.head(), chain.confirmations)
        try:
            return Export(at, prove_state(chain, at, wanted(at)))
        except Unprovable as error:
            tried = Export(at, None, str(error))
            if error.for_good:
                break
    assert tried is not None
    return tried


def prove_state(chain: Chain, at: Block, wanted: Wanted) -> StateProof:
    """Accounts and slots at one block, verified. Unprovable where the node or its chain does not give them."""
    try:
        state = State(_header(chain, at))
        asked = list(_requests(at, wanted))
        for start in range(0, len(asked), PROOFS):
            part = asked[start : start + PROOFS]
            chain.rpc.ask([request for request, _ in part], check=lambda answers: _take(state, part, answers))  # noqa: B023
    except ChainUnavailable as error:
        if (why := _unprovable(error)) is None:
            raise
        raise why from error
    return state.proof()


def _header(chain: Chain, at: Block) -> bytes:
    found: list[bytes] = []

    def check(answers: list[Any]) -> None:
        if read_block(answers[0], hex(at.number)).hash != at.hash:
            raise ChainUnavailable(f"block {at.number} is not on the chain any more", cause="it was reorganised")
        header = header_bytes(answers[0])
        if header is None:
            raise NotHashed(f"block {at.number} has another hash than its header")
        found.append(header)

    chain.rpc.ask([("eth_getBlockByNumber", [hex(at.number), False])], check=check)
    return found[-1]


Asked = tuple[Request, tuple[Address, Sequence[int]]]


def _requests(at: Block, wanted: Wanted) -> Iterator[Asked]:
    for account, slots in wanted.items():
        for start in range(0, max(1, len(slots)), KEYS):
            part = slots[start : start + KEYS]
            keys = [f"0x{slot:064x}" for slot in part]
            yield ("eth_getProof", [account, keys, hex(at.number)]), (account, part)


def _take(state: State, asked: Sequence[Asked], answers: Sequence[Any]) -> None:
    """Nonsense unless the nodes in the answers prove what was asked."""
    for (_, (account, slots)), answer in zip(asked, answers, strict=True):
        try:
            lists = [answer["accountProof"], *(entry["proof"] for entry in answer["storageProof"])]
            nodes = (octets(node, "a proof's node") for part in lists for node in part)
            state.add(node for node in nodes if len(node) >= LEAST_NODE)
            state.account(account)
            for slot in slots:
                state.word(account, slot)
        except (ValueError, KeyError, TypeError) as error:
            raise Nonsense("eth_getProof", error) from error


def _unprovable(error: ChainUnavailable) -> Unprovable | None:
    """What a failure says about the chain or the node; None where it is only that nobody answered."""
    failures = error.failures if isinstance(error, AllFailed) else [error]
    if any(isinstance(failure, NotHashed) for failure in failures):
        return Unprovable("the chain's blocks are not hashed as Ethereum's", for_good=True)
    refusals = [failure for failure in failures if isinstance(failure, NodeError)]
    if any(failure.code != NO_METHOD for failure in refusals):
        return Unprovable("the node does not prove the state of that block", refusals[0], for_good=False)
    if refusals:
        return Unprovable("the node has no eth_getProof", for_good=True)
    if any(isinstance(failure, Nonsense) for failure in failures):
        return Unprovable("the node's proofs prove nothing", error, for_good=True)
    return None
