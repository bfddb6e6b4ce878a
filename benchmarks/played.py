"""A job of any size on a real chain, played by one script: each transaction is mined, each accumulator the contract's.

What trainers and validators send is made up: files of random bytes, score sheets drawn from a seed. The rules, the
chain and everything that a reader checks are the real ones.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hansa.devnet.anvil import Anvil, rpc_batch, start_anvil
from hansa.devnet.bootstrap import bootstrap
from hansa.devnet.folder import account_names
from hansa.protocol.errors import FatalError
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.ledger import Ledger, RoundLedger
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.sheet import Entry, commitment, encode_sheet
from hansa.protocol.types import Address, Code, Digest, JobId, Seat, Wei
from hansa.runtime.accounts import address_of, load_account
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call, approve_call
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.structs import JobState
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import signing_with
from hansa.runtime.workspace import Workspace
from hansa.sponsor.post import post_job, prepare
from hansa.sponsor.terms import JobOffer

TOKEN = 10**18
GAS = hex(10_000_000)
SALT = bytes(32)
PATIENCE = 30.0  # seconds
AT_ONCE = 15  # jobs that are posted in one transaction
LONG = 4 * 3600  # seconds of each phase: however slow the machine, none runs out


@dataclass(frozen=True)
class Size:
    trainers: int
    seats: int
    rounds: int


@dataclass
class Played:
    """A job with `size.rounds` finalised rounds and one under way, in which half of the trainers have submitted."""

    anvil: Anvil
    deployment: Deployment
    job: JobId
    size: Size
    missing: list[tuple[Address, Call]]  # submits

    @property
    def submitted(self) -> int:
        """Updates of the round under way."""
        return self.size.trainers - len(self.missing)

    def submit_one(self) -> None:
        """One more update comes in: a block with an event."""
        send(self.anvil.url, [self.missing.pop()])


@contextmanager
def played(directory: Path, size: Size, seed: int = 1) -> Iterator[Played]:
    workspace = Workspace(directory)
    workspace.dir.mkdir(parents=True, exist_ok=True)
    names = account_names(size.trainers, size.seats)
    anvil = start_anvil(workspace.dir / "anvil.log", accounts=len(names))
    try:
        deployment = bootstrap(workspace, anvil, names, name="benchmark")
        accounts = [address_of(workspace, name) for name in names[1:]]
        script = Script(anvil.url, Session(deployment), accounts[: size.trainers], random.Random(seed))
        script.post(workspace, accounts[size.trainers :], size.rounds)
        script.enrol()
        for _ in range(size.rounds):
            script.round()
        script.claim()
        submits = list(zip(script.trainers, script.begin(), strict=True))
        script.send(submits[: size.trainers // 2])
        yield Played(anvil, deployment, script.job, size, submits[size.trainers // 2 :])
    finally:
        anvil.stop()


def post_more(job: Played, count: int) -> None:
    """Small copies of the job, open to join, until the chain has `count` jobs."""
    federation, url = Session(job.deployment).federation, job.anvil.url
    sponsor = federation.state(job.job).sponsor
    terms = replace(federation.terms(job.job), reward_per_round=Wei(TOKEN), fee_per_seat=Wei(0), max_rounds=1)
    missing = count - int(federation.job_count())
    send(url, [(sponsor, approve_call(terms.token, job.deployment.vault, Wei(missing * TOKEN)))])
    post, several = federation.post_call(terms, Wei(TOKEN)), artifact("Federation").functions["multicall"]
    for start in range(0, missing, AT_ONCE):
        data = several.encode([post.data] * min(AT_ONCE, missing - start))
        send(url, [(sponsor, replace(post, data=data))])


class Script:
    """Plays every part by the unlocked accounts of the development chain, many transactions in one request."""

    job: JobId

    def __init__(self, url: str, session: Session, trainers: list[Address], chance: random.Random) -> None:
        self.session, self.trainers, self.random = session, trainers, chance
        self.url, self.send = url, partial(send, url)
        self.federation = session.federation
        self.done: list[RoundLedger] = []
        self.skill = {trainer: chance.randint(20, 60) for trainer in trainers}

    @property
    def state(self) -> JobState:
        return self.federation.state(self.job, self.session.chain.head())

    def post(self, workspace: Workspace, members: list[Address], rounds: int) -> None:
        offer = JobOffer(
            trainers=len(self.trainers),
            seats=len(members),
            rounds=rounds + 10,
            reward=Wei(1000 * TOKEN),
            fee=Wei(10 * TOKEN),
            bond=Wei(50 * TOKEN),
            penalty=Wei(5 * TOKEN),
            times=dict.fromkeys(("enrol", "submit", "score", "reveal", "vote", "finalize"), LONG),
        )
        prepared = prepare("heart", seed=1, baselines=["majority=0.54", "pooled=0.805"])
        self.ledger = Ledger(dict.fromkeys(self.trainers, 1), offer.reward, offer.seats, prepared.spec.rule)
        account = load_account(workspace, "sponsor")
        with signing_with(self.session.chain, account, workspace.journal(account.address)) as signer:
            self.job = post_job(self.session, signer, prepared, offer, members).job

    def enrol(self) -> None:
        terms, vault = self.federation.terms(self.job), self.session.deployment.vault
        self.send([(each, approve_call(terms.token, vault, terms.min_bond)) for each in self.trainers])
        call = self.federation.enrol_call(self.job, self.federation.terms_hash(self.job), terms.min_bond, b"")
        self.send([(each, call) for each in self.trainers])

    def begin(self) -> list[Call]:
        """Opens a cycle; each trainer's submit."""
        rpc_batch(self.url, [("evm_increaseTime", [1])])  # a cycle opens in a later second than the last ended
        self.send([(self.trainers[0], self.federation.open_call(self.job))])
        state = self.state
        return [self.federation.submit_call(self.job, state.cycle, state.sheets, self._digest()) for _ in self.trainers]

    def round(self) -> None:
        """A whole round, the shares of skill and luck drawn anew, one update in fifty malformed."""
        places = self.send(list(zip(self.trainers, self.begin(), strict=True)))
        submitted = [trainer for _, trainer in sorted(zip(places, self.trainers, strict=True))]
        state = self.state
        truth = [self._entry(trainer) for trainer in submitted]
        sheets = [[self._seen(entry) for entry in truth] for _ in state.committee]
        self._judge(state, [encode_sheet(sheet) for sheet in sheets])
        result = self.ledger.round(submitted, sheets)
        self._vote(result)
        self.done.append(result)
        self.ledger = result.after

    def claim(self) -> None:
        """Every second trainer claims what it has earned so far, the last two rounds excepted."""
        trees = list(enumerate((RewardsTree(each.leaves) for each in self.done[:-2]), 1))
        claims = {t: [(i, tree.leaf(t), tree.proof(t)) for i, tree in trees] for t in self.trainers[::2]}
        self.send([(t, self.federation.claim_call(self.job, t, claim)) for t, claim in claims.items()])

    def _judge(self, state: JobState, sheets: Sequence[bytes]) -> None:
        seats, job, cycle = list(enumerate(state.committee)), self.job, state.cycle
        place = self.federation.place(job, cycle)
        bound = [commitment(place, member, sheets[i], SALT) for i, member in seats]
        self.send([(member, self.federation.commit_call(job, cycle, Seat(i), bound[i])) for i, member in seats])
        self.send([(m, self.federation.reveal_call(job, cycle, Seat(i), sheets[i], SALT)) for i, m in seats])

    def _vote(self, result: RoundLedger) -> None:
        state, job, federation = self.state, self.job, self.federation
        model, root = self._digest(), RewardsTree(result.leaves).root
        voted = result_hash(federation.place(job, state.cycle), state.updates, state.sheets, model, root)
        metric = 800_000_000 - 300_000_000 // state.round
        calls = [
            (member, federation.vote_call(job, state.cycle, Seat(i), state.sheets, sealed_vote(voted, Seat(i)), metric))
            for i, member in enumerate(state.committee)
        ]
        self.send(calls)
        self.send([(state.committee[0], federation.finalize_call(job, state.cycle, model, root))])

    def _entry(self, trainer: Address) -> Entry:
        if self.random.random() < 0.02:
            return Entry(Code.MALFORMED, 0, 0)
        gain = self.skill[trainer] * self.random.randint(100_000, 1_000_000)
        return Entry(Code.OK, gain, gain * self.random.randint(1, 9) // 10)

    def _seen(self, entry: Entry) -> Entry:
        """What one validator measures of it."""
        if entry.code != Code.OK:
            return entry
        return Entry(Code.OK, *(value + self.random.randint(-50_000, 50_000) for value in (entry.gain, entry.news)))

    def _digest(self) -> Digest:
        return Digest(self.random.randbytes(32))


def send(url: str, calls: Sequence[tuple[Address, Call]]) -> list[int]:
    """Each call's place in the order in which they were mined. FatalError names one that the contracts refuse."""
    fields = [{"from": by, "to": call.to, "data": "0x" + call.data.hex(), "gas": GAS} for by, call in calls]
    hashes = rpc_batch(url, [("eth_sendTransaction", [each]) for each in fields])
    receipts = _mined(url, hashes)
    for receipt, (_, call) in zip(receipts, calls, strict=True):
        if receipt["status"] != "0x1":
            raise FatalError("the benchmark's job can't be played", cause=f"the contracts refuse to {call.what}")
    mined = [(int(each["blockNumber"], 16), int(each["transactionIndex"], 16)) for each in receipts]
    return [sorted(mined).index(each) for each in mined]


def _mined(url: str, hashes: Sequence[str]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        receipts = rpc_batch(url, [("eth_getTransactionReceipt", [each]) for each in hashes])
        if all(receipts):
            return receipts
        time.sleep(0.002)
    raise FatalError("the benchmark's job can't be played", cause=f"a transaction is not mined after {PATIENCE:.0f} s")
