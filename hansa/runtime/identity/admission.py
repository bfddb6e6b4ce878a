"""Whom a job's admission admits, asked as the federation asks it, and why it doesn't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from hansa.protocol.errors import FatalError
from hansa.protocol.merkle import Leaf, RewardsTree
from hansa.protocol.text import counted
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import ContractError, artifact
from hansa.runtime.chain.bytecode import filled
from hansa.runtime.chain.client import Block, Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.structs import address
from hansa.runtime.identity.credentials import CredentialBook, Found
from hansa.runtime.snapshot import read_job
from hansa.runtime.store import Store

ONE = 10**6  # a reputation of 1
LEAF = ["uint256", "(uint256,uint256,uint256)", "bytes32[]"]


@dataclass(frozen=True)
class ByCredential:
    """One of our admissions by credential."""

    credentials: Address
    schema: bytes
    issuers: tuple[Address, ...]


@dataclass(frozen=True)
class ByReputation:
    """One of our admissions by reputation. minimum: 0…10⁶."""

    federation: Address
    minimum: int
    jobs: tuple[JobId, ...]


@dataclass(frozen=True)
class ByItsOwnRule:
    """Ours for everybody, or anybody's."""


Rule = ByCredential | ByReputation | ByItsOwnRule


def rule_of(chain: Chain, admission: Address) -> Rule:
    """What an admission contract asks for, where it is one of ours. It never changes."""
    code = chain.code(admission)
    if filled("CredentialAdmission", code) is not None:
        credentials, schema, issuers = _ask(chain, "CredentialAdmission", admission, "credentials schema issuers")
        return ByCredential(address(credentials), bytes(schema), tuple(address(issuer) for issuer in issuers))
    if filled("ReputationAdmission", code) is not None:
        federation, minimum, jobs = _ask(chain, "ReputationAdmission", admission, "federation minimum jobs")
        return ByReputation(address(federation), int(minimum), tuple(JobId(int(job)) for job in jobs))
    return ByItsOwnRule()


def enrolment_data(federation: Federation, store: Store, job: JobId, account: Address) -> bytes:
    """What an account shows to be taken as a trainer. FatalError where the job would not take it: before a bond is
    paid."""
    rule = rule_of(federation.chain, federation.terms(job).admission)
    data = _proof(federation, store, job, account, rule) if isinstance(rule, ByReputation) else b""
    if not admits(federation, job, account, data):
        raise refusal(federation, job, account)
    return data


def admits(federation: Federation, job: JobId, account: Address, data: bytes = b"", at: Block | None = None) -> bool:
    """What the admission tells the federation. Without data it is asked as at a submission."""
    function = artifact("IAdmission").functions["admits"]
    reading = (federation.terms(job).admission, function, (job, account, data))
    try:
        return bool(federation.chain.read([reading], at, sender=federation.address)[0][0])
    except ContractError:  # it counts as a no
        return False


def refusal(federation: Federation, job: JobId, account: Address, at: Block | None = None) -> FatalError:
    """Why a job doesn't admit an account, in words, as of a block."""
    admission = federation.terms(job).admission
    rule = rule_of(federation.chain, admission)
    next_step = f"ask the sponsor of job {job} whom its admission {admission} admits"
    cause = "its admission contract says no"
    if isinstance(rule, ByCredential):
        cause = _lacking(CredentialBook(federation.chain, rule.credentials), rule, account, at)
        next_step = f"ask {' or '.join(rule.issuers)} for one: `hansa credential issue {account}`"
    if isinstance(rule, ByReputation):
        cause = "the jobs that it goes by have no leaf of it that can be proved now"
        next_step = "try again when their next round is final, or pick another job"
    return FatalError(f"job {job} does not admit {account}", cause=cause, next_step=next_step)


def _lacking(book: CredentialBook, rule: ByCredential, account: Address, at: Block | None) -> str:
    """What is wrong with the credentials of an account that it is to be admitted by."""
    known = [(issuer, book.newest(issuer, rule.schema, account, at)) for issuer in rule.issuers]
    said = [_fault(issuer, found) for issuer, found in known if found is not None and found.faults]
    schema = f"schema 0x{rule.schema.hex()}"
    return f"its credential of {schema} {'; '.join(said)}" if said else f"it has no credential of {schema}"


def _fault(issuer: Address, found: Found) -> str:
    return f"by {issuer}: {' and '.join(found.faults)}"


def _proof(federation: Federation, store: Store, job: JobId, account: Address, rule: ByReputation) -> bytes:
    """The best of an account's last leaves in the jobs that an admission goes by. FatalError where none is enough."""
    if rule.federation != federation.address:
        raise FatalError(
            f"job {job} does not admit {account}",
            cause=f"its admission goes by jobs of another federation, {rule.federation}",
            next_step="pick another job, and tell the sponsor",
        )
    leaves = ((earlier, last_leaf(federation, store, earlier, account)) for earlier in rule.jobs)
    known = [(earlier, *found) for earlier, found in leaves if found is not None]
    best = max((leaf.reputation for _, leaf, _ in known), default=0)
    if best < rule.minimum or not known:
        raise FatalError(
            f"job {job} does not admit {account}",
            cause=f"in {_jobs(rule.jobs)} it asks for a reputation of {rule.minimum / ONE:.6g}, not {best / ONE:.6g}",
            next_step="train in one of those first, or pick another job",
        )
    earlier, leaf, proof = next(each for each in known if each[1].reputation == best)
    return encode(LEAF, [earlier, tuple(leaf[1:]), proof])


def last_leaf(
    federation: Federation, store: Store, job: JobId, account: Address
) -> tuple[Leaf, Sequence[bytes]] | None:
    """An account's leaf of the last round that a job has finalised, and its proof; None where it has none."""
    if not 1 <= job <= federation.job_count():
        return None
    rounds = read_job(federation, store, job).rounds
    if not rounds or all(leaf.trainer != account for leaf in rounds[-1].leaves):
        return None
    tree = RewardsTree(rounds[-1].leaves)
    return tree.leaf(account), tree.proof(account)


def _jobs(jobs: Sequence[JobId]) -> str:
    return f"job {jobs[0]}" if len(jobs) == 1 else f"one of {counted(len(jobs), 'job')}: {', '.join(map(str, jobs))}"


def _ask(chain: Chain, contract: str, at: Address, functions: str) -> list[Any]:
    known = artifact(contract).functions
    return [answer[0] for answer in chain.read([(at, known[name], ()) for name in functions.split()])]
