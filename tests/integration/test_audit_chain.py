"""Jobs of a real chain where something goes wrong, audited: failures, strikes, expiry, stops, resets, lying nodes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from liars import Liar, editing_logs
from worlds import ESCROW, World

from hansa.audit.archive import write_archive
from hansa.audit.collect import collect
from hansa.audit.report import Report
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.protocol.errors import FatalError, HansaError
from hansa.protocol.hashes import result_hash, sealed_vote
from hansa.protocol.merkle import RewardsTree
from hansa.protocol.sheet import Entry, commitment, encode_sheet
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Code, JobId, Wei
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call, approve_call
from hansa.runtime.job import JobContext
from hansa.runtime.replay import Replay
from hansa.runtime.store import LocalStore

SPEC = JobSpec(task="heart", steps=1, model_bytes=100_000, update_bytes=100_000, rule="mean")


class Job:
    """A job of a world with a spec in a store, whose committee roots rewards as it should; its files are not there."""

    def __init__(self, world: World, **changes: object) -> None:
        self.world = world
        self.store = LocalStore(world.directory / "store")
        terms = replace(world.terms, spec=self.store.put(SPEC.encode()), **changes)  # type: ignore[arg-type]
        world.do("sponsor", approve_call(world.deployment.token, world.deployment.vault, ESCROW))
        receipt = world.do("sponsor", world.federation.post_call(terms, ESCROW)).receipt
        self.id: JobId = world.federation.posted_in(receipt)

    def replay(self) -> Replay:
        context = JobContext.read(self.world.federation, self.store, self.id)
        return Replay(context, context.weights(self.world.history(self.id).enrolled))

    def score(self, entries: list[Entry] | bytes) -> None:
        world, state = self.world, self.world.federation.state(self.id)
        sheet = entries if isinstance(entries, bytes) else encode_sheet(entries)
        place = world.federation.place(self.id, state.cycle)
        for seat, name in world.seats(self.id):
            sealed = commitment(place, world.address(name), sheet, bytes([seat]) * 32)
            world.do(name, world.federation.commit_call(self.id, state.cycle, seat, sealed))
        for seat, name in world.seats(self.id):
            world.do(name, world.federation.reveal_call(self.id, state.cycle, seat, sheet, bytes([seat]) * 32))

    def decide(self, model: bytes = b"\x07" * 32, root: bytes | None = None, without: str = "") -> None:
        world, history = self.world, self.world.history(self.id)
        state = world.federation.state(self.id)
        if root is None:
            replay = self.replay()
            replay.follow(history)
            root = RewardsTree(replay.attempt(history.cycles[-1]).leaves).root
        place = world.federation.place(self.id, state.cycle)
        result = result_hash(place, state.updates, state.sheets, model, root)
        for seat, name in world.seats(self.id):
            vote = sealed_vote(result, seat)
            if name != without:
                world.do(name, world.federation.vote_call(self.id, state.cycle, seat, state.sheets, vote, 10 + seat))
        if without:
            world.pass_time(601)
        world.do("sponsor", world.federation.finalize_call(self.id, state.cycle, model, root))

    def open(self, *trainers: str) -> None:
        self.world.do("sponsor", self.world.federation.open_call(self.id))
        self.world.submit(self.id, *trainers)

    def round(self, entries: list[Entry] | bytes, model: bytes = b"\x07" * 32) -> None:
        self.open()
        self.score(entries)
        self.decide(model)

    def fail(self) -> None:
        self.world.pass_time(601)
        self.world.do("bob", self.world.federation.fail_call(self.id, self.world.federation.state(self.id).cycle))

    def claim(self, trainer: str, *rounds: int) -> None:
        replay = self.replay()
        replay.follow(self.world.history(self.id))
        address = self.world.address(trainer)
        trees = {number: RewardsTree(replay.rounds[number - 1].leaves) for number in rounds}
        claims = [(number, tree.leaf(address), tree.proof(address)) for number, tree in trees.items()]
        self.world.do("bob", self.world.federation.claim_call(self.id, address, claims))

    def audit(self) -> Report:
        return audit(collect(self.world.federation, self.id), self.store)


def sheet(*codes: Code) -> list[Entry]:
    return [Entry(code, 1000 * (i + 1), 500) if code == Code.OK else Entry(code) for i, code in enumerate(codes)]


OK = sheet(Code.OK, Code.OK, Code.OK)


def wrong(report: Report) -> list[str]:
    return [str(finding) for finding in report.wrong]


def test_audit__eventful_job__holds_at_every_step(world: World, tmp_path: Path) -> None:
    """Lapses, failures, strikes, a rejoin, claims, burns, expiry. Only files that never were are missed."""
    federation, job = world.federation, Job(world, max_rounds=2, max_failures=4)
    assert not wrong(job.audit())
    world.enrol(job.id)
    job.fail()  # OPEN lapses
    job.open("alice")
    job.fail()  # too few updates
    job.open()
    job.fail()  # nobody scores: the committee is kept, a part of the escrow burnt
    assert not wrong(job.audit())
    job.round(sheet(Code.OK, Code.MALFORMED, Code.OK))
    job.claim("bob", 1)  # struck
    job.claim("alice", 1)
    job.open("alice", "bob")
    assert not wrong(job.audit())
    world.pass_time(601)
    job.score(sheet(Code.OK, Code.OK))
    job.decide(bytes(32), bytes(32))  # agreed that nothing could be made of it
    job.round(OK, b"\x08" * 32)
    assert federation.state(job.id).phase.name == "COMPLETED"
    for _, name in world.seats(job.id):
        seat = [member for member, other in world.seats(job.id) if other == name][0]
        world.do(name, federation.claim_seat_fees_call(job.id, seat))
    world.pass_time(61)
    for name in ("alice", "bob"):
        world.do(name, federation.claim_bond_call(job.id, world.address(name)))
    world.do("sponsor", federation.claim_rest_call(job.id))
    world.do("alice", federation.send_burnt_call(job.id))
    world.pass_time(86_400)
    world.do("alice", Call(federation.vault, artifact("Vault").functions["expire"].encode(job.id), "expire"))
    report = job.audit()
    assert not wrong(report)
    assert report.checked["penalties"] == 1 and report.checked["burns"] == 4 and report.checked["failures"] == 4
    assert report.exit_code == 3 and {gap.what.split(" ", 2)[1] for gap in report.gaps if not gap.expected} >= {"of"}

    target = tmp_path / "job.hansa"
    facts = collect(federation, job.id)
    missing = write_archive(target, facts, files_with_limits(facts, job.store), job.store)
    assert len(missing) > 2
    assert audit_archive(target)[0].exit_code == 3


def test_audit__rejoin_and_stop__hold(world: World) -> None:
    job = Job(world)
    world.enrol(job.id)
    job.round(OK)
    job.open("alice", "bob")
    world.pass_time(601)
    job.score(sheet(Code.OK, Code.OK))
    job.decide(b"\x08" * 32)
    job.open("alice", "bob")
    world.do("carol", world.federation.rejoin_call(job.id, world.federation.state(job.id).cycle))
    assert not wrong(job.audit())
    world.do("sponsor", world.federation.stop_call(job.id))
    job.fail()
    report = job.audit()
    assert not wrong(report)
    assert world.federation.state(job.id).phase.name == "COMPLETED"


def test_audit__job_that_never_finished__says_where_it_is(world: World) -> None:
    job = Job(world)
    world.enrol(job.id)
    job.open()
    report = job.audit()
    assert report.exit_code == 3 and not report.wrong
    assert any(gap.what == "the job's end" and "round 1, SCORE" in gap.why for gap in report.gaps)


@pytest.mark.parametrize("how", ["stopped", "lapsed"])
def test_audit__cancelled_job__holds(world: World, how: str) -> None:
    job = Job(world)
    world.enrol(job.id, "alice")
    if how == "stopped":
        world.do("sponsor", world.federation.stop_call(job.id))
    else:
        job.fail()
    world.do("sponsor", world.federation.claim_rest_call(job.id))
    world.do("alice", world.federation.claim_bond_call(job.id, world.address("alice")))
    assert not wrong(job.audit())


def test_audit__aborted_job__holds(world: World) -> None:
    job = Job(world, max_failures=2)
    world.enrol(job.id)
    job.fail()
    job.fail()
    assert world.federation.state(job.id).phase.name == "ABORTED"
    assert not wrong(job.audit())


def test_audit__quorum_that_roots_other_rewards__is_named(world: World) -> None:
    job = Job(world)
    world.enrol(job.id)
    job.open()
    job.score(OK)
    job.decide(root=b"\x55" * 32)
    report = job.audit()
    assert report.exit_code == 1
    assert wrong(report)[0].startswith("round 1, cycle 1, block") and "rewards root" in wrong(report)[0]


@pytest.mark.parametrize(
    "entry",
    [
        b"\x00" + (2**47 - 1).to_bytes(6, "big") * 2,
        b"\x00" + (-(2**47)).to_bytes(6, "big", signed=True) * 2,
        b"\x00" + (2**40).to_bytes(6, "big") + (-(2**40)).to_bytes(6, "big", signed=True),
        b"\xff" * 13,
        b"\x02" + b"\xff" * 12,
        bytes(13),
    ],
)
def test_audit__sheets_at_the_edges__hold(world_of_many: World, entry: bytes) -> None:
    world, job = world_of_many, Job(world_of_many)
    world.enrol(job.id)
    job.open()
    job.score(bytes(13) + entry + b"\x00" + (5).to_bytes(6, "big") * 2)
    job.decide()
    assert not wrong(job.audit())


@pytest.fixture(scope="module")
def world_of_many(tmp_path_factory: pytest.TempPathFactory) -> object:
    from local_chain import furnished, started

    path = tmp_path_factory.mktemp("audited")
    with started(path) as running, furnished(running, path) as made:
        for name in ("alice", "bob", "carol"):
            made.do("sponsor", transfer_of(made, name))
        made.do("sponsor", approve_call(made.deployment.token, made.deployment.vault, 10 * ESCROW))
        yield made


def transfer_of(world: World, name: str) -> object:
    from hansa.runtime.chain.calls import transfer_call

    return transfer_call(world.deployment.token, world.address(name), Wei(10_000))


def test_audit__chain_that_was_reset__is_said(world: World) -> None:
    job = Job(world)
    with pytest.raises(FatalError, match="there is no job 7"):
        collect(world.federation, JobId(7))
    world.rpc("anvil_reset")
    with pytest.raises(HansaError, match=r"reset|not on the chain|no federation"):
        collect(world.federation, job.id)


@pytest.mark.parametrize("number", range(0, 18, 3))
def test_audit__node_that_hides_an_event__is_caught(world_once: tuple[World, JobId], number: int) -> None:
    world, job = world_once
    honest = world.chain.rpc.endpoints
    world.chain.rpc.endpoints = [Liar(world.anvil.url, editing_logs(lambda logs: logs[:number] + logs[number + 1 :]))]
    try:
        report = audit(collect(world.federation, job), LocalStore(world.directory / "store"))
        assert report.exit_code == 1
    finally:
        world.chain.rpc.endpoints = honest
