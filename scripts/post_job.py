"""Posts a job with brownie on the deployment that HANSA_DIR (default .hansa) holds, as `hansa job post` does.

    brownie run post_job main 0xVALIDATOR,0xVALIDATOR,0xVALIDATOR --network anvil
    brownie run post_job main VALIDATORS heart 4 15 my-account --network sepolia

Arguments: validators' addresses, task, trainers, rounds, account. Amounts and times are the constants below.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from brownie import AppointedCommittee, Federation, RewardToken

from hansa.protocol.types import Wei
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.deploy import trusting
from hansa.runtime.store import open_store
from hansa.sponsor.post import prepare
from hansa.sponsor.terms import JobOffer, job_terms
from scripts.deploy import signer

TOKEN = 10**18
REWARD, FEE, BOND, PENALTY = (Wei(amount * TOKEN) for amount in (100, 5, 100, 25))


def main(
    validators: str, task: str = "heart", trainers: str = "4", rounds: str = "15", account: str | None = None
) -> None:
    file = Path(os.environ.get("HANSA_DIR", ".hansa")) / "deployment.json"
    deployment = Deployment.load(file)
    sender = {"from": signer(account)}
    federation, token = Federation.at(deployment.federation), RewardToken.at(deployment.token)

    prepared = prepare(task, seed=0)
    store = open_store(deployment.store, deployment.expanded)
    spec, model = store.put(prepared.spec.encode()), store.put(prepared.model.encode())

    members = validators.split(",")
    offer = JobOffer(
        trainers=int(trainers),
        seats=len(members),
        rounds=int(rounds),
        reward=REWARD,
        fee=FEE,
        bond=BOND,
        penalty=PENALTY,
    )
    committee = AppointedCommittee.deploy(members, sender)
    terms = job_terms(
        offer,
        token=deployment.token,
        committee=committee.address,
        admission=deployment.admission,
        spec=spec,
        model=model,
    )
    if 0 < token.allowance(sender["from"], deployment.vault) < offer.escrow:
        token.approve(deployment.vault, 0, sender)  # some tokens change no approval that is not zero
    token.approve(deployment.vault, offer.escrow, sender)
    posted = federation.post(dataclasses.astuple(terms), offer.escrow, sender)
    trusting(deployment, committee.address).save(file)
    job = posted.events["JobPosted"]["job"]
    print(f"Posted job {job}: {offer.escrow // TOKEN} tokens in escrow. Its committee is in {file} now.")
