"""One account in two jobs of one token: both bonds come out of the same allowance."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, cast

import pytest
from eth_account import Account
from worlds import NAMES, World

from client import TrainerConfig
from client.enrol import Enroller
from hansa.devnet.anvil import published_key
from hansa.protocol.errors import TransientError
from hansa.protocol.spec import JobSpec
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.store import open_store

SPEC = JobSpec(task="heart", steps=1, model_bytes=100_000, update_bytes=100_000, rule="mean")
BOND = 100


class Applicant(Enroller):
    """Pays a bond in without a look at the job's model. `meanwhile`: who acts after its approval, once."""

    meanwhile: Daemon | None = None

    def check_model(self) -> None:
        return

    def pay_in(self, amount: int) -> None:
        super().pay_in(amount)
        if (other := self.meanwhile) is not None:
            self.meanwhile = None
            other.once()


class Enrolling(Daemon):
    """A trainer that does nothing but enrol."""

    def __init__(self, config: TrainerConfig) -> None:
        super().__init__(config)
        self.enroller = Applicant(self.desk, cast(Any, None), config)

    def act(self, state: JobState) -> bool:
        if not self.enrolled():
            self.enroller.enrol(state)
        return False

    def enrolled(self) -> bool:
        return self.desk.follower.federation.trainer(self.desk.follower.job, self.desk.me).enrolled


@pytest.fixture
def both(world: World) -> Iterator[tuple[Enrolling, Enrolling]]:
    """alice's daemons in two jobs, each with a journal of its own."""
    spec = open_store(world.deployment.store).put(SPEC.encode())
    account = Account.from_key(published_key(NAMES.index("alice")))
    jobs = [world.post(spec=spec) for _ in range(2)]
    made = [
        Enrolling(TrainerConfig(world.deployment, account, world.directory / f"job-{job}.sqlite", job, source=""))
        for job in jobs
    ]
    yield made[0], made[1]
    for daemon in made:
        daemon.close()


def allowance(daemon: Enrolling) -> int:
    follower = daemon.desk.follower
    return follower.federation.allowance(follower.context.terms.token, daemon.desk.me)


def approvals(daemon: Enrolling) -> int:
    """Signed versions of approvals in a daemon's journal."""
    follower = daemon.desk.follower
    call = approve_call(follower.context.terms.token, follower.federation.vault, BOND)
    keys = [(follower.job, "approve", call.data, times) for times in range(5)]
    return sum(len(daemon.desk.journal.sent(key=key)) for key in keys)


def test_two_jobs__one_takes_the_others_allowance__both_enrol(both: tuple[Enrolling, Enrolling]) -> None:
    first, second = both
    first.enroller.meanwhile = second
    first.once()
    assert second.enrolled() and not first.enrolled() and allowance(first) == 0
    first.once()
    assert first.enrolled() and allowance(first) == 0
    assert (approvals(first), approvals(second)) == (2, 0)


def test_two_jobs__in_turn__both_enrol(both: tuple[Enrolling, Enrolling]) -> None:
    for daemon in both:
        daemon.once()
    assert all(daemon.enrolled() for daemon in both)
    assert [approvals(daemon) for daemon in both] == [1, 1]


def test_enrolment__mined_since_the_last_look__is_no_reason_to_approve_again(both: tuple[Enrolling, Enrolling]) -> None:
    first = both[0]
    first.once()
    first.enroller.enrol(first.desk.follower.state)  # of a block in which it was not enrolled
    assert first.enrolled() and allowance(first) == 0
    assert approvals(first) == 1


def test_approval__that_a_reorganisation_takes_back__is_sent_again__and_not_once_more(
    world: World, both: tuple[Enrolling, Enrolling]
) -> None:
    first, before = both[0], world.chain.head().number
    first.once()
    assert first.enrolled() and allowance(first) == 0
    world.rpc("anvil_reorg", world.chain.head().number - before, [])
    assert not first.enrolled()
    for _ in range(5):
        first.once()
    assert first.enrolled() and allowance(first) == 0, "the vault may take nothing more"
    assert approvals(first) == 1


def test_approval__that_is_taken_back_while_the_allowance_is_read__is_not_made_once_more(
    world: World, both: tuple[Enrolling, Enrolling], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Applicant, "enrol", lambda self, state: self.pay_in(BOND))
    first, before = both[0], world.chain.head().number
    first.once()
    assert allowance(first) == BOND and approvals(first) == 1
    federation = first.desk.follower.federation
    read = federation.approvals

    def late(*of: Any) -> list[Any]:
        if depth := world.chain.head().number - before:
            world.rpc("anvil_reorg", depth, [])
        return read(*of)

    monkeypatch.setattr(federation, "approvals", late)
    with contextlib.suppress(TransientError):
        first.once()
    assert approvals(first) == 1
    monkeypatch.setattr(federation, "approvals", read)
    first.once()
    assert allowance(first) == BOND and approvals(first) == 1


def test_approval__while_it_is_under_way__is_not_signed_again(
    world: World, both: tuple[Enrolling, Enrolling], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Applicant, "enrol", lambda self, state: self.pay_in(BOND))
    first = both[0]
    sender = first.desk.sender
    monkeypatch.setattr(sender, "send", functools.partial(sender.send, wait=0))
    world.rpc("evm_setIntervalMining", 0)
    world.rpc("evm_setAutomine", False)
    for _ in range(2):
        first.once()
        world.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**12))
        world.rpc("evm_mine")  # a block that it does not pay for
    assert allowance(first) == 0
    assert approvals(first) == 1
    assert len(first.desk.journal.sent()) == 1
