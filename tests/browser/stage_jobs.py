"""The chain that the page is shown on: a job run by daemons, and one played by hand whose quorum lies."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from federations import SHORT, Observed, federation
from hostile import cast

from hansa.devnet.anvil import rpc
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.ledger import Ledger, RoundLedger
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.sheet import Entry, commitment, encode_sheet
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Code, Digest, JobId, Phase, Seat
from hansa.runtime.chain.calls import Call, approve_call
from hansa.runtime.chain.structs import JobState, JobTerms
from hansa.sponsor.terms import job_terms

ROUNDS = 3
PATIENCE = 300.0  # seconds until a machine must have come to what is waited for
SALT = bytes(32)
CLAIM_SECONDS = 10
HOSTILE_TEXT = '<img src=x onerror="document.title=1"><script>document.title=2</script> \u202egnp.exe'
FALSE_ROOT = b"\x07" * 32


@dataclass
class Stage:
    """What the tests look at: a job run by daemons, one whose last round was voted falsely, one with a hostile spec, an
    aborted one whose sponsor has taken nothing back, one whose time to claim is soon over: its first trainer has
    claimed, its second has not; and one whose first attempt has run out, for one of three validators measured."""

    lab: Observed
    daemons: JobId
    by_hand: JobId
    hostile: JobId
    aborted: JobId
    late: JobId
    failing: JobId
    payouts: RoundLedger  # of the honest round played by hand
    late_payouts: RoundLedger

    @property
    def url(self) -> str:
        return self.lab.anvil.url


@contextmanager
def undone(scene: Stage) -> Iterator[None]:
    """What is sent meanwhile is taken back; the chain is as high afterwards, for whoever has seen its head."""
    snapshot = rpc(scene.url, "evm_snapshot")
    try:
        yield
    finally:
        seen = int(rpc(scene.url, "eth_blockNumber"), 16)
        rpc(scene.url, "evm_revert", snapshot)
        rpc(scene.url, "anvil_mine", hex(1 + seen - int(rpc(scene.url, "eth_blockNumber"), 16)))


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Job 1: trainer-4 dies in round 2, trainer-5 copies and is struck, round 2 fails once for want of members."""
    with federation(
        directory,
        trainers=5,
        rounds=ROUNDS,
        quorum=2,
        times={**SHORT, "submit": 4, "score": 4, "slash": 1},
        settings={"parties": 4},
    ) as lab:
        cast(lab, "trainer-4", "DyingTrainer", round=2)
        lab.workers["trainer-5"].arguments[0].fields["source"] = "0"
        cast(lab, "trainer-5", "Copycat", victim=lab.address("trainer-1"))
        for name in ("validator-2", "validator-3"):
            cast(lab, name, "Sleeper", round=2, cycles=1)
        lab.start_all()
        lab.wait_until(lambda: failed(lab), PATIENCE, "a failed cycle", every=0.05)
        for name in ("validator-2", "validator-3"):
            lab.start(name)
        lab.wait_for_end(PATIENCE)
        lab.wait_for_exit(PATIENCE)
        yield play_on(lab)


def failed(lab: Observed) -> bool:
    state = lab.state()
    return state.phase.is_over or state.failures > 0 or state.round > 2


def play_on(lab: Observed) -> Stage:
    hands = Hands(lab)
    trainers = [lab.address(name) for name in ("trainer-1", "trainer-2")]
    job = hands.post(max_trainers=2, min_updates=2, max_rounds=9)
    hands.enrol(job, trainers)
    ledger = Ledger(dict.fromkeys(trainers, 1), lab.offer.reward, seats=3, rule=lab.prepared.spec.rule)
    honest = hands.round(job, ledger, trainers)
    hands.round(job, honest.after, trainers, rewards=FALSE_ROOT)
    spec = JobSpec(**{**lab.prepared.spec.model_dump(), "task": HOSTILE_TEXT})
    hostile = hands.post(spec=lab.session.store.put(spec.encode()))
    aborted = hands.aborted(trainers)
    failing = hands.failing(trainers)
    late, late_payouts = hands.too_late(trainers)
    return Stage(lab, lab.posted.job, job, hostile, aborted, late, failing, honest, late_payouts)


class Hands:
    """Plays every part of a job at once, by the unlocked accounts of the development chain."""

    def __init__(self, lab: Observed) -> None:
        self.lab = lab
        self.federation = lab.session.federation

    def send(self, sender: Address, call: Call) -> None:
        url = self.lab.anvil.url
        fields = {"from": sender, "to": call.to, "data": "0x" + call.data.hex(), "gas": hex(10_000_000)}
        rpc(url, "eth_call", fields, "pending")
        transaction = rpc(url, "eth_sendTransaction", fields)
        for _ in range(200):
            if (receipt := rpc(url, "eth_getTransactionReceipt", transaction)) is not None:
                assert receipt["status"] == "0x1", call.what
                return
            time.sleep(0.02)
        raise AssertionError(f"not mined: {call.what}")

    def aborted(self, trainers: Sequence[Address]) -> JobId:
        """A job that nobody began in time."""
        job = self.post(max_trainers=2, min_updates=2, max_rounds=9, max_failures=1, open_time=2)
        self.enrol(job, trainers)
        rpc(self.lab.anvil.url, "evm_increaseTime", 3)
        self.fail(job)
        assert self.state(job).phase == Phase.ABORTED
        return job

    def failing(self, trainers: Sequence[Address]) -> JobId:
        """A job whose first attempt anybody may fail."""
        job = self.post(max_trainers=2, min_updates=2, max_rounds=9, max_failures=3, score_time=2)
        self.enrol(job, trainers)
        self._begin(job, trainers)
        state = self.state(job)
        bound = commitment(self.federation.place(job, state.cycle), state.committee[0], b"", SALT)
        self.send(state.committee[0], self.federation.commit_call(job, state.cycle, Seat(0), bound))
        rpc(self.lab.anvil.url, "evm_increaseTime", 3)
        return job

    def fail(self, job: JobId) -> None:
        self.send(self.lab.address("trainer-1"), self.federation.fail_call(job, self.state(job).cycle))

    def too_late(self, trainers: Sequence[Address]) -> tuple[JobId, RoundLedger]:
        """A job of one round, whose time to claim ends soon."""
        job = self.post(max_trainers=2, min_updates=2, max_rounds=1, slash_time=1, claim_time=CLAIM_SECONDS)
        self.enrol(job, trainers)
        ledger = Ledger(dict.fromkeys(trainers, 1), self.lab.offer.reward, seats=3, rule=self.lab.prepared.spec.rule)
        done = self.round(job, ledger, trainers)
        leaf = next(leaf for leaf in done.leaves if leaf.trainer == trainers[0])
        claims = [(1, leaf, RewardsTree(done.leaves).proof(leaf.trainer))]
        self.send(leaf.trainer, self.federation.claim_call(job, leaf.trainer, claims))
        self.send(self.lab.address("sponsor"), self.federation.claim_rest_call(job))
        return job, done

    def state(self, job: JobId) -> JobState:
        return self.federation.state(job, self.lab.session.chain.head())

    def post(self, **changes: object) -> JobId:
        lab, sponsor = self.lab, self.lab.address("sponsor")
        terms: JobTerms = job_terms(
            replace(lab.offer, times={}),
            token=lab.session.deployment.token,
            committee=lab.posted.committee,
            admission=lab.session.deployment.admission,
            spec=lab.posted.spec,
            model=lab.posted.model,
        )
        escrow = 9 * lab.offer.full_round
        self.send(sponsor, approve_call(terms.token, lab.session.deployment.vault, escrow))
        self.send(sponsor, self.federation.post_call(replace(terms, **changes), escrow))
        return self.federation.job_count()

    def enrol(self, job: JobId, trainers: Sequence[Address]) -> None:
        terms_hash = self.federation.terms_hash(job)
        for trainer in trainers:
            bond = self.lab.offer.bond
            self.send(trainer, approve_call(self.lab.session.deployment.token, self.lab.session.deployment.vault, bond))
            self.send(trainer, self.federation.enrol_call(job, terms_hash, bond, b""))

    def round(
        self, job: JobId, ledger: Ledger, trainers: Sequence[Address], rewards: bytes | None = None
    ) -> RoundLedger:
        """A whole round; `rewards` is the root that the quorum votes where it is not the true one."""
        federation, number = self.federation, self.state(job).round
        self._begin(job, trainers)
        cycle = self.state(job).cycle
        entries = [Entry(Code.OK, 40_000_000 - 9_000_000 * i, 12_000_000 - 2_000_000 * i) for i in range(len(trainers))]
        sheet = encode_sheet(entries)
        members = self.state(job).committee
        done = ledger.round(list(trainers), [entries] * len(members))
        self._judge(job, sheet, members)
        state = self.state(job)
        model = self._file(f"model {number}")
        root = RewardsTree(done.leaves).root if rewards is None else rewards
        voted = result_hash(federation.place(job, cycle), state.updates, state.sheets, model, root)
        for i, member in enumerate(members):
            seat = Seat(i)
            call = federation.vote_call(
                job, cycle, seat, state.sheets, sealed_vote(voted, seat), 700_000_000 + 10**7 * number
            )
            self.send(member, call)
        self.send(members[0], federation.finalize_call(job, cycle, model, root))
        return done

    def _begin(self, job: JobId, trainers: Sequence[Address]) -> None:
        """An attempt, and the updates of all."""
        federation, number = self.federation, self.state(job).round
        rpc(self.lab.anvil.url, "evm_increaseTime", 1)  # a cycle opens in a later second than the last one ended
        self.send(trainers[0], federation.open_call(job))
        opened = self.state(job)
        for trainer in trainers:
            update = self._file(f"update {trainer} {number}")
            self.send(trainer, federation.submit_call(job, opened.cycle, opened.sheets, update))

    def _judge(self, job: JobId, sheet: bytes, members: Sequence[Address]) -> None:
        federation, cycle = self.federation, self.state(job).cycle
        for i, member in enumerate(members):
            bound = commitment(federation.place(job, cycle), member, sheet, SALT)
            self.send(member, federation.commit_call(job, cycle, Seat(i), bound))
        for i, member in enumerate(members):
            self.send(member, federation.reveal_call(job, cycle, Seat(i), sheet, SALT))

    def _file(self, text: str) -> Digest:
        return self.lab.session.store.put(hashlib.sha256(text.encode()).digest() * 40)


def routes(scene: Stage) -> dict[str, str]:
    """Places of the page that have something to show, by name."""
    job, model = scene.daemons, to_cid(scene.lab.posted.model)
    return {
        "jobs": "#/",
        "job": f"#/job/{job}",
        "round": f"#/job/{job}/round/2",
        "rounds": f"#/job/{job}/rounds",
        "rounds-differ": f"#/job/{scene.by_hand}/rounds",
        "validators": f"#/job/{job}/validators",
        "money": f"#/job/{job}/money",
        "terms": f"#/job/{job}/terms",
        "how": "#/how",
        "account": f"#/account/{scene.lab.address('trainer-1')}",
        "verify": f"#/verify/{model}",
        "post": "#/post",
    }
