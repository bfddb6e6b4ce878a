"""`hansa job cost` on a chain, and on one that looks like a rollup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import World

from hansa.cli.main import app
from hansa.protocol.types import JobId
from hansa.runtime.chain.dialects import L1_ORACLES, Randomness, randomness_of

SEVEN = "0x600760005260206000f3"  # code that says 7 to every question
PLAN = ("--trainers", "10", "--validators", "5", "--rounds", "15", "--updates", "8")


@pytest.fixture
def here(world_once: tuple[World, JobId], tmp_path: Path) -> Path:
    world_once[0].deployment.save(tmp_path / "deployment.json")
    return tmp_path


def cost(here: Path, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["job", "cost", *PLAN, *words, "--json", "--dir", str(here)])
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_cost__on_a_chain__is_gas_at_its_price(here: Path, world_once: tuple[World, JobId]) -> None:
    assert randomness_of(world_once[0].chain) == Randomness.RANDAO
    found = cost(here)
    assert (found["chain_id"], found["l1_fee"], found["updates"]) == (31337, False, 8)
    assert int(found["fee"]) == int(found["gas_price"]) * found["gas"] > 0
    assert found["gas"] == sum(call["total_gas"] for call in found["calls"])
    every = cost(here, "--updates", "10")
    assert int(every["fee"]) == sum(int(party["fee"]) * party["parties"] for party in every["parties"])
    assert int(cost(here, "--gas-gwei", "2.5")["fee"]) == 2_500_000_000 * found["gas"]


def test_cost__of_a_rollup__has_its_fee_for_the_chain_below(here: Path, world_once: tuple[World, JobId]) -> None:
    world, oracle = world_once[0], L1_ORACLES["OP stack"]
    world.rpc("anvil_setCode", oracle, SEVEN)
    try:
        found = cost(here, "--gas-gwei", "0")
    finally:
        world.rpc("anvil_setCode", oracle, "0x")
    sent = sum(call["parties"] * call["times"] for call in found["calls"])
    assert found["l1_fee"] and int(found["fee"]) == 7 * sent


def test_cost__for_people__and_what_is_refused(here: Path) -> None:
    def told(*words: str) -> Any:
        return CliRunner().invoke(app, ["job", "cost", *words, "--dir", str(here)])

    shown = told(*PLAN).stdout
    for line in (
        "submit",
        "each trainer pays ",
        "whoever opens and finalises pays ",
        "a round: ",
        " of a block; the job: ",
    ):
        assert line in shown, shown
    assert "--updates 9 is out of range" in told("--trainers", "4", "--updates", "9").stderr
    assert "--gas-gwei -1" in told("--gas-gwei", "-1").stderr
    assert "not counted: what the contract that draws" in told(*PLAN, "--consensus", "staked").stdout
    assert "attest" in told(*PLAN, "--privacy", "masked").stdout
    assert "doesn't go with --privacy masked" in told("--privacy", "masked", "--consensus", "coupled").stderr
    assert "--trainers 257 is out of range" in told("--privacy", "masked", "--trainers", "257").stderr
