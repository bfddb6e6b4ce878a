"""What `hansa job show` says of a job's committee, its admission, and whose rows its members measure on."""

from __future__ import annotations

from worlds import MEMBERS, World

from hansa.cli.doctor.contracts import party_problems
from hansa.cli.job.parties import MEASURES, CommitteeView, PartiesView, view_parties, who_becomes_one
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.dialects import Randomness
from hansa.runtime.chain.pool import PoolTerms
from hansa.runtime.deploy import create
from hansa.runtime.transactions.signer import Signer

SPEC = JobSpec(task="heart", steps=1, bits=8, rule="mean", weights="equal", model_bytes=1, update_bytes=1)


def shown(world: World, spec: JobSpec | None = SPEC, **terms: object) -> PartiesView:
    job = world.post(**terms)
    federation = world.federation
    return view_parties(federation, job, federation.terms(job), federation.state(job), spec)


def sponsor(world: World) -> Signer:
    return Signer(world.chain, world.senders["sponsor"]._account, world.senders["sponsor"].journal)


def pool(world: World, name: str, *more: object) -> Address:
    made, us = world.deployment, world.address("sponsor")
    terms = PoolTerms(made.federation, made.token, 1, 1, 1, 60, 1, 600, 0, 24, (us,), (world.terms.spec,))  # type: ignore[arg-type]
    return create(sponsor(world), name, terms.values(), *more)


def test_committee__of_each_kind__is_told_with_who_decides(world: World) -> None:
    alice, bob = sorted(map(world.address, ("alice", "bob")), key=str.lower)
    members = sorted(map(world.address, MEMBERS), key=str.lower)
    usual = shown(world).committee
    assert (usual.kind, usual.appointed, usual.stakers) == ("appointed", members, None)
    assert usual.says.startswith(f"appointed: the sponsor named {', '.join(members)} for every attempt; ")
    staked = pool(world, "StakedCommittee")
    found = shown(world, committee=staked).committee
    assert (found.kind, found.contract, found.appointed, found.stakers) == ("staked", staked, [], 0)
    seats = f"{world.terms.seats} seats"
    assert f"staked: {seats}, drawn by stake from 0 stakers of the pool {staked} anew in every attempt" in found.says
    found = shown(world, committee=pool(world, "HybridCommittee", [alice, bob])).committee
    assert (found.kind, found.appointed) == ("hybrid", [alice, bob])
    assert f"hybrid: {seats}, of which 2 for {alice}, {bob}, the others drawn by stake" in found.says
    found = shown(world, committee=create(sponsor(world), "TrainerCommittee")).committee
    assert found.says.startswith(f"coupled: {seats}, drawn from the job's own trainers anew in every attempt; ")
    found = shown(world, committee=world.deployment.token).committee
    assert found.says.startswith(f"other: the contract {world.deployment.token} fills {seats} by a rule of its own")
    assert all(view.says.endswith(f"; {world.terms.quorum} must agree") for view in (usual, found))


def test_admission_of_each_kind__and_whose_rows__are_told_in_a_line(world: World) -> None:
    issuer, credentials = world.address("sponsor"), world.deployment.credentials
    assert shown(world).admission.says == "open: everybody"
    named = create(sponsor(world), "CredentialAdmission", credentials, schema_of(PARTICIPANT), [issuer])
    found = shown(world, admission=named, recheck_admission=True).admission
    assert found.says == f"credential: who has one of schema participant by {issuer}; asked again at every submission"
    assert (found.kind, found.issuers, found.schema, found.recheck) == ("credential", [issuer], "participant", True)
    other = create(sponsor(world), "CredentialAdmission", credentials, b"\7" * 32, [issuer])
    assert f"of schema 0x{'07' * 32} by {issuer}" in shown(world, admission=other).admission.says
    known = create(sponsor(world), "ReputationAdmission", world.deployment.federation, 300_000, [1, 2])
    found = shown(world, admission=known).admission
    assert found.says == "reputation: who has 0.3 or more in jobs 1, 2"
    assert (found.kind, found.jobs, found.minimum, found.recheck) == ("reputation", [1, 2], 300_000, False)
    away = create(sponsor(world), "ReputationAdmission", world.deployment.token, 1, [7])
    assert shown(world, admission=away).admission.says.endswith(
        f"in job 7 of another federation, {world.deployment.token}"
    )
    for validation, said in MEASURES.items():
        assert shown(world, SPEC.model_copy(update={"validation": validation})).measures == said
    assert shown(world, None).measures is None
    strange = shown(world, admission=world.deployment.token).admission
    assert strange.says == f"other: whom the contract {world.deployment.token} takes by a rule of its own"


def test_doctor__finds_a_committee_that_is_drawn_with_what_somebody_can_choose(world: World) -> None:
    federation = world.federation
    appointed, staked = world.post(), world.post(committee=pool(world, "StakedCommittee"))
    coupled = world.post(committee=create(sponsor(world), "TrainerCommittee"))

    def found(job: JobId, drawn: Randomness) -> list[str]:
        return list(party_problems(federation, job, drawn))

    for drawn in Randomness:
        assert found(appointed, drawn) == found(coupled, drawn) == []
    assert found(staked, Randomness.RANDAO) == []
    for drawn in (Randomness.PARENT_HASH, Randomness.CONSTANT):
        [problem] = found(staked, drawn)
        assert problem.startswith(f"job {staked}: this chain can't carry a staked committee: ")
        assert "post with appointed" in problem


def test_who_can_see_an_update__is_whoever_may_be_drawn() -> None:
    def of(kind: str) -> str:
        return who_becomes_one(CommitteeView(Address("0x"), kind, [], None, ""))

    assert of("appointed") == ""
    assert "Anybody who stakes" in of("staked") and "Anybody who stakes" in of("hybrid")
    assert "Every trainer" in of("coupled") and "its committee's contract alone" in of("other")
