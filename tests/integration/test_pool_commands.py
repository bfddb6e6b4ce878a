"""A pool from its deployment to a burnt stake, by the commands that a sponsor and its members type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from local_chain import find_anvil
from typer.testing import CliRunner

from aggregator.seats import has_work
from hansa.cli.aggregator.run import waiting_pool
from hansa.cli.main import app
from hansa.devnet.anvil import Anvil, published_key, rpc, start_anvil
from hansa.devnet.bootstrap import bootstrap
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Digest, JobId
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import signing_with
from hansa.runtime.workspace import Workspace

STAKERS = [f"staker-{number}" for number in range(1, 7)]
NAMES = ["sponsor", "trainer", *STAKERS]
POST = [
    *"job post --task heart --consensus staked --seats 2 --quorum 2 --trainers 1 --min-updates 1".split(),  # noqa: SIM905
    *"--no-rehearsal --rounds 1 --epoch 1s --report-time 1m --stake-minimum 10 --account sponsor".split(),  # noqa: SIM905
]
TOKEN = 10**18


class Party:
    """Commands in one directory, on one chain."""

    def __init__(self, anvil: Anvil, path: Path) -> None:
        self.anvil, self.path = anvil, path
        self.session = Session(bootstrap(Workspace(path), anvil, NAMES, name="pools"))

    def run(self, *words: str, refused: bool = False) -> Any:
        done = CliRunner().invoke(app, [*words, "--dir", str(self.path), "--json"])
        assert (done.exit_code != 0) == refused, done.output
        return done.output if refused else json.loads(done.stdout[done.stdout.index("{") :])

    def pass_time(self, seconds: int) -> None:
        rpc(self.anvil.url, "evm_increaseTime", seconds)
        rpc(self.anvil.url, "evm_mine")

    def do(self, name: str, *calls: Any) -> None:
        account = Account.from_key(published_key(NAMES.index(name)))
        journal = Workspace(self.path).journal(account.address)
        with signing_with(self.session.chain, account, journal) as signer:
            for call in calls:
                signer.do(call)


@pytest.fixture
def party(tmp_path: Path) -> Iterator[Party]:
    try:
        find_anvil()
    except FatalError as error:
        pytest.skip(str(error))
    anvil = start_anvil(tmp_path / "anvil.log", accounts=len(NAMES))
    try:
        yield Party(anvil, tmp_path)
    finally:
        anvil.stop()


def fail_a_cycle(party: Party, job: JobId) -> None:
    """One trainer submits, and the committee is silent."""
    federation, terms = party.session.federation, party.session.federation.terms(job)
    trainer = Account.from_key(published_key(1)).address
    approve = federation.approvals(terms.token, trainer, terms.min_bond)
    party.do("trainer", *approve, federation.enrol_call(job, federation.terms_hash(job), terms.min_bond, b""))
    party.pass_time(2)
    party.do("trainer", federation.open_call(job))
    state = federation.state(job)
    party.do("trainer", federation.submit_call(job, state.cycle, state.sheets, Digest(b"\1" * 32)))
    party.pass_time(terms.submit_time + terms.score_time)
    party.do("trainer", federation.fail_call(job, state.cycle))


def test_pool__is_deployed__filled__drawn_from__and_slashed(party: Party) -> None:
    pool = party.run(*POST)["pool"]
    said = party.run(*POST, "--committee", pool, refused=True)
    assert "has 0 stakers" in said and "hansa aggregator stake" in said
    for place, name in enumerate(STAKERS):
        staked = party.run("aggregator", "stake", "--pool", pool, "--amount", str(10 + place), "--account", name)
        assert (staked["staked"], staked["weight"]) == (str((10 + place) * TOKEN), 10 + place)
    said = party.run(*POST, "--committee", pool, "--seed", "7", refused=True)
    assert "this spec is not among its own" in said
    said = party.run("aggregator", "stake", "--pool", pool, "--amount", "1", "--account", "sponsor", refused=True)
    assert "is too small" in said

    posted = party.run(*POST, "--committee", pool)
    job, federation = JobId(posted["job"]), party.session.federation
    staker, stranger = (Account.from_key(published_key(NAMES.index(name))).address for name in ("staker-1", "trainer"))
    assert has_work(federation, job, federation.state(job), staker)
    assert not has_work(federation, job, federation.state(job), stranger)
    assert waiting_pool(federation, job, federation.state(job), stranger) == pool
    assert waiting_pool(federation, job, federation.state(job), staker) is None
    assert (posted["committee"], posted["consensus"], posted["seats"], posted["members"]) == (pool, "staked", 2, [])
    assert pool in Workspace(party.path).deployment().allowed.committees
    party.pass_time(2)
    assert party.run("aggregator", "report", "--job", str(job))["faults"] == []

    fail_a_cycle(party, job)
    found = party.run("aggregator", "report", "--job", str(job))["faults"]
    assert [(fault["cycle"], fault["seat"], fault["fault"], fault["reported"]) for fault in found] == [
        (1, seat, "did not commit to scores", False) for seat in (0, 1)
    ]
    party.run("aggregator", "report", "--job", str(job), "--send", "--account", "trainer")
    assert party.run("aggregator", "report", "--job", str(job))["faults"] == []

    member = found[0]["address"]
    name = next(
        n for n in STAKERS if party.run("aggregator", "status", "--job", str(job), "--account", n)["address"] == member
    )
    before = (10 + STAKERS.index(name)) * TOKEN
    stake = party.run("aggregator", "status", "--job", str(job), "--account", name)["stake"]
    assert (stake["staked"], stake["weight"]) == (str(before * 99 // 100), before * 99 // 100 // TOKEN)
    left = party.run("aggregator", "unstake", "--pool", pool, "--account", name)
    assert (left["staked"], left["leaving"], left["pool_stakers"]) == ("0", str(before * 99 // 100), 5)
    assert "has nothing to take out" in party.run(
        "aggregator", "unstake", "--pool", pool, "--account", name, refused=True
    )
    party.pass_time(20_000)
    assert party.run("aggregator", "unstake", "--pool", pool, "--account", name)["leaving"] == "0"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--consensus", "hybrid", "--seats", "5"], "--validators names nobody"),
        (["--consensus", "staked", "--validators", "sponsor"], "all its members are drawn"),
        (["--consensus", "staked"], "give --seats"),
        (["--consensus", "votes"], "use appointed, staked, hybrid, coupled"),
        (["--consensus", "coupled", "--seats", "3", "--trainers", "4", "--min-updates", "3"], "give --min-updates 4"),
        (["--consensus", "staked", "--seats", "3", "--failures", "3"], "give --failures 5 or more"),
        (["--validators", "sponsor", "--committee", "0x" + "11" * 20], "--committee is given for an appointed"),
    ],
)
def test_post__of_an_impossible_committee__is_refused_in_words(party: Party, words: list[str], problem: str) -> None:
    said = party.run("job", "post", "--task", "heart", "--no-rehearsal", "--account", "sponsor", *words, refused=True)
    assert problem in " ".join(said.split())
