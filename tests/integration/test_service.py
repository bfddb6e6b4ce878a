"""One process that serves many jobs with one account: in turn, each with its journal, none in another's way."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from proxies import over
from worlds import NAMES, World

from hansa.devnet.anvil import published_key
from hansa.protocol.errors import FatalError, StoreUnavailable
from hansa.protocol.types import JobId, Phase
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.federation import JobState
from hansa.runtime.daemon import Daemon
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.log import open_log
from hansa.runtime.service import NothingYet, Service
from hansa.runtime.transactions.mempool import CantPay


class Opener(Daemon):
    """Opens a job's first cycle, and is done."""

    def act(self, state: JobState) -> bool:
        federation, job = self.desk.follower.federation, self.desk.follower.job
        if state.phase == Phase.OPEN:
            self.desk.send(federation.open_call(job), "open", state.cycle)
        return state.phase == Phase.SUBMIT


class Given:
    """Jobs that a test gives; `refuse` may raise what `begin` does."""

    waits = False

    def __init__(self, world: World, jobs: list[JobId], refuse: Callable[[JobId], None] = lambda job: None) -> None:
        self.world, self.numbers, self.refuse = world, jobs, refuse
        self.begun: list[JobId] = []
        self.now = 1

    def jobs(self) -> Sequence[JobId]:
        return self.numbers

    def edition(self) -> Hashable:
        return self.now

    def begin(self, job: JobId) -> Daemon | None:
        self.begun.append(job)
        self.refuse(job)
        account = Account.from_key(published_key(NAMES.index("alice")))
        journal = self.world.directory / f"served-{job}.sqlite"
        return Opener(DaemonConfig(self.world.deployment, account, journal, job, log_file=log_of(self.world)))


def log_of(world: World) -> Path:
    return world.directory / "log"


def logged(world: World, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log_of(world).read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


@pytest.fixture
def two(world: World) -> Iterator[tuple[World, list[JobId]]]:
    jobs = [world.post(), world.post()]
    for job in jobs:
        world.enrol(job)
    world.pass_time(2)
    yield world, jobs


def run(world: World, given: Given, most: int | None = None) -> None:
    Service(over(world, world.anvil.url), given, open_log(log_of(world)), most).run()


def test_two_jobs__at_once__are_both_served(two: tuple[World, list[JobId]]) -> None:
    world, jobs = two
    run(world, Given(world, jobs))
    assert [world.federation.state(job).phase for job in jobs] == [Phase.SUBMIT] * 2
    assert [line["job"] for line in logged(world, "job done")] == jobs
    assert len({line["nonce"] for line in logged(world, "signed")}) == 2


def test_two_jobs__where_one_is_the_most__one_after_the_other(two: tuple[World, list[JobId]]) -> None:
    world, jobs = two
    run(world, Given(world, jobs), most=1)
    told = [json.loads(line) for line in log_of(world).read_text().splitlines()]
    order = [(line["event"], line["job"]) for line in told if line["event"] in ("serving job", "job done")]
    assert order == [(event, job) for job in jobs for event in ("serving job", "job done")]


def test_job__that_is_refused__is_logged_once_and_keeps_no_other_from_going_on(two: tuple[World, list[JobId]]) -> None:
    world, jobs = two

    def refuse(job: JobId) -> None:
        if job == jobs[0]:
            raise FatalError("no task of ours")

    given = Given(world, jobs, refuse)
    with pytest.raises(FatalError, match=f"job {jobs[0]} was not served: no task of ours"):
        run(world, given)
    assert given.begun == jobs
    assert [line["job"] for line in logged(world, "job not served")] == [jobs[0]]
    assert world.federation.state(jobs[1]).phase == Phase.SUBMIT


def test_job__that_fails_on_its_way__ends_alone(
    two: tuple[World, list[JobId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs = two
    act = Opener.act

    def fails(self: Opener, state: JobState) -> bool:
        if self.desk.follower.job == jobs[0]:
            raise FatalError("its journal is gone")
        return act(self, state)

    monkeypatch.setattr(Opener, "act", fails)
    with pytest.raises(FatalError, match="its journal is gone"):
        run(world, Given(world, jobs))
    assert world.federation.state(jobs[1]).phase == Phase.SUBMIT


def test_job__whose_spec_is_late__is_looked_at_again(
    two: tuple[World, list[JobId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs = two
    monkeypatch.setattr("hansa.runtime.service.LOOK_SECONDS", 0.1)
    late = [True, True]

    def refuse(job: JobId) -> None:
        if job == jobs[0] and late:
            late.pop()
            raise StoreUnavailable("the store sleeps")

    given = Given(world, jobs, refuse)
    run(world, given)
    assert given.begun == [jobs[0], jobs[1], jobs[0], jobs[0]]
    assert [world.federation.state(job).phase for job in jobs] == [Phase.SUBMIT] * 2


def test_job__that_has_nothing_for_the_account_yet__is_looked_at_again__and_told_of_once(
    two: tuple[World, list[JobId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs = two
    monkeypatch.setattr("hansa.runtime.service.LOOK_SECONDS", 0.1)
    early = [True, True]

    def refuse(job: JobId) -> None:
        if job == jobs[0] and early:
            early.pop()
            raise NothingYet("no stake in the pool")

    given = Given(world, jobs, refuse)
    run(world, given)
    assert given.begun == [jobs[0], jobs[1], jobs[0], jobs[0]]
    assert [line["reason"] for line in logged(world, "nothing to do in a job yet")] == ["no stake in the pool"]
    assert [world.federation.state(job).phase for job in jobs] == [Phase.SUBMIT] * 2


def test_refusal__is_looked_at_again__once_what_it_rests_on_has_changed(
    two: tuple[World, list[JobId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs = two
    monkeypatch.setattr("hansa.runtime.service.LOOK_SECONDS", 0.1)

    class Changing(Given):
        waits = property(lambda self: self.now < 4)  # type: ignore[assignment]

    given = Changing(world, jobs)

    def refuse(job: JobId) -> None:
        if job == jobs[0]:
            given.now += 1
            if given.now < 4:
                raise FatalError("not allowed")

    given.refuse = refuse
    run(world, given)
    assert len(logged(world, "job not served")) == 1
    assert world.federation.state(jobs[0]).phase == Phase.SUBMIT


class Fails:
    """In place of an Opener's act: raises an error the first time, and notes what the service says of itself then."""

    def __init__(self, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = error
        self.times, self.told = 0, list[tuple[bool, dict[str, Any]]]()
        self.service: Service | None = None
        act = Opener.act

        def once(opener: Opener, state: JobState) -> bool:
            self.times += 1
            if self.times > 1 and self.service is not None:
                self.told.append(self.service.metrics.health())
            error, self.error = self.error, None
            if error is not None:
                raise error
            return act(opener, state)

        monkeypatch.setattr(Opener, "act", once)


def test_job__without_coin_for_a_while__stays_and_says_what_it_needs(
    two: tuple[World, list[JobId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs = two
    fails = Fails(CantPay("it has no coin"), monkeypatch)
    given = Given(world, jobs[:1])
    fails.service = service = Service(over(world, world.anvil.url), given, open_log(log_of(world)))
    service.run()
    healthy, shown = fails.told[0]
    assert not healthy and shown["jobs"][str(jobs[0])]["cause"] == "it has no coin"
    assert given.begun == jobs[:1] and world.federation.state(jobs[0]).phase == Phase.SUBMIT


def test_job__that_ended_with_an_error__is_looked_at_again_later(
    two: tuple[World, list[JobId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, jobs = two
    fails = Fails(FatalError("its disk is broken"), monkeypatch)
    given = Given(world, jobs[:1])
    monkeypatch.setattr(Given, "waits", property(lambda self: fails.times < 2))  # until it has been served once more
    monkeypatch.setattr("hansa.runtime.service.LONGEST_WAIT", 2.0)
    service = Service(over(world, world.anvil.url), given, open_log(log_of(world)))
    service.serve_metrics("127.0.0.1:0")
    drop = service._give_up

    def seen(job: JobId, error: FatalError) -> None:
        drop(job, error)
        fails.told.append(service.metrics.health())

    monkeypatch.setattr(service, "_give_up", seen)
    service.run()
    healthy, shown = fails.told[0]
    assert not healthy and shown["jobs"][str(jobs[0])]["cause"] == "its disk is broken"
    assert given.begun == jobs[:1] * 2 and world.federation.state(jobs[0]).phase == Phase.SUBMIT


def test_nonces__of_what_a_peer_has_in_flight__are_not_taken(world: World) -> None:
    first, second = world.another("alice", suffix="1"), world.another("alice", suffix="2")
    first.peers = second.peers = [first, second]
    world.rpc("evm_setIntervalMining", 0)
    world.rpc("evm_setAutomine", False)
    call = approve_call(world.deployment.token, world.deployment.vault, 5)
    for number in range(3):
        for sender in (first, second):
            sender.send(call, key=("approve", number), wait=0)
    for sender in (first, second):
        sender.tend()
    pending = world.rpc("eth_getBlockByNumber", "pending", True)["transactions"]
    assert len(pending) == 6 and len({item["nonce"] for item in pending}) == 6
    journals = [{nonce for _, nonce, _ in sender.journal.sent()} for sender in (first, second)]
    assert not journals[0] & journals[1] and [len(nonces) for nonces in journals] == [3, 3]


def test_metrics__say_which_job_they_are_of(two: tuple[World, list[JobId]], monkeypatch: pytest.MonkeyPatch) -> None:
    world, jobs = two
    service = Service(over(world, world.anvil.url), Given(world, jobs), open_log(log_of(world)))
    service.serve_metrics("127.0.0.1:0")
    url = logged(world, "metrics")[0]["url"]
    seen: list[str] = []
    act = Opener.act

    def watched(self: Opener, state: JobState) -> bool:
        with urllib.request.urlopen(url, timeout=5) as answer:
            seen.extend(answer.read().decode().splitlines())
        with urllib.request.urlopen(url.replace("metrics", "healthz"), timeout=5) as answer:
            assert set(json.loads(answer.read())["jobs"]) <= {str(job) for job in jobs}
        return act(self, state)

    monkeypatch.setattr(Opener, "act", watched)
    service.run()
    assert {f'hansa_job{{job="{job}"}} {float(job)}' for job in jobs} <= set(seen)
