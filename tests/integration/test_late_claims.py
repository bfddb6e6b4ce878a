"""Pay and fees not claimed in time are lost, and the daemon says so; a job that leaves too little is refused."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast

import pytest
from eth_account import Account
from typer.testing import CliRunner
from worlds import NAMES, TRAINERS, World

from aggregator.leave import take_fees
from aggregator.strikes import StrikeSettler
from aggregator.validator import Validator
from client import TrainerConfig
from client.enrol import Enroller
from client.leave import Leaver
from hansa.cli.main import app
from hansa.devnet.anvil import published_key
from hansa.protocol.errors import FatalError, NotAllowed
from hansa.protocol.ledger import Ledger
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.sheet import Entry
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Code, JobId
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.store import open_store

SPEC = JobSpec(task="heart", steps=1, model_bytes=100_000, update_bytes=100_000, rule="mean")


class LeavingTrainer(Daemon):
    """A trainer without data, which enrols, and leaves after a job's end."""

    def __init__(self, config: TrainerConfig) -> None:
        super().__init__(config)
        self.enroller = Enroller(self.desk, cast(Any, None), config)
        self.leaver = Leaver(self.desk, config.wait_for_bond)

    def act(self, state: JobState) -> bool:
        follower = self.desk.follower
        if not follower.federation.trainer(follower.job, self.desk.me).enrolled:
            self.enroller.enrol(state)
        return state.phase.is_over and self.leaver.leave()


class LeavingMember(Daemon):
    def __init__(self, config: DaemonConfig) -> None:
        super().__init__(config)
        self.strikes = StrikeSettler(self.desk)

    def act(self, state: JobState) -> bool:
        return self.strikes.settle(state) and take_fees(self.desk, state, state.seat_of(self.desk.me))


def config(world: World, job: JobId, name: str) -> TrainerConfig:
    account = Account.from_key(published_key(NAMES.index(name)))
    journal, log_file = world.directory / f"{name}.job", world.directory / f"{name}.log"
    return TrainerConfig(world.deployment, account, journal, job, source="", log_file=log_file)


def ended(world: World, claim_time: int) -> tuple[JobId, int]:
    """A job of one finalised round, and what alice earned in it."""
    spec = open_store(world.deployment.store).put(SPEC.encode())
    job = world.post(spec=spec, max_rounds=1, claim_time=claim_time, slash_time=1)
    world.enrol(job)
    world.do("sponsor", world.federation.open_call(job))
    world.submit(job)
    world.score(job)
    trainers = [world.address(name) for name in TRAINERS]
    sheets = [[Entry(Code.OK, 10, 5)] * len(trainers)] * 3
    leaves = Ledger(dict.fromkeys(trainers, 1), 1000, seats=3, rule="mean").round(trainers, sheets).leaves
    world.decide(job, rewards=RewardsTree(leaves).root)
    return job, next(leaf.pay for leaf in leaves if leaf.trainer == world.address("alice"))


def warnings(world: World, name: str) -> list[dict[str, object]]:
    lines = map(json.loads, (world.directory / f"{name}.log").read_text().splitlines())
    return [line for line in lines if line["level"] == "warning"]


def test_pay_too_late__is_said_with_its_amount__and_the_bond_comes_back(world: World) -> None:
    job, pay = ended(world, claim_time=100)
    world.pass_time(101)
    assert pay > 0
    with pytest.raises(FatalError, match=rf"{pay} units .* pay of job {job}, can't be claimed any more: the time"):
        LeavingTrainer(config(world, job, "alice")).run()
    assert [(line["event"], line["what"], line["amount"]) for line in warnings(world, "alice")] == [
        ("not claimed", "pay", pay)
    ]
    assert world.federation.bond(job, world.address("alice")) == 0


def test_fees_too_late__are_said_with_their_amount(world: World) -> None:
    job, _ = ended(world, claim_time=100)
    world.pass_time(101)
    with pytest.raises(FatalError, match=rf"10 units .* fees of job {job}, can't be claimed any more: the time"):
        LeavingMember(config(world, job, "dave")).run()
    assert [line["what"] for line in warnings(world, "dave")] == ["fees"]


def test_claims_in_time__end_well(world: World) -> None:
    job, pay = ended(world, claim_time=86_400)
    token, alice = world.terms.token, world.address("alice")
    before = world.federation.token_balance(token, alice)
    LeavingTrainer(config(world, job, "alice")).run()
    LeavingMember(config(world, job, "dave")).run()
    assert world.federation.token_balance(token, alice) == before + pay + 100, "pay and bond"
    assert warnings(world, "alice") == warnings(world, "dave") == []


def test_short_time_to_claim__is_refused_before_a_bond(world: World) -> None:
    spec = open_store(world.deployment.store).put(SPEC.encode())
    job = world.post(spec=spec, claim_time=100)
    before = world.federation.token_balance(world.terms.token, world.address("alice"))
    with pytest.raises(NotAllowed, match=rf"job {job} leaves 100 s .* your limit is 3600 s.*--min-claim 100s"):
        LeavingTrainer(config(world, job, "alice")).run()
    assert world.federation.token_balance(world.terms.token, world.address("alice")) == before
    assert world.federation.trainer(job, world.address("alice")) == (False, 0, 0)


def test_short_time_to_claim__is_refused_by_a_validator(world: World) -> None:
    spec = open_store(world.deployment.store).put(SPEC.encode())
    job = world.post(spec=spec, claim_time=100)
    account, journal = Account.from_key(published_key(NAMES.index("dave"))), world.directory / "dave.job"
    with pytest.raises(NotAllowed, match=rf"job {job} leaves 100 s"):
        Validator(DaemonConfig(world.deployment, account, journal, job))


def test_job_show__says_until_when_pay_can_be_claimed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job, _ = ended(world, claim_time=7200)
    world.deployment.save(world.directory / "deployment.json")
    monkeypatch.setenv("HANSA_DIR", str(world.directory))
    shown, data = (CliRunner().invoke(app, ["job", "show", str(job), *more]).stdout for more in ([], ["--json"]))
    until = json.loads(data)["claim_until"]
    assert until == world.federation.books(job).claim_until
    assert f"until {datetime.fromtimestamp(until).isoformat(' ', 'seconds')}, 2 h after the job's end" in shown
