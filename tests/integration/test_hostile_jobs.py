"""Jobs that anybody may post, with a spec that is none or lost, in a token that doesn't answer: they stop nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from local_chain import furnished, started
from typer.testing import CliRunner
from worlds import NAMES, World

from hansa.cli.main import app
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Digest, JobId
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.structs import address
from hansa.runtime.deploy import creation_call
from hansa.runtime.store import open_store

SPEC = JobSpec(task="heart", steps=1, model_bytes=10_000, update_bytes=10_000)
LOST = Digest(b"\x11" * 32)
REVERTS, ENDLESS, ANSWERS_NOTHING = "60006000fd", "5b600056", "00"


@dataclass
class Place:
    """Alice is in jobs 1 (a round finalised) and 5 (a round finalised, its spec lost), not in 2 and 3, which are bad;
    job 4 is the sponsor's, cancelled, its spec no JSON; job 6 is paid in another token."""

    world: World
    good: JobId
    cancelled: JobId
    lost: JobId
    foreign: JobId
    token: Address

    def run(self, words: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, words.split())
        assert done.exit_code == code, done.output + done.stderr
        return done

    def answer(self, words: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(f"{words} --json", code).stdout)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    path = tmp_path_factory.mktemp("hostile")
    with started(path) as running, furnished(running, path) as world, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSA_DIR", str(path))
        store = open_store(world.deployment.store)
        bad = store.put(b"not json")
        good = world.post(spec=store.put(SPEC.encode()))
        world.post(spec=bad)
        world.post(spec=LOST)
        cancelled = world.post(spec=bad)
        world.do("sponsor", world.federation.stop_call(cancelled))
        lost = world.post(spec=LOST)
        for job in (good, lost):
            world.enrol(job)
            world.round(job)
        world.do("sponsor", world.federation.stop_call(lost))
        world.pass_time(100)  # bonds are free after 60 s
        token = another_token(world)
        foreign = post_in(world, token, store.put(SPEC.encode()))
        yield Place(world, good, cancelled, lost, foreign, token)


def another_token(world: World) -> Address:
    """A second test token: it calls itself as the deployment's own does."""
    return address(world.do("sponsor", creation_call("RewardToken", 10**24)).receipt["contractAddress"])


def post_in(world: World, token: Address, spec: Digest) -> JobId:
    world.do("sponsor", approve_call(token, world.deployment.vault, 15_000))
    terms = replace(world.terms, token=token, spec=spec)
    return world.federation.posted_in(world.do("sponsor", world.federation.post_call(terms, 15_000)).receipt)


@pytest.fixture(autouse=True)
def saved(place: Place) -> None:
    place.world.deployment.save(place.world.directory / "deployment.json")
    if not (place.world.directory / "keys").exists():
        make_keystores(place.world.directory / "keys", NAMES)


def test_wallet_show__of_an_account_in_no_bad_job__is_undisturbed(place: Place) -> None:
    nobody = "0x" + "12" * 20
    assert place.answer(f"wallet show {nobody}")["jobs"] == []
    found = place.answer(f"wallet show alice --job {place.good}")
    assert [row["job"] for row in found["jobs"]] == [place.good]
    assert found["problems"] == []


def test_wallet_show__names_an_unreadable_job_of_its_own__and_shows_the_others(place: Place) -> None:
    done = place.run("wallet show alice", 1)
    assert f"job {place.lost}: its pay can't be worked out" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    found = place.answer("wallet show alice", 1)
    rows = {row["job"]: row for row in found["jobs"]}
    assert sorted(rows) == [place.good, place.lost]
    assert rows[place.good]["pay"] is not None
    assert (rows[place.lost]["pay"], rows[place.lost]["bond"]) == (None, "100")
    assert [problem["job"] for problem in found["problems"]] == [place.lost]


def test_wallet_show__of_a_member__is_no_failure__any_sponsor_may_seat_anybody(place: Place) -> None:
    found = place.answer("wallet show dave")
    rows = {row["job"]: row for row in found["jobs"]}
    assert rows[place.lost]["fees"] == "10"
    assert [problem["job"] for problem in found["problems"]] == [place.lost]


def test_wallet_why__explains_the_last_job_that_can_be_read(place: Place) -> None:
    found = place.answer("wallet why alice", 1)
    assert found["job"] == place.good and len(found["rounds"]) == 1
    assert [problem["job"] for problem in found["problems"]] == [place.lost]


def test_wallet_history__reads_no_spec(place: Place) -> None:
    assert {row["job"] for row in place.answer("wallet history alice")["movements"]} >= {place.good, place.lost}


def test_wallet_claim__of_a_cancelled_job__needs_no_spec(place: Place) -> None:
    assert [row["rest"] for row in place.answer(f"wallet show sponsor --job {place.cancelled}")["jobs"]] == ["15000"]
    before = place.world.federation.books(place.cancelled).refunded
    place.run(f"wallet claim --account sponsor --job {place.cancelled}")
    assert (before, place.world.federation.books(place.cancelled).refunded) == (0, 15_000)


def test_wallet_claim__takes_bond_and_fees_of_a_job_whose_spec_is_lost(place: Place) -> None:
    federation = place.world.federation
    bob, erin = place.world.address("bob"), place.world.address("erin")
    assert (federation.bond(place.lost, bob), federation.books(place.lost).paid) == (100, 0)
    place.run("wallet claim --account bob", 1)
    assert federation.bond(place.lost, bob) == 0
    place.run("wallet claim --account erin")
    assert federation.books(place.lost).paid == 10, "the fee of one round"
    assert federation.fees(place.lost, erin) == 0


def test_job_show__of_a_job_whose_spec_is_lost__shows_the_rest(place: Place) -> None:
    found = place.answer(f"job show {place.lost}", 1)
    assert found["books"]["booked"] == "1030"
    assert found["trainers"][0]["earned"] is None
    assert "can't be read" in place.run(f"job show {place.lost}", 1).output


def test_amounts_in_another_token__carry_its_address(place: Place) -> None:
    short = f"({place.token[:6]}…{place.token[-4:]})"
    lines = place.run("job list").stdout.splitlines()
    assert [short in line for line in lines[1:]] == [True] + [False] * (len(lines) - 2), "newest first"


@pytest.mark.parametrize("code", [REVERTS, ENDLESS, ANSWERS_NOTHING])
@pytest.mark.parametrize(
    "words", ["job list", "job show {job}", "top {job}", "wallet show sponsor", "wallet history sponsor"]
)
def test_token_that_does_not_say_what_it_is__stops_no_command(place: Place, words: str, code: str) -> None:
    world = place.world
    before = world.chain.code(place.token)
    world.rpc("anvil_setCode", place.token, f"0x{code}")
    try:
        done = CliRunner().invoke(app, words.format(job=place.foreign).split())
    finally:
        world.rpc("anvil_setCode", place.token, "0x" + before.hex())
    assert "not an ERC-20" not in done.stderr and "sense" not in done.stderr, done.stderr
    if not words.startswith("wallet show"):
        assert f"units of {place.token[:6]}…{place.token[-4:]}" in done.stdout, done.stdout + done.stderr


def test_wallet_claim__that_a_token_refuses__is_named__and_the_others_are_claimed(place: Place) -> None:
    world = place.world
    later = world.post(spec=LOST)
    for job in (place.foreign, later):
        world.do("sponsor", world.federation.stop_call(job))
    before = world.chain.code(place.token)
    world.rpc("anvil_setCode", place.token, f"0x{REVERTS}")
    try:
        done = place.run("wallet claim --account sponsor", 1)
    finally:
        world.rpc("anvil_setCode", place.token, "0x" + before.hex())
    assert f"hansa: job {place.foreign}: can't take the rest of job {place.foreign} back" in done.stderr
    refunded = [world.federation.books(job).refunded for job in (place.foreign, later)]
    assert refunded == [0, 15_000]


def test_job_post__beyond_the_balance__says_so_in_tokens(place: Place) -> None:
    words = "job post --validators dave,erin,frank --account alice --rounds 1 --reward 1000000"
    done = place.run(words, 1)
    assert "can't pay an escrow of 1,000,015 HANSA: it has <0.000001 HANSA" in done.stderr
