"""The committee contract of a local federation's job, and the stakes in it."""

from __future__ import annotations

from collections.abc import Sequence

from eth_account import Account
from eth_account.signers.local import LocalAccount

from hansa.devnet.anvil import published_key
from hansa.devnet.setup import Setup
from hansa.protocol import envelope
from hansa.protocol.types import Address
from hansa.runtime import keystore
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.pool import NEW_LEAF, Pool
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import Signer, signing_with
from hansa.runtime.workspace import Workspace
from hansa.sponsor.admission import AdmissionChoice
from hansa.sponsor.committees import (
    APPOINTED,
    Consensus,
    PoolRules,
    check_consensus,
    check_randomness,
    deploy_committee,
)
from hansa.sponsor.post import PostedJob, PreparedJob, post_job
from hansa.sponsor.terms import JobOffer

UNIT = 10**18
RULES = PoolRules(unit=UNIT, minimum=100, epoch=1, report=60)


def post_with_committee(
    session: Session,
    workspace: Workspace,
    signer: Signer,
    setup: Setup,
    offer: JobOffer,
    prepared: PreparedJob,
    validators: Sequence[Address],
    choice: AdmissionChoice,
) -> PostedJob:
    """Posts the job, with the contract that appoints or draws its committees, and stakes in that. validators: those
    appointed, then those who stake."""
    committee = None
    if setup.consensus != APPOINTED:
        committee = place_committee(session, workspace, signer, setup, offer, prepared, validators)
    return post_job(session, signer, prepared, offer, validators, committee=committee, choice=choice)


def place_committee(
    session: Session,
    workspace: Workspace,
    signer: Signer,
    setup: Setup,
    offer: JobOffer,
    prepared: PreparedJob,
    validators: Sequence[Address],
    rules: PoolRules = RULES,
) -> Address:
    """The contract that draws the committees of such a job; a pool is filled. FatalError where its terms or this
    chain's randomness are no good for that."""
    consensus = Consensus(setup.consensus, setup.validators, tuple(validators[: setup.appointed]))
    check_consensus(consensus, offer)
    check_randomness(session.chain, consensus)
    committee = deploy_committee(session, signer, consensus, offer, prepared, rules)
    first = 1 + setup.trainers + setup.appointed
    stakers = [Account.from_key(published_key(first + place)) for place in range(setup.stakers)]
    fill_pool(session, workspace, committee, stakers)
    return committee


def fill_pool(session: Session, workspace: Workspace, at: Address, stakers: Sequence[LocalAccount]) -> None:
    """Each announces its key and stakes; the later ones more."""
    pool, token = Pool(session.chain, at), session.deployment.token
    for place, account in enumerate(stakers):
        key = envelope.public_key(keystore.encryption_secret(account))
        amount = (RULES.minimum + 10 * place) * RULES.unit
        with signing_with(session.chain, account, workspace.journal(account.address)) as signer:
            signer.do(session.federation.announce_key_call(key))
            signer.do(approve_call(token, at, amount))
            signer.do(pool.stake_call(amount, NEW_LEAF))
