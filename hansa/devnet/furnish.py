"""What a local chain has beside contracts and accounts, so that a job of a kind can be posted at once."""

from __future__ import annotations

import shlex

from eth_account import Account

from hansa.devnet.admissions import LEAST, vouch
from hansa.devnet.anvil import Anvil, published_address, published_key
from hansa.devnet.folder import Devnet
from hansa.devnet.gasless import take_coin
from hansa.devnet.pools import UNIT, place_committee
from hansa.devnet.setup import Setup, offer_of
from hansa.protocol.types import Address
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.deploy import trusting
from hansa.runtime.identity.admission import ONE
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import signing_with
from hansa.runtime.workspace import Workspace
from hansa.sponsor.committees import APPOINTED, COUPLED, PoolRules
from hansa.sponsor.post import PreparedJob, prepare
from hansa.sponsor.privacy import with_privacy

TASK, PARTIES = "heart", 4  # what its job trains, and how many parties that has
POOL = PoolRules(unit=UNIT, minimum=100, epoch=1, report=60, shortest=1)
RELAY = "127.0.0.1:9545"


def furnish(workspace: Workspace, anvil: Anvil, made: Devnet, deployment: Deployment) -> Address | None:
    """Fills a pool, vouches for the trainers, takes their coin, as the folder's mark asks; the pool, None without one.
    FatalError where the chain can't carry what is asked for."""
    setup, names = made.setup, made.names
    accounts = {name: published_address(place) for place, name in enumerate(names)}
    trainers = [account for name, account in accounts.items() if name.startswith("trainer")]
    validators = [account for name, account in accounts.items() if name.startswith("validator")]
    session, sponsor, pool = Session(deployment), Account.from_key(published_key(0)), None
    with signing_with(session.chain, sponsor, workspace.journal(sponsor.address)) as signer:
        if setup.stakers:
            prepared = _prepared(setup)
            offer = offer_of(setup, prepared, {})
            pool = place_committee(session, workspace, signer, setup, offer, prepared, validators, POOL)
        if setup.admission == "credential":
            vouch(session, signer, trainers)
    if setup.gasless:
        take_coin(anvil, trainers)
    session.chain.close()
    if pool is not None:
        trusting(deployment, pool).save(workspace.deployment_file)
    return pool


def post_command(setup: Setup, pool: Address | None) -> str:
    """What posts the job that all of it is for."""
    words = ["hansa", "job", "post", "--task", TASK, "--account", "sponsor"]
    if appointed := [f"validator-{number}" for number in range(1, setup.appointed + 1)]:
        words += ["--validators", ",".join(appointed)]
    if setup.consensus != APPOINTED:
        words += ["--consensus", setup.consensus, "--seats", str(setup.validators)]
    if setup.consensus == COUPLED:
        words += ["--min-updates", str(setup.min_updates)]
    if pool is not None:
        words += ["--committee", pool]
    if setup.trainers not in (0, PARTIES):
        words += ["--trainers", str(setup.trainers), "--set", f"parties={setup.trainers}"]
    return shlex.join(words)


def next_commands(setup: Setup, pool: Address | None, where: str) -> list[str]:
    """What to type in other terminals, first what posts a job; then what a usual job would not need. where: --dir as a
    suggested command needs it."""
    post = post_command(setup, pool)
    commands = [post]
    if setup.admission == "credential":
        commands = [f"{post} --admission credential --issuer sponsor"]
    if setup.gasless:
        commands.append(f"hansa aggregator run --job 1 --account validator-1 --relay {RELAY}")
        commands.append(f"hansa trainer run --job 1 --account trainer-1 --source 0 --gasless --relay http://{RELAY}")
    if setup.admission == "reputation":  # job 1, open to everybody, is where it is earned
        commands.append(f"{post} --admission reputation --jobs 1 --min-reputation {LEAST / ONE:g}")
    return [f"{command}{where}" for command in commands]


def _prepared(setup: Setup) -> PreparedJob:
    """The job as `post_command` makes it: a pool serves no other."""
    own = {} if setup.trainers in (0, PARTIES) else {"parties": setup.trainers}
    prepared = prepare(TASK, seed=0, settings=own)
    return with_privacy(prepared, offer_of(setup, prepared, {}), setup.privacy)[0]
