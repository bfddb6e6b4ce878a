"""Who plays, where, and one job of theirs at any phase."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from brownie import (
    AppointedCommittee,
    Federation,
    MockCommittee,
    OpenAdmission,
    RewardToken,
    StakedCommittee,
    Terms,
    Vault,
    accounts,
    chain,
    network,
    project,
    web3,
)
from brownie.network.account import Account
from drive import Job
from house import House
from node import Settled, keep_only, now, quicken, rpc, skip_to
from pools import EPOCH, Links, pool_terms, stake
from reports import UNITS

from hansa.protocol.types import Phase

SUPPLY = 10**30


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore:rpc.revert should not be called directly:FutureWarning")


@pytest.fixture(scope="session")
def actors() -> dict[str, Account]:
    """By name. The validators are named in the order of their seats."""
    named = dict(zip(("deployer", "sponsor", "alice", "bob", "carol", "dave", "mallory"), accounts, strict=False))
    rest = sorted(accounts[7:12], key=lambda account: int(account.address, 16))
    return named | dict(zip(("vera", "victor", "viola", "vito", "vivian"), rest, strict=True))


@pytest.fixture(scope="session")
def house(actors: dict[str, Account]) -> House:
    network.max_fee("100 gwei")
    network.priority_fee("1 gwei")
    network.gas_limit(8_000_000)
    web3.middleware_onion.add(Settled, name="settled")
    web3.middleware_onion.remove("validation")  # it asks for the chain's id at every call
    quicken()
    rpc("anvil_setBlockTimestampInterval", 1)
    by = {"from": actors["deployer"]}
    validators = [actors[name] for name in ("vera", "victor", "viola", "vito", "vivian")]
    trainers = [actors[name] for name in ("alice", "bob", "carol", "dave")]
    Terms.deploy(by)
    federation = Federation.deploy(by)
    token = RewardToken.deploy(SUPPLY, by)
    committees = {n: AppointedCommittee.deploy(validators[:n], by) for n in range(1, 6)}
    for account in (actors["sponsor"], actors["mallory"], *trainers, *validators):
        token.transfer(account, 10**24, by)
        token.approve(federation.vault(), 2**256 - 1, {"from": account})
    house = House(
        federation=federation,
        vault=Vault.at(federation.vault()),
        token=token,
        admission=OpenAdmission.deploy(by),
        committees=committees,
        sponsor=actors["sponsor"],
        trainers=trainers,
        validators=validators,
    )
    keep_only({contract.address for container in project.get_loaded_projects()[0] for contract in container})
    gc.collect()
    gc.freeze()  # brownie collects garbage at every revert of the chain
    return house


@pytest.fixture(autouse=True)
def isolation(house: House) -> Iterator[None]:
    """Every test begins with the contracts as they were deployed. (Brownie's own fixture would remove them.)"""
    chain.snapshot()
    yield
    chain.revert()
    rpc("anvil_dropAllTransactions")  # of one that was just mined the pool may not have heard yet


@pytest.fixture
def play(house: House) -> Iterator[Callable[..., Job]]:
    """`play(Phase.REVEAL, seats=5)`: a job with such terms at such a phase. Its books are checked after the test."""
    jobs: list[Job] = []

    def post(phase: Phase = Phase.ENROL, **terms: Any) -> Job:
        job = Job(house, **terms)
        job.post()
        jobs.append(job)
        return job.reach(phase)

    yield post
    for job in jobs:
        job.check_books()
    tokens = {job.token.address: job.token for job in jobs}
    for address, token in tokens.items():
        held = sum(job.holding for job in jobs if job.token.address == address)
        assert token.balanceOf(house.vault) == held, "the vault holds what its books say"


@pytest.fixture
def mock(house: House, actors: dict[str, Account]) -> Any:
    """A committee contract that does what it is told to; three honest members at first."""
    return MockCommittee.deploy(house.validators[:3], {"from": actors["deployer"]})


@pytest.fixture
def pool(house: House, mallory: Account) -> Any:
    """Of eight stakers, all of whom count already."""
    pool = StakedCommittee.deploy(pool_terms(house), {"from": mallory})
    stake(house, pool, dict.fromkeys(accounts[12:20], UNITS))
    skip_to((now() // EPOCH + 1) * EPOCH)
    return pool


@pytest.fixture
def begin(play: Callable[..., Job], pool: Any) -> Callable[..., tuple[Job, Links]]:
    """A job of the pool in SUBMIT of its first cycle, with its links."""

    def post(**terms: Any) -> tuple[Job, Links]:
        job = play(Phase.OPEN, committee=pool, **({"seats": 4, "quorum": 3, "maxFailures": 9} | terms))
        job.members = list(accounts[12:20])
        links = Links(job)
        links.open()
        return job, links

    return post


def _actor(name: str) -> Any:
    @pytest.fixture(scope="session", name=name)
    def find(actors: dict[str, Account]) -> Account:
        return actors[name]

    return find


sponsor, alice, bob, carol, dave, mallory = map(_actor, ("sponsor", "alice", "bob", "carol", "dave", "mallory"))
vera, victor, viola, vito, vivian = map(_actor, ("vera", "victor", "viola", "vito", "vivian"))
