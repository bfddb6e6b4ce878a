"""Who trains by a credential, and what taking it back does at each step of a round."""

from __future__ import annotations

import pytest
from brownie import CredentialAdmission, Credentials
from node import call, now, refused, skip_to, word
from terms import BOND, REWARD
from test_credentials import SCHEMA

from hansa.protocol.types import Phase

DAY = 86_400


@pytest.fixture
def credentials(actors):
    return Credentials.deploy({"from": actors["deployer"]})


@pytest.fixture
def issue(credentials, sponsor):
    def issue(subject, expires=None, schema=SCHEMA, by=None, contract=credentials):
        done = contract.attest(schema, subject, expires or now() + 10 * DAY, b"", {"from": by or sponsor})
        return bytes(done.events["CredentialIssued"]["uid"])

    return issue


@pytest.fixture
def admission(actors, credentials, sponsor):
    return CredentialAdmission.deploy(credentials, SCHEMA, [sponsor], {"from": actors["deployer"]})


@pytest.fixture
def job(play, admission, issue, house):
    """Everybody has a credential, and is asked for it at every submission."""
    job = play(admission=admission, recheckAdmission=True, minUpdates=2)
    job.uids = {who: issue(who) for who in house.trainers[:3]}
    return job


def admits(admission, who):
    return call(admission.admits, 1, who.address, b"")


def test_admission__says_what_it_was_made_with(admission, credentials, sponsor):
    assert (admission.credentials(), bytes(admission.schema())) == (credentials, SCHEMA)
    assert admission.issuers() == [sponsor]


@pytest.mark.parametrize("number", [0, 17])
def test_admission__of_too_few_or_many_issuers__is_not_made(actors, credentials, number):
    issuers = [f"0x{place:040x}" for place in range(1, number + 1)]
    with refused("Admission_WrongNumber", number):
        CredentialAdmission.deploy(credentials, SCHEMA, issuers, {"from": actors["deployer"]})


def test_admits__whoever_any_issuer_vouches_for(actors, credentials, issue, sponsor, alice, bob, carol):
    admission = CredentialAdmission.deploy(credentials, SCHEMA, [sponsor, bob], {"from": actors["deployer"]})
    issue(alice, by=bob)
    issue(carol, by=sponsor)
    assert (admits(admission, alice), admits(admission, carol), admits(admission, bob)) == (True, True, False)


def test_enrol__without_a_credential__reverts(play, admission, alice):
    job = play(admission=admission)
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)


def test_enrol__wrong_subject_issuer_or_schema__reverts(play, admission, issue, alice, bob, mallory):
    job = play(admission=admission)
    issue(bob)
    issue(alice, by=mallory)
    issue(alice, schema=word("another schema"))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)


def test_enrol__credential_of_another_contract__reverts(play, actors, admission, issue, alice):
    job = play(admission=admission)
    issue(alice, contract=Credentials.deploy({"from": actors["deployer"]}))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)


def test_enrol__expired__reverts(play, admission, issue, alice):
    job = play(admission=admission)
    end = now() + 50
    issue(alice, end)
    skip_to(end)
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)


def test_enrol__revoked__reverts_until_issued_again(play, admission, credentials, issue, sponsor, alice):
    job = play(admission=admission)
    credentials.revoke(issue(alice), {"from": sponsor})
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)
    issue(alice)
    job.enrol(alice)
    assert job.trainer(alice)[0]


def test_submit__after_the_credential_expired__reverts(job, issue, alice, bob):
    end = now() + 600
    issue(alice, end)
    job.reach(Phase.SUBMIT)
    skip_to(end)
    with refused("Federation_NotAdmitted", job.id, alice):
        job.submit(alice)
    job.submit(bob)


STEPS = (Phase.OPEN, Phase.SUBMIT, Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE)


@pytest.mark.parametrize("step", STEPS, ids=lambda phase: phase.name)
def test_revoked__before_each_step__what_was_admitted_counts(job, credentials, house, sponsor, step, alice, bob, carol):
    """Revoked before SUBMIT it submits nothing; from then on its update counts, and is paid. The next submission is
    refused. Pay and bond leave."""
    job.reach(step)
    credentials.revoke(job.uids[alice], {"from": sponsor})
    early = step in (Phase.OPEN, Phase.SUBMIT)
    if early:
        job.trainers = [bob, carol]
        job.reach(Phase.SUBMIT)
        with refused("Federation_NotAdmitted", job.id, alice):
            job.submit(alice)
        job.leaves = {bob: (REWARD // 2, 0), carol: (REWARD // 2, 0), alice: (0, 0)}
    job.reach(Phase.FINALIZE)
    assert job.state.submitted == (2 if early else 3)
    job.finalize()

    before = house.token.balanceOf(alice)
    job.claim(alice)
    assert house.token.balanceOf(alice) - before == (0 if early else REWARD // 3)

    job.trainers = [bob, carol]
    job.reach(Phase.SUBMIT)
    with refused("Federation_NotAdmitted", job.id, alice):
        job.submit(alice)
    job.stop()
    job.play_to_end()
    skip_to(job.books.slashUntil)
    before = house.token.balanceOf(alice)
    house.vault.claimBond(job.id, alice, {"from": alice})
    assert house.token.balanceOf(alice) - before == BOND


def test_revoked__due_until_it_misses_a_cycle__then_nobody_waits(job, credentials, sponsor, alice, bob, carol):
    job.reach(Phase.FINALIZE)
    job.finalize()
    credentials.revoke(job.uids[alice], {"from": sponsor})
    job.trainers = [bob, carol]
    job.reach(Phase.SUBMIT)
    job.submit(bob)
    job.submit(carol)
    assert job.phase == Phase.SUBMIT, "alice is due: SUBMIT runs to its deadline, once"
    skip_to(job.state.deadline)
    job.play_round().reach(Phase.SUBMIT)
    job.submit(bob)
    job.submit(carol)
    assert job.phase == Phase.SCORE


def test_revoked__where_submissions_are_not_asked_about__goes_on(play, admission, credentials, issue, sponsor, house):
    job = play(admission=admission)
    uids = [issue(who) for who in house.trainers[:3]]
    job.reach(Phase.OPEN)
    for uid in uids:
        credentials.revoke(uid, {"from": sponsor})
    assert job.play_to_end().phase == Phase.COMPLETED


def test_issuer__gone_for_good__keeps_nobody_from_leaving(job, credentials, house, sponsor):
    """Nothing that takes money out asks the admission."""
    job.reach(Phase.OPEN)
    for uid in job.uids.values():
        credentials.revoke(uid, {"from": sponsor})
    while not job.phase.is_over:
        job.trainers = []
        job.step()
    skip_to(job.books.slashUntil)
    for who in house.trainers[:3]:
        before = house.token.balanceOf(who)
        house.vault.claimBond(job.id, who, {"from": who})
        assert house.token.balanceOf(who) - before == BOND
