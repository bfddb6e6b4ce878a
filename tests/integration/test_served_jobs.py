"""What a daemon does before it serves a job: it asks for jobs in one way, and pays nothing where it has no seat."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner
from worlds import MEMBERS, NAMES, World

from aggregator.seats import check_can_be_drawn, has_work
from hansa.cli.main import app
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.errors import FatalError
from hansa.runtime.store import open_store
from hansa.sponsor.post import prepare


def test_appointed_committee__never_draws_a_stranger__who_is_told_so(world: World) -> None:
    job = world.post()
    state = world.federation.state(job)
    for name in MEMBERS:
        check_can_be_drawn(world.federation, job, state, world.address(name))
        assert has_work(world.federation, job, state, world.address(name))
    with pytest.raises(FatalError, match="can never have a seat in job 1: its committee 0x.* is appointed: 0x"):
        check_can_be_drawn(world.federation, job, state, world.address("alice"))
    assert not has_work(world.federation, job, state, world.address("alice"))


def test_validator__that_can_never_be_drawn__pays_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store, prepared = open_store(world.deployment.store), prepare("heart", seed=0)
    world.post(spec=store.put(prepared.spec.encode()), model=store.put(prepared.model.encode()))
    monkeypatch.setenv("HANSA_DIR", str(world.directory))
    world.deployment.save(world.directory / "deployment.json")
    make_keystores(world.directory / "keys", NAMES)
    before = world.chain.balance(world.address("alice"))
    done = CliRunner().invoke(app, ["aggregator", "run", "--job", "1", "--account", "alice"])
    assert done.exit_code == 1
    assert (
        "can never have a seat in job 1" in done.stderr and "name one of these accounts with --account" in done.stderr
    )
    assert world.chain.balance(world.address("alice")) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which job is not said; give --job N, --jobs 1,2 or --jobs all"),
        (["--job", "1", "--jobs", "all"], "--job and --jobs are both given"),
        (["--jobs", "one"], "--jobs 'one' names no jobs; write it like 1,2, or all"),
        (["--jobs", "0"], "--jobs '0' names no jobs"),
    ],
)
@pytest.mark.parametrize("daemon", [["trainer", "run", "--source", "0"], ["aggregator", "run"]])
def test_jobs__are_named_in_one_way(daemon: list[str], words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, [*daemon, *words])
    assert done.exit_code == 1
    assert said in done.stderr
