"""Trainers that miss rounds: one rejoins by a relay, another's credential is revoked."""

from __future__ import annotations

from pathlib import Path

from test_audit_chain import OK, Job, sheet, wrong
from worlds import TRAINERS, World

from hansa.audit.archive import write_archive
from hansa.audit.collect import collect
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.types import Code, Digest
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.deploy import create
from hansa.runtime.identity.admission import refusal
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.transactions.sender import Refused
from hansa.runtime.transactions.signer import Signer


def test_audit__rejoins_that_a_relay_sent__hold__alone_and_in_a_bundle(world: World, tmp_path: Path) -> None:
    """Of a trainer that was struck, then absent; and of one that was absent, beside another's update."""
    federation, job = world.federation, Job(world, max_rounds=5)

    def relayed(*calls: Call) -> None:
        bundle = artifact("Federation").functions["multicall"].encode([call.data for call in calls])
        world.do("dave", calls[0] if len(calls) == 1 else Call(federation.address, bundle, "a bundle"))

    def end_round(number: int) -> None:
        job.score(sheet(Code.OK, Code.OK))
        job.decide(bytes([number]) * 32)

    world.enrol(job.id)
    job.round(sheet(Code.OK, Code.OK, Code.MALFORMED))
    job.claim("carol", 1)
    job.open("alice", "bob")
    world.pass_time(601)
    end_round(2)
    job.open("alice")
    relayed(world.signed("carol", federation.rejoin_call(job.id, federation.state(job.id).cycle)))
    world.submit(job.id, "bob")
    end_round(3)
    job.open("alice", "carol")
    assert federation.state(job.id).pending == 1, "everybody is waited for again"
    world.pass_time(601)
    end_round(4)
    job.open("carol")
    state = federation.state(job.id)
    rejoin = world.signed("bob", federation.rejoin_call(job.id, state.cycle))
    update = federation.submit_call(job.id, state.cycle, state.sheets, Digest(b"\x05" * 32))
    relayed(rejoin, world.signed("alice", update))
    end_round(5)
    assert federation.state(job.id).phase.name == "COMPLETED"
    facts = collect(federation, job.id)
    report = audit(facts, job.store)
    assert not wrong(report) and report.checked["penalties"] == 1
    target = tmp_path / "job.hansa"
    write_archive(target, facts, files_with_limits(facts, job.store), job.store)
    archived, _ = audit_archive(target)
    assert not wrong(archived) and archived.checked["signed acts"] == report.checked["signed acts"]


def test_revoked__while_a_cycle_fails__is_not_taken_in_its_retry__and_leaves_with_what_it_earned(world: World) -> None:
    federation, alice, issuer = world.federation, world.address("alice"), world.address("sponsor")
    schema, book = schema_of(PARTICIPANT), CredentialBook.of(world.chain, world.deployment)
    sponsor = Signer(world.chain, world.senders["sponsor"]._account, world.senders["sponsor"].journal)
    admission = create(sponsor, "CredentialAdmission", book.address, schema, [issuer])
    for name in TRAINERS:
        sponsor.do(book.attest(schema, world.address(name), world.chain.latest().timestamp + 10**6))
    job = Job(world, admission=admission, recheck_admission=True, max_rounds=2)
    world.enrol(job.id)
    job.round(OK)
    job.open()
    sponsor.do(book.revoke(book.latest(issuer, schema, alice)))
    job.fail()
    job.open("bob", "carol")
    state = federation.state(job.id)
    update = federation.submit_call(job.id, state.cycle, state.sheets, Digest(b"\x05" * 32))
    found = world.senders["alice"].send(update, key=("test", "revoked"), wait=0)
    assert isinstance(found, Refused) and found.error.name == "Federation_NotAdmitted"
    why = str(refusal(federation, job.id, alice))
    assert f"its credential of schema 0x{schema.hex()} by {issuer}: " in why and "revoked" in why
    assert f"`hansa credential issue {alice}`" in why
    world.pass_time(601)
    job.score(sheet(Code.OK, Code.OK))
    job.decide(b"\x08" * 32)
    assert federation.state(job.id).phase.name == "COMPLETED"

    token = world.deployment.token
    before = federation.token_balance(token, alice)
    job.claim("alice", 1)
    paid = federation.token_balance(token, alice) - before
    world.pass_time(61)
    world.do("bob", federation.claim_bond_call(job.id, alice))
    assert paid > 0 and federation.token_balance(token, alice) - before == paid + 100
    assert not wrong(job.audit())
