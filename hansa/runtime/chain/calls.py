"""Transactions as values: every function of Federation, Vault and ERC-20 that a person or daemon sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from hansa.protocol.merkle import Leaf
from hansa.protocol.text import counted
from hansa.protocol.types import Address, CycleId, Digest, JobId, Seat
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.structs import JobTerms


@dataclass(frozen=True)
class Call:
    """What a transaction does. `to` None creates a contract; `what` is for people.

    alone: of a bundle its first call, which takes its place where it is refused, or not mined soon. least_gas: what it
    may take by the time that it is mined, where that can be more than it would take now.
    """

    to: Address | None
    data: bytes
    what: str
    alone: Call | None = None
    least_gas: int = 0


class Calls:
    """The calls of one federation and its vault."""

    address: Address
    vault: Address

    def _call(self, what: str, function: str, *arguments: Any) -> Call:
        return Call(self.address, artifact("Federation").functions[function].encode(*arguments), what)

    def _vault_call(self, what: str, function: str, *arguments: Any) -> Call:
        return Call(self.vault, artifact("Vault").functions[function].encode(*arguments), what)

    def post_call(self, terms: JobTerms, escrow: int) -> Call:
        return self._call("post a job", "post", astuple(terms), escrow)

    def enrol_call(self, job: JobId, terms_hash: bytes, bond: int, data: bytes) -> Call:
        return self._call(f"enrol in job {job}", "enrol", job, terms_hash, bond, data)

    def open_call(self, job: JobId) -> Call:
        return self._call(f"open a cycle of job {job}", "open", job)

    def submit_call(self, job: JobId, cycle: CycleId, seed: bytes, digest: Digest) -> Call:
        return self._call(f"submit an update to job {job}", "submit", job, cycle, seed, digest)

    def attest_call(self, job: JobId, cycle: CycleId, seat: Seat, bitmap: bytes) -> Call:
        return self._call(f"attest updates of job {job}", "attest", job, cycle, seat, bitmap)

    def release_call(self, job: JobId, cycle: CycleId, seat: Seat, digest: Digest) -> Call:
        return self._call(f"release shares in job {job}", "release", job, cycle, seat, digest)

    def commit_call(self, job: JobId, cycle: CycleId, seat: Seat, commitment: bytes) -> Call:
        return self._call(f"commit scores in job {job}", "commitScores", job, cycle, seat, commitment)

    def reveal_call(self, job: JobId, cycle: CycleId, seat: Seat, sheet: bytes, salt: bytes) -> Call:
        return self._call(f"reveal scores in job {job}", "revealScores", job, cycle, seat, sheet, salt)

    def vote_call(self, job: JobId, cycle: CycleId, seat: Seat, sheets: bytes, sealed: int, metric: int) -> Call:
        return self._call(f"vote in job {job}", "vote", job, cycle, seat, sheets, sealed, metric)

    def finalize_call(self, job: JobId, cycle: CycleId, model: bytes, rewards: bytes) -> Call:
        return self._call(f"finalize a round of job {job}", "finalize", job, cycle, (model, rewards))

    def vote_and_finalize_call(self, vote: Call, finalize: Call, job: JobId) -> Call:
        """Both in one transaction, or neither."""
        data = artifact("Federation").functions["multicall"].encode([vote.data, finalize.data])
        return Call(self.address, data, f"vote in job {job} and finalize its round", alone=vote)

    def fail_call(self, job: JobId, cycle: CycleId) -> Call:
        return self._call(f"fail a cycle of job {job}", "failRound", job, cycle)

    def rejoin_call(self, job: JobId, cycle: CycleId) -> Call:
        return self._call(f"rejoin job {job}", "rejoin", job, cycle)

    def stop_call(self, job: JobId) -> Call:
        return self._call(f"stop job {job}", "stop", job)

    def claim_seat_fees_call(self, job: JobId, seat: Seat) -> Call:
        return self._call(f"claim the fees of seat {seat} in job {job}", "claimFees", job, seat)

    def publish_keys_call(self, job: JobId, digest: Digest) -> Call:
        return self._call(f"publish content keys of job {job}", "publishKeys", job, digest)

    def announce_key_call(self, key: bytes) -> Call:
        return self._call("announce an encryption key", "announceKey", key)

    def claim_call(self, job: JobId, trainer: Address, claims: Sequence[tuple[int, Leaf, Sequence[bytes]]]) -> Call:
        """claims: (round, leaf, Merkle proof) each."""
        listed = [(round_, (leaf.pay, leaf.strike, leaf.reputation), list(proof)) for round_, leaf, proof in claims]
        return self._vault_call(f"claim {counted(len(listed), 'round')} of job {job}", "claim", job, trainer, listed)

    def claim_fees_call(self, job: JobId, member: Address) -> Call:
        return self._vault_call(f"claim booked fees of job {job}", "claimFees", job, member)

    def claim_bond_call(self, job: JobId, trainer: Address) -> Call:
        return self._vault_call(f"take the bond of job {job} back", "claimBond", job, trainer)

    def claim_rest_call(self, job: JobId) -> Call:
        return self._vault_call(f"take the rest of job {job} back", "claimRest", job)

    def send_burnt_call(self, job: JobId) -> Call:
        return self._vault_call(f"burn what is booked as burnt of job {job}", "sendBurnt", job)


def approve_call(token: Address, spender: Address, amount: int) -> Call:
    return Call(token, artifact("RewardToken").functions["approve"].encode(spender, amount), f"approve {amount} units")


def transfer_call(token: Address, to: Address, amount: int) -> Call:
    return Call(token, artifact("RewardToken").functions["transfer"].encode(to, amount), f"send {amount} units to {to}")
