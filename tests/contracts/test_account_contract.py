"""An account that is a contract outlives its key: enrolment, seat, credential and pay stay with its address."""

from __future__ import annotations

import pytest
from brownie import AppointedCommittee, CredentialAdmission, Credentials, DidRegistry, PlainAccount
from node import now, refused, skip_to, word
from terms import BOND, REWARD
from test_credentials import SCHEMA

from hansa.protocol.types import Phase


class ContractAccount:
    """Acts as brownie's accounts do where tests ask for `from`: each call goes through `execute`, sent by the key."""

    def __init__(self, contract, key):
        self.contract, self.key, self.address = contract, key, contract.address

    def do(self, method, *arguments):
        return self.contract.execute(method._address, method.encode_input(*arguments), {"from": self.key})


@pytest.fixture
def account(actors, house, alice, bob):
    """Alice's key; bob guards it."""
    made = ContractAccount(PlainAccount.deploy(alice, bob, {"from": actors["deployer"]}), alice)
    house.token.transfer(made.address, 1000, {"from": actors["deployer"]})
    made.do(house.token.approve, house.vault, 2**256 - 1)
    return made


def test_key__lost__guardian_names_another(account, alice, bob, mallory):
    with refused("NotAllowed", mallory):
        account.contract.setOwner(mallory, {"from": mallory})
    account.contract.setOwner(mallory, {"from": bob})
    with refused("NotAllowed", alice):
        account.contract.execute(account.address, b"", {"from": alice})


def test_trainer__with_another_key__is_paid(actors, play, house, account, carol, dave, mallory, sponsor, bob):
    credentials = Credentials.deploy({"from": actors["deployer"]})
    admission = CredentialAdmission.deploy(credentials, SCHEMA, [sponsor], {"from": actors["deployer"]})
    for who in (account.address, carol, dave):
        credentials.attest(SCHEMA, who, now() + 10**6, b"", {"from": sponsor})
    job = play(admission=admission, recheckAdmission=True, maxRounds=1)
    account.do(house.federation.enrol, job.id, job.terms_hash, BOND, b"")
    job.trainers = [carol, dave]
    job.reach(Phase.SUBMIT)

    account.contract.setOwner(mallory, {"from": bob})  # the key is lost in mid-job
    account.key = mallory
    account.do(house.federation.submit, job.id, job.cycle, job.seed, word("update"))
    for who in (carol, dave):
        job.submit(who)
    job.leaves = {account: (REWARD // 3, 0), carol: (REWARD // 3, 0), dave: (REWARD // 3, 0)}
    job.play_to_end()

    before = house.token.balanceOf(account.address)
    house.vault.claim(job.id, account.address, job.claims(account, [1]), {"from": carol})
    skip_to(job.books.slashUntil)
    account.do(house.vault.claimBond, job.id, account.address)
    assert house.token.balanceOf(account.address) - before == REWARD // 3 + BOND


def test_member__with_another_key__keeps_seat_and_fees(actors, play, house, account, vera, victor, bob, mallory):
    members = [account, vera, victor]
    committee = AppointedCommittee.deploy([who.address for who in members], {"from": actors["deployer"]})
    job = play(committee=committee, maxRounds=1)
    job.members = [vera, victor]
    job.reach(Phase.SCORE)
    commitment = job.commitment_of(account)
    seat = job.seat_of(account)
    account.do(house.federation.commitScores, job.id, job.cycle, seat, commitment)
    for who in (vera, victor):
        job.commit(who)

    account.contract.setOwner(mallory, {"from": bob})
    account.key = mallory
    salt, sheet = job.salt_of(account), job.sheet_of(account)
    account.do(house.federation.revealScores, job.id, job.cycle, seat, sheet, salt)
    for who in (vera, victor):
        job.reveal(who)
    job.reach(Phase.VOTE)
    for who in (vera, victor):
        job.vote(who)
    method, arguments, _ = job.draft("vote", account)
    account.do(method, *arguments)
    job.reach(Phase.FINALIZE).play_to_end()
    assert job.phase == Phase.COMPLETED

    before = house.token.balanceOf(account.address)
    house.federation.claimFees(job.id, seat, {"from": vera})
    assert house.token.balanceOf(account.address) - before == job.terms.feePerSeat


def test_identity__of_a_contract__is_changed_by_whoever_holds_its_key(actors, account, alice, bob, mallory):
    registry = DidRegistry.deploy({"from": actors["deployer"]})
    name = b"did/pub/X25519/enc/base64".ljust(32, b"\0")
    account.do(registry.setAttribute, account.address, name, b"key", 1000)
    account.contract.setOwner(mallory, {"from": bob})
    account.key = mallory
    account.do(registry.revokeAttribute, account.address, name, b"key")
    assert registry.identityOwner(account.address) == account.address
