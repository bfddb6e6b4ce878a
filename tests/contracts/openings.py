"""What a cycle's opening says, worked out once more from what was on chain before it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from brownie import chain
from drive import Job
from eth_abi.abi import decode
from node import rpc

from hansa.protocol import hashes, links

NOTHING_YET = SimpleNamespace(sheets=bytes(32), updates=0, history=None)
"""Before the first cycle; then `history` is the hash of the terms."""


@dataclass(frozen=True)
class Opening:
    cycle: int
    seed: bytes
    draw: bytes
    committee: list[str]
    keys: list[bytes]


def opening_of(job: Job, opened: Any, before: SimpleNamespace = NOTHING_YET) -> Opening:
    """What a receipt tells of, with seed and draw as they must be. before: the state that it was opened in."""
    event = opened.events["CycleOpened"]
    committee, keys = list(event["committee"]), [bytes(key) for key in event["keys"]]
    randomness = randomness_of(opened.block_number)
    drawn = draw_of(job, before, randomness)
    seed = links.link(
        job.terms_hash if before.history is None else bytes(before.history), links.opened(drawn, committee, keys)
    )
    assert (event["job"], bytes(event["randomness"])) == (job.id, randomness)
    assert (bytes(event["seed"]), bytes(job.state.history)) == (seed, seed)
    return Opening(int(event["cycle"]), seed, drawn, committee, keys)


def draw_of(job: Job, before: SimpleNamespace, randomness: bytes) -> bytes:
    place = (chain.id, job.federation.address, job.id)
    return hashes.draw(*place, bytes(before.sheets), int(before.updates), randomness)


def randomness_of(block: int) -> bytes:
    """prevrandao, of which every block of this chain has one."""
    return bytes.fromhex(rpc("eth_getBlockByNumber", hex(block), False)["mixHash"][2:])


def simulated(job: Job, prevrandao: int) -> tuple[bytes, bytes]:
    """Randomness and seed of `open` in a block of that prevrandao, which stands in for the last one."""
    data = job.federation.open.encode_input(job.id)
    question = {"from": job.sponsor.address, "to": job.federation.address, "input": data}
    block = {"blockOverrides": {"prevRandao": f"0x{prevrandao:064x}"}, "calls": [question]}
    ((answer,),) = [block["calls"] for block in rpc("eth_simulateV1", {"blockStateCalls": [block]}, "latest")]
    assert answer["status"] == "0x1", answer
    told = bytes.fromhex(answer["logs"][-1]["data"][2:])
    return told[32:64], told[64:96]


def asked_of_committee(opened: Any) -> tuple[Any, ...]:
    """What `open` has asked the committee contract: job, counter, draw, asOf."""
    trace = rpc("debug_traceTransaction", opened.txid, {"tracer": "callTracer"})
    asked = next(inner["input"] for inner in trace["calls"] if inner["type"] == "STATICCALL")
    return tuple(decode(["uint256", "uint256", "bytes32", "uint256"], bytes.fromhex(asked[10:])))
