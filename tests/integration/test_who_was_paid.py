"""Who was paid what in a job where much goes wrong, to the last unit: audited at three moments, as table and page, and
explained out of an archive as from the chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_chain import furnished, started
from paid_job import EVERYBODY, Moments, answer, play, run
from test_audit_chain import OK, Job
from typer.testing import CliRunner
from worlds import ESCROW, MEMBERS, TRAINERS, World

from hansa.audit.collect import collect
from hansa.audit.paid import Bond, Escrow, Paid
from hansa.audit.replay import EventReplay
from hansa.audit.report import Report
from hansa.audit.rounds import Rounds
from hansa.audit.settle import settle
from hansa.cli.main import app
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.cid import to_cid
from hansa.protocol.types import Wei
from hansa.runtime.store import LocalStore

FULL_ROUND, BURN = 1000 + 3 * 10, (1000 + 3 * 10) // 2
ALICE_1, CAROL_1 = 333, 666  # of round 1's 1000: carol gained twice as much as alice


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moments]:
    path = tmp_path_factory.mktemp("paid")
    with started(path) as running, furnished(running, path) as world:
        world.deployment.save(path / "deployment.json")
        make_keystores(path / "keys", ["sponsor", *TRAINERS, *MEMBERS])
        yield play(world, Job(world, max_rounds=2, max_failures=4))


def lines(paid: Paid, world: World) -> dict[str, tuple[Any, ...]]:
    names = {world.address(name): name for name in EVERYBODY}
    trainers = {names[item.trainer]: (item.earned, item.claimed, item.unclaimed) for item in paid.trainers}
    return trainers | {names[item.validator]: (item.earned, item.claimed, item.unclaimed) for item in paid.validators}


def test_running_job__what_is_earned_and_not_claimed(moments: Moments) -> None:
    paid = moments.running
    rest = ESCROW - BURN - FULL_ROUND
    unclaimed = FULL_ROUND - ALICE_1
    assert paid.escrow == Escrow(*map(Wei, (ESCROW, ALICE_1, 0, unclaimed, BURN, 0, 0, rest, 1)))
    assert paid.bonds == Bond(*map(Wei, (300, 10, 0, 290)))
    assert lines(paid, moments.world) == {
        "alice": (ALICE_1, ALICE_1, 0), "bob": (0, 0, 0), "carol": (CAROL_1, 0, CAROL_1),
        **dict.fromkeys(MEMBERS, (10, 0, 10)),
    }  # fmt: skip
    assert (paid.outcome, paid.ended_at, paid.claim_until, paid.claims_over) == (None, None, None, False)


def test_ended_job__every_part_of_the_escrow(moments: Moments) -> None:
    paid = moments.ended
    rest = ESCROW - BURN - 2 * FULL_ROUND
    assert paid.escrow == Escrow(*map(Wei, (ESCROW, ALICE_1, 40, 2 * FULL_ROUND - ALICE_1 - 40, BURN, 0, rest, 0, 1)))
    assert paid.bonds == Bond(*map(Wei, (300, 10, 190, 100)))
    found = lines(paid, moments.world)
    assert found["frank"] == (20, 0, 20) and found["dave"] == found["erin"] == (20, 20, 0)
    assert sum(found[name][0] for name in TRAINERS) == 2 * 1000 - 1, "a unit is lost by rounding down in round 1"
    for name in ("alice", "bob", "carol"):
        told = moments.told[f"wallet why {name}"]
        assert found[name][0] == int(told["pay"]) == sum(int(line["pay"]) for line in told["rounds"]), (
            "as from the chain"
        )
    assert paid.outcome == "COMPLETED" and paid.ended_at == paid.rounds[-1].ended
    assert paid.claim_until == (paid.ended_at or 0) + 86_400 and not paid.claims_over


def test_job_whose_claims_are_over__what_nobody_claimed_is_burnt(moments: Moments) -> None:
    paid, before = moments.over, moments.ended
    assert paid.claims_over and paid.escrow.expired == before.escrow.unclaimed and paid.escrow.unclaimed == 0
    assert lines(paid, moments.world) == lines(before, moments.world), "earned and lost"
    burns = [(burn.why.partition(" 0x")[0], burn.amount, burn.round, burn.cycle) for burn in paid.burnt]
    assert burns == [
        ("the cycle failed in SCORE", BURN, 1, 1),
        ("a strike took it off the bond of", 10, 1, None),
        ("nobody claimed it in time", before.escrow.unclaimed, None, None),
    ]
    assert [burn.ended is not None for burn in paid.burnt] == [True, False, False], "claims have no time that is bound"


def test_rounds__say_by_whom_and_when(moments: Moments) -> None:
    paid, history = moments.over, moments.world.history(moments.job)
    outcomes = [outcome for _, outcome in history.finalised]
    assert [(item.round, item.cycle, item.ended) for item in paid.rounds] == [
        (1, 2, outcomes[0].time), (2, 3, outcomes[1].time)
    ]  # fmt: skip
    assert paid.sponsor == moments.world.address("sponsor")
    everybody = {moments.world.address(name) for name in MEMBERS}
    assert all(set(item.matched) == everybody and item.others == [] for item in paid.rounds)
    bob = next(item for item in paid.trainers if item.trainer == moments.world.address("bob"))
    first = bob.rounds[0]
    assert (first.verdict, first.earned, first.claimed, first.strike, first.penalty) == ("malformed", 0, 0, True, 10)
    assert (bob.rounds[1].verdict, bob.rounds[1].claimed) == ("ok", None)
    assert paid.task is not None and paid.task.name == "heart" and len(paid.task.settings) == 64


def test_sums_that_are_not_the_vaults__are_a_finding_and_nothing_is_told(moments: Moments) -> None:
    for spoil in (spoil_fees, spoil_claims, spoil_bonds, spoil_burns):
        report, facts, replay, rounds = played(moments)
        settle(facts, replay, rounds, report)
        assert report.settlement is not None and not report.wrong
        report, facts, replay, rounds = played(moments)
        spoil(replay)
        settle(facts, replay, rounds, report)
        assert report.settlement is None and len(report.wrong) == 1, spoil
        assert "summed up" in report.wrong[0].what or "fees that" in report.wrong[0].what


def played(moments: Moments) -> tuple[Report, Any, EventReplay, Any]:
    report = Report()
    facts = collect(moments.world.federation, moments.job)
    rounds = Rounds(LocalStore(moments.world.directory / "store"), report)
    replay = EventReplay(facts, rounds.after)
    replay.events()
    return report, facts, replay, rounds


def spoil_fees(replay: EventReplay) -> None:
    member = next(iter(replay.vault.fees_claimed))
    replay.vault.fees[member] += 1


def spoil_claims(replay: EventReplay) -> None:
    place = next(iter(replay.vault.claimed))
    replay.vault.claimed[place] += 1


def spoil_bonds(replay: EventReplay) -> None:
    replay.vault.bonds[next(iter(replay.vault.bonds))] += 1


def spoil_burns(replay: EventReplay) -> None:
    replay.vault.expired += 1


# --- as people see it


def test_audit__tells_it_as_table_json_and_page(moments: Moments, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = run(moments.world, f"audit {moments.job}")
    assert done.exit_code == 3 and "burnt: " in done.stdout
    assert f"who was paid for heart, by sponsor {moments.world.address('sponsor')}" in done.stdout
    data = answer(moments.world, f"audit {moments.job} --report {page} --json")
    assert data["page"] == str(page)
    assert data["paid"]["escrow"]["pay"] == str(ALICE_1) and data["unit"]["decimals"] == 18
    assert data["paid"]["rounds"][0]["matched"] == list(moments.world.history(moments.job).cycles[1].committee)
    text = page.read_text()
    block = data["block_hash"]
    assert text.count(block) == 1 and len(block) == 66
    assert "<script" not in text and "://" not in text, "nothing runs, nothing is loaded"
    for name in EVERYBODY:
        assert moments.world.address(name) in text
    units = tmp_path / "units.html"
    assert run(moments.world, f"audit --archive {moments.archive} --report {units}").exit_code == 3
    assert f">{ALICE_1}<" in units.read_text() and "how many make a token is not known" in units.read_text()


def test_report__is_written_over_a_report_alone(moments: Moments, tmp_path: Path) -> None:
    page = tmp_path / "mine.html"
    page.write_text("<!doctype html>\nmy own")
    for target in (page, moments.archive, tmp_path, tmp_path / "none" / "there.html"):
        done = run(moments.world, f"audit --archive {moments.archive} --report {target}")
        assert done.exit_code == 1 and done.stdout == "" and str(target.parent) in done.stderr, done.stderr
    assert page.read_text() == "<!doctype html>\nmy own"
    page.unlink()
    for _ in range(2):
        assert run(moments.world, f"audit --archive {moments.archive} --report {page}").exit_code == 3


def test_report__of_what_is_no_archive__is_not_written(moments: Moments, tmp_path: Path) -> None:
    broken, page = tmp_path / "broken.hansa", tmp_path / "report.html"
    broken.write_bytes(b"no archive")
    done = run(moments.world, f"audit --archive {broken} --report {page}")
    assert done.exit_code == 1 and "no report is written" in done.stdout and not page.exists()


@pytest.mark.parametrize("who", EVERYBODY)
def test_why__of_the_archive__is_what_the_chain_said(moments: Moments, who: str, tmp_path: Path) -> None:
    words = f"wallet why {moments.world.address(who)} --archive {moments.archive} --json"
    done = CliRunner().invoke(app, [*words.split(), "--dir", str(tmp_path)])  # no deployment there, and no keys
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    source, problems = found.pop("archive"), found.pop("problems")
    assert found | {"problems": []} == moments.told[f"wallet why {who}"]
    assert [" of the things to check are not in " in problem["why"] for problem in problems] == [True], "no models"
    assert source["file"] == str(moments.archive) and len(source["block_hash"]) == 66 and source["bound"]


def test_why__of_the_archive__for_people(moments: Moments) -> None:
    told = run(moments.world, f"wallet why carol --round 1 --archive {moments.archive} --unit HANSA:2").stdout
    assert f"carol {moments.world.address('carol')} in job {moments.job}; a round pays 10 HANSA" in told
    assert f"pay = 1000 · p // Σp = {CAROL_1}" in told and "6.66 HANSA" in told
    assert f"  dave {moments.world.address('dave')}: ok, gain" in told
    assert "compare it with what a node says" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("alice --round 3", "has no finalised round 3: 2 are"),
        ("alice --round 0", "has no finalised round 0"),
        ("alice --job 7", "is of job 1, not of job 7"),
        ("0x00000000000000000000000000000000000000aa", "has no part in job 1"),
        ("nobody", "no keystore is called nobody"),
        ("alice --unit HANSA", "write it like HANSA:18"),
        ("alice --unit HANSA:78", "write it like HANSA:18"),
    ],
)
def test_why__of_the_archive__that_can_not_be_told(moments: Moments, words: str, said: str) -> None:
    done = run(moments.world, f"wallet why {words} --archive {moments.archive}")
    assert (done.exit_code, done.stdout) == (1, "") and said in done.stderr and done.stderr.count("\n") == 1


def test_why__of_a_spoilt_archive__is_refused_with_what_is_wrong(moments: Moments, tmp_path: Path) -> None:
    data = bytearray(moments.archive.read_bytes())
    data[len(data) // 2] ^= 1
    spoilt = tmp_path / "spoilt.hansa"
    spoilt.write_bytes(data)
    done = run(moments.world, f"wallet why alice --archive {spoilt}")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "nothing is told from it: " in done.stderr and "expected" in done.stderr
    assert len(done.stderr) < 1000


def test_quorum_that_roots_other_rewards__what_trainers_earned_is_not_known(world: World, tmp_path: Path) -> None:
    job, page = Job(world), tmp_path / "page.html"
    world.deployment.save(world.directory / "deployment.json")
    world.enrol(job.id)
    job.open()
    job.score(OK)
    job.decide(root=b"\x55" * 32)
    report = job.audit()
    assert report.settlement is not None
    paid = report.settlement.paid
    assert paid.unknown_rounds == [1] and paid.escrow.unearned is None and paid.escrow.unclaimed == FULL_ROUND
    assert [(item.earned, item.unclaimed, item.rounds[0].verdict) for item in paid.trainers] == [(None, None, "ok")] * 3
    done = run(world, f"audit {job.id} --report {page}")
    assert done.exit_code == 1 and "what trainers earned in round 1 is not known" in done.stdout
    assert "Something is wrong" in page.read_text() and "rewards root" in page.read_text()


def test_lost_spec__amounts_of_the_events_are_told(moments: Moments, tmp_path: Path) -> None:
    cid = to_cid(moments.world.federation.terms(moments.job).spec)
    lost = moments.world.directory / "store" / cid[-2:] / cid
    kept, archive = lost.read_bytes(), tmp_path / "poor.hansa"
    lost.unlink()
    try:
        done = run(moments.world, f"audit {moments.job} --export {archive} --json")
    finally:
        lost.write_bytes(kept)
    paid = json.loads(done.stdout)["paid"]
    assert done.exit_code == 3 and paid["task"] is None and paid["unknown_rounds"] == [1, 2]
    assert paid["escrow"]["pay"] == str(ALICE_1) and paid["bonds"]["forfeited"] == "10"
    assert {item["earned"] for item in paid["trainers"]} == {None}
    done = run(moments.world, f"wallet why alice --archive {archive}")
    assert done.exit_code == 1 and f"its spec, {cid}, is not in the archive" in done.stderr
    assert run(moments.world, f"wallet why dave --archive {archive}").exit_code == 0, "its fees need no spec"


def test_export__of_the_chain_and_of_the_archive__are_the_same_but_for_the_gas(moments: Moments) -> None:
    told = answer(moments.world, f"job export {moments.job} --json")
    archived = answer(moments.world, f"job export --archive {moments.archive} --unit HANSA:18 --json")
    source, gas = archived.pop("archive"), [row.pop("gas") for row in told["rounds"]]
    assert [row.pop("gas") for row in archived["rounds"]] == [None, None] and archived | {
        "token": told["token"]
    } == told
    assert min(gas) > 300_000 and source["bound"]
    assert [(row["round"], row["cycle"], row["phase"], row["burnt"]) for row in told["failed"]] == [
        (1, 1, "SCORE", str(BURN))
    ]
    earned = {item.trainer: str(item.earned) for item in moments.ended.trainers}
    assert {trainer["address"]: trainer["pay"] for trainer in told["trainers"]} == earned
    bob = next(row for row in told["rounds"][0]["trainers"] if row["trainer"] == moments.world.address("bob"))
    assert (bob["verdict"], bob["included"], bob["gain"], bob["strike"]) == ("malformed", False, None, 1)
