"""An eventful job, and what commands and audits say of who was paid in it at three moments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from test_audit_chain import OK, Job
from typer.testing import CliRunner
from worlds import MEMBERS, TRAINERS, World

from hansa.audit.paid import Paid
from hansa.cli.main import app
from hansa.protocol.sheet import Entry
from hansa.protocol.types import Code, JobId
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call

EVERYBODY = ("sponsor", *TRAINERS, *MEMBERS)


@dataclass
class Moments:
    """An eventful job: what was said of it while it ran, at its end, and when nothing can be claimed any more."""

    world: World
    job: JobId
    running: Paid
    ended: Paid
    over: Paid
    archive: Path  # of its end
    told: dict[str, Any]  # what a command said of the chain at the job's end, by its words


def settled(job: Job) -> Paid:
    report = job.audit()
    assert not report.wrong and report.settlement is not None
    return report.settlement.paid


def play(world: World, job: Job) -> Moments:
    federation = world.federation
    world.enrol(job.id)
    job.open()
    job.fail()  # nobody scores: half a round is burnt
    job.round([Entry(Code.OK, 1000, 500), Entry(Code.MALFORMED), Entry(Code.OK, 2000, 500)])
    job.claim("bob", 1)  # struck
    job.claim("alice", 1)
    running = settled(job)
    job.round(OK, b"\x08" * 32)
    for seat, name in world.seats(job.id):
        if name != "frank":
            world.do(name, federation.claim_seat_fees_call(job.id, seat))
    world.pass_time(61)
    for name in ("alice", "bob"):
        world.do(name, federation.claim_bond_call(job.id, world.address(name)))
    world.do("sponsor", federation.claim_rest_call(job.id))
    archive = world.directory / "job.hansa"
    told = {words: answer(world, f"{words} --json") for words in (f"wallet why {who}" for who in EVERYBODY)}
    assert run(world, f"audit {job.id} --export {archive}").exit_code == 3  # there are no models
    ended = settled(job)
    world.pass_time(86_400)
    world.do("alice", Call(federation.vault, artifact("Vault").functions["expire"].encode(job.id), "expire"))
    return Moments(world, job.id, running, ended, settled(job), archive, told)


def run(world: World, words: str) -> Any:
    return CliRunner().invoke(app, [*words.split(), "--dir", str(world.directory)])


def answer(world: World, words: str) -> Any:
    return json.loads(run(world, words).stdout)
