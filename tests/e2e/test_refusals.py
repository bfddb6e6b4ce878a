"""What a trainer refuses before it has paid anything, and committees that never answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eth_account import Account
from federations import Observed, balance, federation
from hostile import cast

from aggregator.validator import Validator
from client import TrainerConfig
from client.trainer import Trainer
from hansa.devnet.anvil import published_key
from hansa.protocol.errors import FatalError, Malformed, NotAllowed, WrongChain
from hansa.protocol.model import initial_model
from hansa.protocol.privacy import NOT_APPOINTED
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.chain.calls import Call, approve_call
from hansa.runtime.chain.deployment import Allowed
from hansa.runtime.chain.structs import address
from hansa.runtime.deploy import create
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.job import JobContext
from hansa.sponsor.terms import job_terms


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    with federation(tmp_path_factory.mktemp("lab"), rounds=1, times={"enrol": 15}) as made:
        yield made


def post(lab: Observed, *, spec: bytes | None = None, model: bytes | None = None, **changes: Any) -> JobId:
    """Posts a job of the lab's sponsor with other files, or another committee."""
    store = lab.session.store
    terms = job_terms(
        lab.offer,
        token=lab.session.deployment.token,
        committee=lab.posted.committee,
        admission=lab.session.deployment.admission,
        spec=lab.posted.spec if spec is None else store.put(spec),
        model=lab.posted.model if model is None else store.put(model),
    )
    with lab.sponsor() as signer:
        signer.do(approve_call(terms.token, lab.session.deployment.vault, lab.offer.escrow))
        receipt = signer.do(lab.session.federation.post_call(replace(terms, **changes), lab.offer.escrow))
    return lab.session.federation.posted_in(receipt)


def refusal(lab: Observed, tmp_path: Path, job: JobId, **changes: Any) -> FatalError:
    """Why trainer-1 does not take part in a job; it has paid nothing."""
    before = balance(lab, "trainer-1")
    fields: dict[str, Any] = {"deployment": lab.session.deployment, "source": "0", **changes}
    account = Account.from_key(published_key(1))
    with pytest.raises(FatalError) as refused:
        Trainer(TrainerConfig(account=account, journal=tmp_path / "j.sqlite", job=job, **fields)).run()
    assert balance(lab, "trainer-1") == before
    assert lab.session.federation.trainer(job, lab.address("trainer-1")) == (False, 0, 0)
    assert refused.value.exit_code != 0
    return refused.value


def model_with(lab: Observed, value: float) -> bytes:
    """Model 0 with its first number overwritten; our own encoder would not write it."""
    data = bytearray(lab.prepared.model.encode())
    start = 8 + int.from_bytes(data[:8], "little")
    data[start : start + 4] = np.float32(value).tobytes()
    return bytes(data)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0, 1e-40])
def test_model_0_with_a_number_that_is_none(lab: Observed, tmp_path: Path, value: float) -> None:
    error = refusal(lab, tmp_path, post(lab, model=model_with(lab, value)))
    assert isinstance(error, Malformed) and "holds NaN, Inf, −0 or a subnormal" in str(error)


def test_model_0_that_is_none_at_all(lab: Observed, tmp_path: Path) -> None:
    error = refusal(lab, tmp_path, post(lab, model=b"\x80\x04cos\nsystem\n(S'false'\ntR."))
    assert isinstance(error, Malformed)


def test_model_0_of_another_task(lab: Observed, tmp_path: Path) -> None:
    other = initial_model({"w": np.zeros(3, np.float32)}, lab.prepared.model.bits)
    assert "does not train" in str(refusal(lab, tmp_path, post(lab, model=other.encode())))


def test_model_0_larger_than_the_spec_says(lab: Observed, tmp_path: Path) -> None:
    small = lab.prepared.spec.model_copy(update={"model_bytes": 100}).encode()
    assert "larger than the 100 bytes allowed" in str(refusal(lab, tmp_path, post(lab, spec=small)))


def test_spec_with_a_field_that_nobody_knows(lab: Observed, tmp_path: Path) -> None:
    spec = lab.prepared.spec.encode().replace(b"{", b'{"a_wish":1,', 1)
    error = refusal(lab, tmp_path, post(lab, spec=spec))
    assert isinstance(error, Malformed) and "a_wish" in str(error)


def test_files_over_ones_own_limit(lab: Observed, tmp_path: Path) -> None:
    error = refusal(lab, tmp_path, lab.posted.job, max_bytes=1000)
    assert isinstance(error, NotAllowed) and "--max-bytes" in str(error)


@pytest.mark.parametrize("kind", ["tokens", "committees", "admissions", "tasks"])
def test_what_the_user_does_not_trust(lab: Observed, tmp_path: Path, kind: str) -> None:
    trusted = lab.session.deployment.allowed.model_dump() | {kind: []}
    deployment = lab.session.deployment.updated(allowed=Allowed.model_validate(trusted).model_dump())
    job = lab.posted.job
    if kind == "tasks":
        fields = {**lab.prepared.spec.model_dump(), "task": "os:system"}
        job = post(lab, spec=JobSpec(**fields).encode())
    error = refusal(lab, tmp_path, job, deployment=deployment)
    assert isinstance(error, NotAllowed) and "--allow" in str(error)


def test_wrong_chain_under_a_known_address(lab: Observed, tmp_path: Path) -> None:
    with pytest.raises(WrongChain, match="is chain 31337, not 5"):
        deployment = lab.session.deployment.updated(chain_id=5)
        account = Account.from_key(published_key(1))
        journal = tmp_path / "j.sqlite"
        Trainer(TrainerConfig(deployment=deployment, account=account, journal=journal, job=lab.posted.job, source="0"))


# --- masked jobs of a sponsor that asks nobody


def post_masked(lab: Observed, committee: Address) -> JobId:
    """A masked job whose terms are all as they must be, its committee aside."""
    fields = {"privacy": "masked", "group": 3, "shares": 2, "rule": "mean"}
    spec = lab.prepared.spec.model_copy(update=fields).encode()
    return post(lab, spec=spec, committee=committee, threshold=2, attest_time=60, release_time=60)


def drawn(lab: Observed) -> Address:
    with lab.sponsor() as signer:
        return create(signer, "TrainerCommittee")


def context_of(lab: Observed, job: JobId) -> JobContext:
    return JobContext.read(lab.session.federation, lab.session.store, job)


@pytest.mark.parametrize("kind", ["drawn", "unknown"])
def test_masked_job__whose_committee_is_not_appointed__gets_no_update_and_no_member(
    lab: Observed, tmp_path: Path, kind: str
) -> None:
    committee = drawn(lab) if kind == "drawn" else deploy(lab, RUNTIMES["returns nothing"])
    job, allowed = post_masked(lab, committee), lab.session.deployment.allowed
    trusted = {**allowed.model_dump(), "committees": [*allowed.committees, committee]}
    deployment = lab.session.deployment.updated(allowed=trusted)
    said = str(refusal(lab, tmp_path, job, deployment=deployment))
    assert f"job {job} is not what its privacy masked asks for: {NOT_APPOINTED}" in said and "pick another job" in said
    member = DaemonConfig(
        deployment=deployment, account=Account.from_key(published_key(5)), journal=tmp_path / "m.sqlite", job=job
    )
    with pytest.raises(NotAllowed, match="must be an appointed one"):
        Validator(member)


def test_masked_job__of_an_appointed_committee__is_allowed(lab: Observed) -> None:
    context = context_of(lab, post_masked(lab, lab.posted.committee))
    context.check_allowed(lab.session.chain, lab.session.deployment, (), 10**9)


# --- committees

RUNTIMES = {
    "reverts": "60006000fd",
    "returns nothing": "00",
    "returns garbage": "61034060006000376103406000f3",  # 832 zero bytes
    "burns all gas": "5b600056",
}


def deploy(lab: Observed, runtime: str) -> Address:
    code = bytes.fromhex(runtime)
    creation = bytes([0x60, len(code), 0x80, 0x60, 0x0B, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + code
    with lab.sponsor() as signer:
        receipt = signer.do(Call(None, creation, "deploy a committee"))
    return address(receipt["contractAddress"])


def test_committee_that_never_answers__freezes_nobodys_tokens(tmp_path: Path) -> None:
    """Four jobs with four bad committees, a trainer each: all end, and everybody has what is theirs."""
    with federation(tmp_path, rounds=1, times={"open": 3, "enrol": 60}, failures=2) as lab:
        before = {name: balance(lab, name) for name in lab.names}
        jobs: dict[str, JobId] = {}
        for name, runtime in zip(list(lab.workers)[:4], RUNTIMES.values(), strict=True):
            committee = deploy(lab, runtime)
            allowed = lab.session.deployment.allowed
            trusted = {**allowed.model_dump(), "committees": [*allowed.committees, committee]}
            job = post(lab, committee=committee, max_trainers=1, min_updates=1)
            lab.session.deployment = lab.session.deployment.updated(allowed=trusted)
            lab.workers[name].arguments[0].fields.update(job=job, deployment=lab.session.deployment)
            cast(lab, name, "Trainer")
            lab.start(name)
            jobs[name] = job
        for name, job in jobs.items():
            assert lab.workers[name].join(60.0), name
            assert lab.workers[name].exit_code == 0, lab.workers[name].last_words()
            state = lab.session.federation.state(job)
            assert (state.phase, state.cycle, state.failures) == (Phase.ABORTED, 0, 2), name
            assert balance(lab, name) == before[name]
            with lab.sponsor() as signer:
                signer.do(lab.session.federation.claim_rest_call(job))
            books = lab.session.federation.books(job)
            assert (books.refunded, books.bonded, books.burnt) == (books.escrowed, 0, 0)
        assert balance(lab, "sponsor") == before["sponsor"]
