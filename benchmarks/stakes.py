"""What a pool of stakes costs, by how many have staked: a draw, a new stake, more of it, taking it out.

The pool fills itself (contracts/test/FilledPool.sol) on a chain of its own; draws are measured in calls, as `open`
makes them, without what they cost to whoever opens.
"""

from __future__ import annotations

import runpy
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import solcx
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from benchmarks.report import Cell, Report, Section
from hansa.devnet.anvil import rpc, start_anvil
from hansa.devnet.bootstrap import bootstrap
from hansa.protocol.hashes import NO_HASH
from hansa.protocol.types import Address, Wei
from hansa.runtime.chain.abi import Field, Function, artifact
from hansa.runtime.session import Session
from hansa.runtime.workspace import Workspace
from hansa.sponsor.committees import PoolRules, pool_terms
from hansa.sponsor.terms import JobOffer, job_terms

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "contracts/test/FilledPool.sol"
STAKERS, QUICK = (32, 100, 1_000, 10_000), (32, 100)
SEATS = (5, 16, 24)
CHANGES, EPOCHS, EPOCH = 8_000, 24, 3_600
GAS = 150_000_000  # of a transaction that fills or changes
DRAWS = 5  # of which the dearest counts
FRESH = 2**256 - 1


def run(quick: bool = False) -> Report:
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as folder, chain(Path(folder)) as measure:
        for stakers in QUICK if quick else STAKERS:
            rows.append([f"{stakers:,} stakers", *measure.row(stakers)])
    columns = ["", *(f"select {seats}" for seats in SEATS), "select 24, changed", "stake", "more", "unstake"]
    notes = [
        f"Gas. A draw: the dearest of {DRAWS}, as of the last opening; `open` gives it 3,000,000.",
        f"Changed: as of {EPOCHS} epochs ago, after {CHANGES:,} changes by accounts of chance since.",
        "stake: of an account that had none; more, unstake: each in an epoch of its own.",
    ]
    return Report("stakes", quick, [Section("A pool of stakes", columns, rows, notes)])


@contextmanager
def chain(folder: Path) -> Iterator[Measure]:
    anvil = start_anvil(folder / "anvil.log", accounts=4)
    try:
        workspace = Workspace(folder)
        deployment = bootstrap(workspace, anvil, ["sponsor", "staker"], name="stakes")
        yield Measure(anvil.url, Session(deployment), compiled())
    finally:
        anvil.stop()


def compiled() -> bytes:
    made: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "compile.py"))
    question = made["standard_input"]()
    question["sources"][SOURCE] = {"content": (ROOT / SOURCE).read_text()}
    question["settings"]["outputSelection"] = {SOURCE: {"FilledPool": ["evm.bytecode.object"]}}
    found: dict[str, Any] = solcx.compile_standard(question, solc_version=made["VERSION"])["contracts"][SOURCE]
    return bytes.fromhex(found["FilledPool"]["evm"]["bytecode"]["object"])


def function(name: str, *types: str) -> Function:
    """One of the test double's own."""
    return Function(name, keccak(text=f"{name}({','.join(types)})")[:4], tuple(Field("", each) for each in types), ())


OWN = {
    "fill": function("fill", "uint96[]"),
    "churn": function("churn", "uint256", "uint256"),
    "gasOf": function("gasOf", "uint256", "uint256", "uint256"),
}


class Measure:
    """A chain with a federation, and pools on it."""

    def __init__(self, url: str, session: Session, code: bytes) -> None:
        self._url, self._session, self._code = url, session, code
        self._functions = {**artifact("StakedCommittee").functions, **OWN}
        self._sponsor, self._staker = (Address(each) for each in rpc(url, "eth_accounts")[:2])

    def row(self, stakers: int) -> list[int]:
        """Draws, the draw after many changes, and what a stake's life costs."""
        offers = [self._offer(seats) for seats in SEATS]
        pool = self._deploy(offers[-1])
        for first in range(0, stakers, 500):
            self._send(self._sponsor, pool, "fill", [5] * min(500, stakers - first))
        self._next_epoch()
        jobs = [self._post(offer, pool) for offer in offers]
        draws = [self._draw(pool, job, self._now()) for job in jobs]
        costs = self._stake(pool)
        for epoch in range(EPOCHS):
            self._send(self._sponsor, pool, "churn", epoch, CHANGES // EPOCHS + (epoch < CHANGES % EPOCHS))
            self._next_epoch()
        return [*draws, self._draw(pool, jobs[-1], 0), *costs]

    def _stake(self, pool: Address) -> list[int]:
        federation, deployment, who = self._session.federation, self._session.deployment, self._staker
        self._raw(who, federation.address, federation.announce_key_call(b"\1" * 32).data)
        approve = artifact("RewardToken").functions["approve"].encode(pool, 2**255)
        self._raw(who, deployment.token, approve)
        costs = [self._send(who, pool, "stake", 1_000, FRESH)]
        for name, arguments in (("stake", (1_000, FRESH)), ("unstake", (500,))):
            self._next_epoch()
            costs.append(self._send(who, pool, name, *arguments))
        return costs

    def _offer(self, seats: int) -> JobOffer:
        return JobOffer(4, seats, 1, Wei(0), Wei(1), Wei(1), Wei(0), min_updates=2, failures=5)

    def _deploy(self, offer: JobOffer) -> Address:
        deployment = self._session.deployment
        rules = PoolRules(unit=1, minimum=2, epoch=EPOCH, report=EPOCH)
        terms = pool_terms(offer, rules, deployment.federation, deployment.token, [self._sponsor], [NO_HASH])
        types = "(address,address,uint96,uint32,uint32,uint32,uint32,uint32,uint96,uint8,address[],bytes32[])"
        return Address(
            self._raw(self._sponsor, None, self._code + encode([types], [terms.values()]))["contractAddress"]
        )

    def _post(self, offer: JobOffer, pool: Address) -> int:
        federation, deployment = self._session.federation, self._session.deployment
        word: Any = NO_HASH
        terms = job_terms(
            offer, token=deployment.token, committee=pool, admission=deployment.admission, spec=word, model=word
        )
        approve = artifact("RewardToken").functions["approve"].encode(deployment.vault, offer.escrow)
        self._raw(self._sponsor, deployment.token, approve)
        post = artifact("Federation").functions["post"].encode(astuple(terms), offer.escrow)
        self._raw(self._sponsor, federation.address, post)
        return federation.job_count()

    def _draw(self, pool: Address, job: int, as_of: int) -> int:
        ask = self._functions["gasOf"]
        asked = [ask.encode(job, counter, as_of) for counter in range(1, DRAWS + 1)]
        calls = [{"to": pool, "data": "0x" + data.hex(), "gas": hex(GAS)} for data in asked]
        return max(int(rpc(self._url, "eth_call", call, "latest"), 16) for call in calls)

    def _send(self, who: Address, pool: Address, name: str, *arguments: Any) -> int:
        return int(self._raw(who, pool, self._functions[name].encode(*arguments))["gasUsed"], 16)

    def _raw(self, who: Address, to: Address | None, data: bytes) -> dict[str, Any]:
        sending = {"from": who, "data": "0x" + data.hex(), "gas": hex(GAS)} | ({"to": to} if to else {})
        sent = rpc(self._url, "eth_sendTransaction", sending)
        receipt: dict[str, Any] | None = None
        while receipt is None:
            receipt = rpc(self._url, "eth_getTransactionReceipt", sent)
        if receipt["status"] != "0x1":
            raise RuntimeError(f"a transaction to {to} failed")
        return receipt

    def _now(self) -> int:
        return int(rpc(self._url, "eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def _next_epoch(self) -> None:
        rpc(self._url, "evm_setNextBlockTimestamp", hex((self._now() // EPOCH + 1) * EPOCH))
        rpc(self._url, "evm_mine")
