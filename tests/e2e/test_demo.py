"""The demo as users run it: what it prints as JSON holds together, and a seed gives the same models anywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import COLD, warm_command
from typer.testing import CliRunner

from hansa.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240


def hansa(*words: str, command: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    words = (*(command or warm_command()), *words)
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def demo(directory: Path, *words: str) -> dict[str, Any]:
    """In this process, whose daemons are forked from one that may be warm already."""
    done = CliRunner().invoke(app, ["demo", "--json", "--dir", str(directory), *words], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def models(shown: dict[str, Any]) -> list[str]:
    return [line["model"] for line in shown["rounds"]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    words = ("demo", "--json", "--dir", str(tmp_path_factory.mktemp("demo")), "--rounds", "4", "--seed", "7")
    done = hansa(*words, command=COLD)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_demo__prints_exactly_what_it_says(shown: dict[str, Any]) -> None:
    assert list(shown) == [
        "job", "chain_id", "task", "rounds", "accuracy", "rewards", "validators", "gas", "conservation", "seconds",
        "coinless",
    ]  # fmt: skip
    assert (shown["job"], shown["chain_id"], shown["task"]) == (1, 31337, "heart")
    assert [line["round"] for line in shown["rounds"]] == [1, 2, 3, 4]
    assert list(shown["rounds"][0]) == ["round", "cycle", "model", "metric", "updates", "included", "gas"]
    gas = dict(shown["gas"])
    assert list(gas) == ["submit", "commit", "reveal", "vote", "finalize", "vote and finalize", "open", "claim"]
    ways = {gas.pop("finalize"), gas.pop("vote and finalize")} - {0}  # of ending a round: not every demo has both
    assert ways and all(used > 20_000 for used in {*gas.values(), *ways})


def test_demo__measures_every_hospital_and_every_baseline(shown: dict[str, Any]) -> None:
    accuracy = shown["accuracy"]
    assert list(accuracy) == ["federated", "local_own", "local_all", "pooled", "majority"]
    for name in ("federated", "local_own", "local_all"):
        assert list(accuracy[name]["by_trainer"]) == ["cleveland", "hungary", "switzerland", "va"]
        assert 0.5 < accuracy[name]["mean"] < 1.0
    assert 0.5 < accuracy["majority"] < accuracy["pooled"] < 1.0


def test_demo__conserves_every_unit(shown: dict[str, Any]) -> None:
    line = {name: int(amount) for name, amount in shown["conservation"].items()}
    assert line["escrowed"] == line["paid"] + line["refunded"] + line["burnt"] + line["left"]
    assert line["escrowed"] == 4 * (100 + 3 * 5) * 10**18
    assert line["left"] < 4 * 4, "only what division leaves over"
    rewards = sum(int(row["claimed"]) for row in shown["rewards"])
    fees = sum(int(row["paid"]) for row in shown["validators"])
    assert rewards + fees == line["paid"]


def test_demo__pays_trainers_and_returns_bonds(shown: dict[str, Any]) -> None:
    for row in shown["rewards"]:
        assert row["claimed"] == row["pay"]
        assert int(row["balance"]) == 10_000 * 10**18 + int(row["pay"]), "the bond is back, the pay is there"
        assert row["strikes"] == 0


def test_demo__every_validator_matches_in_every_round(shown: dict[str, Any]) -> None:
    assert [(row["matched"], row["wrong"], row["missed"]) for row in shown["validators"]] == [(4, 0, 0)] * 3
    assert [int(row["paid"]) for row in shown["validators"]] == [4 * 5 * 10**18] * 3


@pytest.mark.slow
def test_demo__same_seed__other_order_and_other_threads__same_models(shown: dict[str, Any], tmp_path: Path) -> None:
    again = demo(tmp_path, "--rounds", "4", "--seed", "7", "--shuffle", "3", "--validator-threads", "1,2")
    assert models(again) == models(shown)


@pytest.mark.slow
def test_demo__another_seed__other_models(shown: dict[str, Any], tmp_path: Path) -> None:
    again = demo(tmp_path, "--rounds", "1", "--seed", "8")
    assert models(again)[0] != models(shown)[0]


def test_demo__other_numbers_of_parties(tmp_path: Path) -> None:
    small = demo(tmp_path, "--rounds", "1", "--trainers", "3", "--validators", "1")
    assert len(small["rewards"]) == 3
    assert len(small["validators"]) == 1
    assert small["rounds"][0]["updates"] == 3


@pytest.mark.slow
def test_demo__keep__leaves_a_chain_to_look_at(tmp_path: Path) -> None:
    done = hansa("demo", "--json", "--dir", str(tmp_path), "--rounds", "1", "--keep")
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)
    where = ("--dir", str(tmp_path), "--json")
    try:
        job = json.loads(hansa("job", "show", "1", *where).stdout)
        assert job["state"]["phase"] == "COMPLETED"
        assert job["cycles"][0]["model"] == models(kept)[0]
        receipt = json.loads(hansa("wallet", "why", "trainer-1", *where).stdout)
        assert receipt["pay"] == kept["rewards"][0]["pay"]
        wallet = json.loads(hansa("wallet", "show", "trainer-1", *where).stdout)
        assert wallet["balance"] == kept["rewards"][0]["balance"]
        moved = json.loads(hansa("wallet", "history", "trainer-1", *where).stdout)["movements"]
        assert sum(int(row["amount"]) for row in moved) == int(kept["rewards"][0]["pay"])
        for name in sorted(path.stem for path in (tmp_path / "keys").glob("*.json")):
            explained_to_the_unit(name, *where)
        refused = hansa("demo", "--dir", str(tmp_path))
        assert refused.returncode == 1
        assert "has a chain already" in refused.stderr
    finally:
        assert hansa("up", "--stop", "--dir", str(tmp_path)).returncode == 0


def explained_to_the_unit(name: str, *where: str) -> None:
    """What `wallet why` adds up to is what the chain moved. In this process: there are many accounts."""
    why, history = (
        json.loads(CliRunner().invoke(app, ["wallet", noun, name, *where], catch_exceptions=False).stdout)
        for noun in ("why", "history")
    )
    moved: dict[str, int] = {}
    for row in history["movements"]:
        moved[row["kind"]] = moved.get(row["kind"], 0) + int(row["amount"])
    paid, fees = moved.get("RewardClaimed", 0), moved.get("FeesClaimed", 0)
    assert int(why.get("pay", 0)) == sum(int(line["pay"]) for line in why.get("rounds", [])) == paid, name
    assert int(why["seat"]["fees"] if "seat" in why else 0) == fees, name
    if "escrow" not in why:
        assert paid + fees > 0, name
        return
    escrow = {what: int(amount) for what, amount in why["escrow"].items() if what != "lines"}
    assert escrow["escrow"] == -moved["Deposited"] == sum(escrow.values()) - escrow["escrow"]
    assert escrow["rest"] == moved.get("RestReturned", 0)


@pytest.mark.skipif(shutil.which("ipfs") is None, reason="needs Kubo: no ipfs on PATH")
def test_demo__on_kubo__same_models(shown: dict[str, Any], tmp_path: Path) -> None:
    on_kubo = demo(tmp_path, "--rounds", "4", "--seed", "7", "--store", "kubo")
    assert models(on_kubo) == models(shown)
