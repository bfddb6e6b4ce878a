"""`hansa job post` says who may train; a trainer that isn't among them is told why before it pays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import NAMES, World

from hansa.cli.main import app
from hansa.devnet.anvil import published_key
from hansa.protocol.credential import schema_of
from hansa.protocol.errors import FatalError
from hansa.protocol.types import JobId
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.identity.admission import ByCredential, ByItsOwnRule, ByReputation, enrolment_data, refusal, rule_of
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.keystore import Keyfile
from hansa.runtime.store import open_store

SCHEMA = schema_of("participant")


@pytest.fixture
def here(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    monkeypatch.setenv("HANSA_PASSWORD", "secret")
    world.deployment.save(tmp_path / "deployment.json")
    for name in ("sponsor", "alice", "bob"):
        Keyfile.create(tmp_path / "keys" / f"{name}.json", "secret", published_key(NAMES.index(name)), light=True)
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    usual = ["--task", "heart", "--rounds", "1", "--validators", "alice", "--no-rehearsal", "--account", "sponsor"]
    done = CliRunner().invoke(app, ["job", "post", *usual, *words])
    return done.exit_code, done.output


def posted(*words: str) -> dict[str, Any]:
    code, output = run(*words, "--json")
    assert code == 0, output
    found: dict[str, Any] = json.loads(output[output.index("{") :])
    return found


def why_not(world: World, job: int, name: str = "bob") -> str:
    with pytest.raises(FatalError) as refused:
        enrolment_data(world.federation, open_store(world.deployment.store), JobId(job), world.address(name))
    return str(refused.value)


def test_post__open__is_the_deployments_own(world: World, here: Path) -> None:
    job = posted()
    terms = world.federation.terms(job["job"])
    assert (terms.admission, terms.recheck_admission) == (world.deployment.admission, False)
    assert job["admission"] is None
    assert rule_of(world.chain, terms.admission) == ByItsOwnRule()
    assert enrolment_data(world.federation, open_store(world.deployment.store), job["job"], world.address("bob")) == b""


def test_post__by_credential__deploys_and_trusts_it_and_asks_again(world: World, here: Path) -> None:
    job = posted("--admission", "credential", "--issuer", "alice", "--issuer", "bob", "--schema", "ward-7")
    terms = world.federation.terms(job["job"])
    assert terms.recheck_admission and job["admission"] == terms.admission
    assert terms.admission in Deployment.load(here / "deployment.json").allowed.admissions
    credentials = world.deployment.credentials
    assert credentials is not None
    issuers = (world.address("alice"), world.address("bob"))
    assert rule_of(world.chain, terms.admission) == ByCredential(credentials, schema_of("ward-7"), issuers)


def test_enrol__by_credential__says_what_is_lacking_at_each_point(world: World, here: Path) -> None:
    job = posted("--admission", "credential", "--issuer", "alice")["job"]
    book, bob = CredentialBook.of(world.chain, world.deployment), world.address("bob")
    said = why_not(world, job)
    assert f"job {job} does not admit {bob}: it has no credential of schema 0x{SCHEMA.hex()}" in said
    assert f"ask {world.address('alice')} for one: `hansa credential issue {bob}`" in said

    expires = world.chain.latest().timestamp + 1000
    world.do("alice", book.attest(SCHEMA, bob, expires))
    data = enrolment_data(world.federation, open_store(world.deployment.store), JobId(job), bob)
    assert data == b""
    world.do("alice", book.revoke(book.latest(world.address("alice"), SCHEMA, bob)))
    assert f"by {world.address('alice')}: it is revoked" in why_not(world, job)
    world.do("alice", book.attest(SCHEMA, bob, expires))
    world.pass_time(1000)
    assert "it has expired" in why_not(world, job)


def test_enrol__by_a_contract_of_the_sponsors__says_whom_to_ask(world: World, here: Path) -> None:
    """One that no code of ours explains: the first job's committee, which says nothing of anybody."""
    job = posted("--admission", world.deployment.committee or "")["job"]
    assert f"ask the sponsor of job {job} whom its admission {world.deployment.committee} admits" in str(
        refusal(world.federation, JobId(job), world.address("bob"))
    )


def test_post__by_reputation__names_jobs_and_the_least(world: World, here: Path) -> None:
    earlier = posted()["job"]
    job = posted("--admission", "reputation", "--jobs", f"{earlier},{earlier}", "--min-reputation", "0.3")
    terms = world.federation.terms(job["job"])
    assert not terms.recheck_admission
    rule = ByReputation(world.federation.address, 300_000, (JobId(earlier),))
    assert rule_of(world.chain, terms.admission) == rule
    assert f"in job {earlier} it asks for a reputation of 0.3, not 0; train in one of those first" in why_not(
        world, job["job"]
    )


def test_post__with_an_admission_that_is_there__uses_it(world: World, here: Path) -> None:
    first = posted("--admission", "credential", "--issuer", "alice")
    again = posted("--admission", first["admission"])
    assert again["admission"] == first["admission"] and world.federation.terms(again["job"]).recheck_admission
    never = posted("--admission", first["admission"], "--no-recheck")
    assert not world.federation.terms(never["job"]).recheck_admission


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--admission everybody", "is nothing that admits; use open, credential, reputation"),
        ("--admission credential", "--issuer names nobody"),
        ("--admission credential --issuer nobody", "no keystore is called nobody"),
        ("--admission credential --issuer alice --schema a/b", "is not the name of a schema"),
        ("--issuer alice", "--issuer says nothing where --admission is open; add --admission credential"),
        ("--schema x --admission reputation", "--schema says nothing where --admission is reputation"),
        ("--jobs 1", "--jobs says nothing where --admission is open"),
        ("--admission reputation", "--admission reputation asks for nothing; say which jobs"),
        ("--admission reputation --jobs 1", "asks for nothing"),
        ("--admission reputation --jobs 1 --min-reputation 0", "--min-reputation 0 is out of range"),
        ("--admission reputation --jobs 1 --min-reputation 1.1", "--min-reputation 1.1 is out of range"),
        ("--admission reputation --jobs one --min-reputation 1", "is no list of jobs"),
        ("--admission reputation --jobs 9 --min-reputation 1", "there is no job 9"),
        ("--admission 0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "there is no admission at"),
        ("--admission 0x12", "0x12 is not an address"),
    ],
)
def test_post__what_does_not_go_together__is_refused_before_anything_is_paid(
    world: World, here: Path, words: str, said: str
) -> None:
    before = world.rpc("eth_getTransactionCount", world.address("sponsor"), "latest")
    code, output = run(*words.split())
    assert code == 1 and said in output, output
    assert world.rpc("eth_getTransactionCount", world.address("sponsor"), "latest") == before
