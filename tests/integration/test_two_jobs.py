"""One account in two jobs of one token: both bonds come out of the same allowance."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from worlds import NAMES, World

from client.trainer import Trainer
from hansa.devnet.anvil import published_key
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import JobId
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import JobState
from hansa.runtime.participant import Participant
from hansa.runtime.store import open_store

SPEC = JobSpec(task="heart", steps=1, model_bytes=100_000, update_bytes=100_000, rule="mean")
BOND = 100


@dataclass(frozen=True)
class Config:
    deployment: Deployment
    account: LocalAccount
    journal: Path
    job: JobId
    log_file: Path | None = None
    allow: frozenset[str] = frozenset()
    max_bytes: int = 2**20
    keep_models: int | None = None
    bond: int | None = None
    min_claim: int = 3600


class Enroller(Trainer):
    """A trainer that does nothing but enrol. `meanwhile`: who acts between its approval and its enrolment, once."""

    meanwhile: Participant | None = None

    def __init__(self, config: Config) -> None:
        Participant.__init__(self, config)
        self.config = config  # type: ignore[assignment]

    def act(self, state: JobState) -> bool:
        return self.enrolled() or self._enrol(state)

    def enrolled(self) -> bool:
        return self.federation.trainer(self.job, self.me)[0]

    def _check_model(self) -> None:
        return

    def pay_in(self, amount: int) -> None:
        super().pay_in(amount)
        if (other := self.meanwhile) is not None:
            self.meanwhile = None
            other.once()


@pytest.fixture
def both(world: World) -> Iterator[tuple[Enroller, Enroller]]:
    """alice's daemons in two jobs, each with a journal of its own."""
    spec = open_store(world.deployment.store).put(SPEC.encode())
    account = Account.from_key(published_key(NAMES.index("alice")))
    jobs = [world.post(spec=spec) for _ in range(2)]
    made = [Enroller(Config(world.deployment, account, world.directory / f"job-{job}.sqlite", job)) for job in jobs]
    yield made[0], made[1]
    for daemon in made:
        daemon.close()


def allowance(daemon: Enroller) -> int:
    return daemon.federation.allowance(daemon.context.terms.token, daemon.me)


def approvals(daemon: Enroller) -> int:
    """Signed versions of approvals in a daemon's journal."""
    keys = [(daemon.job, "approve", BOND, times) for times in range(5)]
    return sum(len(daemon.journal.sent(key=key)) for key in keys)


def test_two_jobs__one_takes_the_others_allowance__both_enrol(both: tuple[Enroller, Enroller]) -> None:
    first, second = both
    first.meanwhile = second
    first.once()
    assert second.enrolled() and not first.enrolled() and allowance(first) == 0
    first.once()
    assert first.enrolled() and allowance(first) == 0
    assert (approvals(first), approvals(second)) == (2, 0)


def test_two_jobs__in_turn__both_enrol(both: tuple[Enroller, Enroller]) -> None:
    for daemon in both:
        daemon.once()
    assert all(daemon.enrolled() for daemon in both)
    assert [approvals(daemon) for daemon in both] == [1, 1]


def test_approval__while_it_is_under_way__is_not_signed_again(
    world: World, both: tuple[Enroller, Enroller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Enroller, "_enrol", lambda self, state: self.pay_in(BOND))
    first = both[0]
    monkeypatch.setattr(first.sender, "send", functools.partial(first.sender.send, wait=0))
    world.rpc("evm_setIntervalMining", 0)
    world.rpc("evm_setAutomine", False)
    for _ in range(2):
        first.once()
        world.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**12))
        world.rpc("evm_mine")  # a block that it does not pay for
    assert allowance(first) == 0
    assert approvals(first) == 1
    assert len(first.journal.sent()) == 1
