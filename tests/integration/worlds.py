"""One federation on a chain of our own, named actors with journals, and the steps of a job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eth_account import Account

from hansa.devnet.anvil import Anvil, published_key, rpc
from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.sheet import Entry, commitment, encode_sheet
from hansa.protocol.types import Address, Code, Digest, JobId, Seat, Wei
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.structs import JobTerms
from hansa.runtime.history.reader import HistoryReader
from hansa.runtime.history.records import JobHistory
from hansa.runtime.journal import Journal
from hansa.runtime.signed_calls import signed_call
from hansa.runtime.transactions.sender import Call, Mined, Refused, Sender

NAMES = ["sponsor", "alice", "bob", "carol", "dave", "erin", "frank"]
TRAINERS, MEMBERS = NAMES[1:4], NAMES[4:]
ESCROW = 15_000
PENDING_SECONDS = 3.0  # after which a node that says that it is too early is made to mine


@dataclass
class World:
    """One federation with a job's terms; `account` by name."""

    anvil: Anvil
    directory: Path
    chain: Chain
    deployment: Deployment
    federation: Federation
    terms: JobTerms
    senders: dict[str, Sender]
    journals: list[Journal] = field(default_factory=list)
    keys: int = 0

    def address(self, name: str) -> Address:
        return self.senders[name].address

    def rpc(self, method: str, *parameters: Any) -> Any:
        return rpc(self.anvil.url, method, *parameters)

    def do(self, name: str, call: Call) -> Mined:
        """Sends and insists that it is mined. A cycle is opened as soon as that is possible: in the next second, or, on
        nodes whose pending block is as old as their last one (Ganache, geth's developer mode), after another block."""
        self.keys += 1
        outcome = self.senders[name].send(call, key=("test", self.keys), wait=20)
        begun = time.monotonic()
        while isinstance(outcome, Refused) and outcome.error.name == "Federation_TooEarly":
            time.sleep(0.1)
            if time.monotonic() > begun + PENDING_SECONDS:
                self._mine()
            outcome = self.senders[name].send(call, key=("test", self.keys), wait=20)
        assert isinstance(outcome, Mined), f"{name}: {call.what}: {outcome}"
        return outcome

    def _mine(self) -> None:
        try:
            self.rpc("evm_mine")
        except ChainUnavailable:
            [rich] = self.rpc("eth_accounts")
            self.rpc("eth_sendTransaction", {"from": rich, "to": rich})

    def post(self, **changes: Any) -> JobId:
        terms = replace(self.terms, **changes)
        self.do("sponsor", approve_call(self.deployment.token, self.deployment.vault, ESCROW))
        return self.federation.posted_in(self.do("sponsor", self.federation.post_call(terms, ESCROW)).receipt)

    def enrol(self, job: JobId, *names: str) -> None:
        for name in names or TRAINERS:
            self.do(name, approve_call(self.deployment.token, self.deployment.vault, 100))
            self.do(name, self.federation.enrol_call(job, self.federation.terms_hash(job), 100, b""))

    def submit(self, job: JobId, *names: str) -> None:
        state = self.federation.state(job)
        for number, name in enumerate(names or TRAINERS):
            self.do(name, self.federation.submit_call(job, state.cycle, state.sheets, Digest(bytes([number + 1]) * 32)))

    def score(self, job: JobId) -> None:
        """Every member commits, then every member reveals."""
        state = self.federation.state(job)
        sheet = encode_sheet([Entry(Code.OK, 10, 5)] * state.submitted)
        place = self.federation.place(job, state.cycle)
        for seat, name in self.seats(job):
            sealed = commitment(place, self.address(name), sheet, bytes([seat]) * 32)
            self.do(name, self.federation.commit_call(job, state.cycle, seat, sealed))
        for seat, name in self.seats(job):
            self.do(name, self.federation.reveal_call(job, state.cycle, seat, sheet, bytes([seat]) * 32))

    def decide(self, job: JobId, model: bytes = b"\x07" * 32, rewards: bytes = bytes(32)) -> None:
        """Every member votes one result; anybody finalises it."""
        state = self.federation.state(job)
        result = result_hash(self.federation.place(job, state.cycle), state.updates, state.sheets, model, rewards)
        for seat, name in self.seats(job):
            vote = self.federation.vote_call(job, state.cycle, seat, state.sheets, sealed_vote(result, seat), 10 + seat)
            self.do(name, vote)
        self.do("sponsor", self.federation.finalize_call(job, state.cycle, model, rewards))

    def round(self, job: JobId, *trainers: str) -> None:
        self.do("sponsor", self.federation.open_call(job))
        self.submit(job, *trainers)
        self.score(job)
        self.decide(job)

    def seats(self, job: JobId) -> list[tuple[Seat, str]]:
        names = {self.address(name): name for name in MEMBERS}
        return [(Seat(seat), names[member]) for seat, member in enumerate(self.federation.state(job).committee)]

    def history(self, job: JobId) -> JobHistory:
        return HistoryReader(self.federation, job).read()

    def pass_time(self, seconds: int) -> None:
        self.rpc("evm_increaseTime", seconds)
        self.rpc("evm_mine")

    def another(self, name: str, chain: Chain | None = None, suffix: str = "again") -> Sender:
        """A second sender for one key, as after a restart on another machine."""
        journal = Journal(self.directory / f"{name}-{suffix}.sqlite")
        self.journals.append(journal)
        return Sender(chain or self.chain, Account.from_key(published_key(NAMES.index(name))), journal)

    def signed(self, name: str, call: Call) -> Call:
        """A call as anybody may send it for the actor, who signs it."""
        deadline = self.chain.head().timestamp + 600
        return signed_call(call, Account.from_key(published_key(NAMES.index(name))), self.chain.chain_id, deadline)


def transfer(deployment: Deployment, to: Address) -> Call:
    from hansa.runtime.chain.calls import transfer_call

    return transfer_call(deployment.token, to, 10_000)


def terms(deployment: Deployment) -> JobTerms:
    assert deployment.committee is not None
    return JobTerms(
        token=deployment.token,
        committee=deployment.committee,
        admission=deployment.admission,
        recheck_admission=False,
        keep_committee=True,
        spec=Digest(b"\x01" * 32),
        model=Digest(b"\x02" * 32),
        reward_per_round=Wei(1000),
        fee_per_seat=Wei(10),
        min_bond=Wei(100),
        strike_penalty=Wei(10),
        target_metric=2**63 - 1,
        enrol_time=600,
        open_time=600,
        submit_time=600,
        attest_time=0,
        release_time=0,
        score_time=600,
        reveal_time=600,
        vote_time=600,
        finalize_time=600,
        claim_time=86_400,
        slash_time=60,
        max_trainers=3,
        min_updates=2,
        max_rounds=3,
        patience=0,
        failure_burn=5000,
        max_failures=3,
        seats=3,
        quorum=2,
        threshold=0,
    )
