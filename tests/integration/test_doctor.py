"""`hansa doctor` against a chain: what is wrong is found, named, and comes with what to do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import World

from hansa.cli.main import app
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.types import JobId
from hansa.runtime.chain.bytecode import filled
from hansa.runtime.chain.deployment import Allowed, Deployment

Once = tuple[World, JobId]


@pytest.fixture
def here(world_once: Once, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    world_once[0].deployment.save(tmp_path / "deployment.json")
    make_keystores(tmp_path / "keys", ["sponsor", "alice"])
    return tmp_path


def diagnose(here: Path, deployment: Deployment | None = None) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and state and text by what was looked at; of several endpoints the last."""
    if deployment is not None:
        deployment.save(here / "deployment.json")
    done = CliRunner().invoke(app, ["doctor", "--json"])
    found: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, {item["what"]: (item["state"], item["text"]) for item in found["findings"]}


def test_doctor__of_a_store_that_others_can_not_read(here: Path, world_once: Once) -> None:
    deployment = world_once[0].deployment
    elsewhere = [url.replace("127.0.0.1", "0.0.0.0") for url in deployment.rpc]
    code, found = diagnose(here, deployment.updated(rpc=elsewhere))
    assert code == 0 and found["store"][0] == "warning"
    assert "which parties on others can't read" in found["store"][1] and "--store kubo" in found["store"][1]


def test_doctor__of_a_healthy_federation(here: Path, world_once: Once) -> None:
    code, found = diagnose(here)
    assert code == 0, found
    for what in (
        "endpoint",
        "contracts",
        "token",
        "logs",
        "store",
        "gas",
        "balances",
        "allow-list",
        "jobs",
        "parties",
        "keystores",
    ):
        assert found[what][0] == "ok", found[what]
    assert "1 job" in found["logs"][1]
    assert "our test token" in found["token"][1]


def test_doctor__finds_an_endpoint_that_is_dead(here: Path, world_once: Once) -> None:
    deployment = world_once[0].deployment
    code, found = diagnose(here, deployment.updated(rpc=[*deployment.rpc, "http://127.0.0.1:9"]))
    assert code == 1
    assert found["endpoint"][0] == "wrong" and "127.0.0.1:9 does not answer" in found["endpoint"][1]


def test_doctor__finds_an_endpoint_of_another_chain(here: Path, world_once: Once) -> None:
    code, found = diagnose(here, world_once[0].deployment.updated(chain_id=1))
    assert code == 1
    assert "is chain 31337, not 1" in found["endpoint"][1]


def test_doctor__finds_that_the_folder_of_the_store_is_gone__and_makes_no_other(here: Path, world_once: Once) -> None:
    gone = here / "moved away"
    code, found = diagnose(here, world_once[0].deployment.updated(store={"kind": "local", "path": str(gone)}))
    assert code == 1
    assert found["store"][0] == "wrong" and f"{gone} is missing" in found["store"][1]
    assert not gone.exists()


@pytest.mark.parametrize("name", ["federation", "vault"])
@pytest.mark.parametrize("place", [40, -60])
def test_doctor__finds_code_that_is_not_ours(here: Path, world_once: Once, name: str, place: int) -> None:
    world = world_once[0]
    address = getattr(world.deployment, name)
    code = bytearray(world.chain.code(address))
    before = bytes(code)
    code[place] ^= 1
    world.rpc("anvil_setCode", address, "0x" + code.hex())
    try:
        exit_code, found = diagnose(here)
    finally:
        world.rpc("anvil_setCode", address, "0x" + before.hex())
    assert exit_code == 1
    assert found["contracts"][0] == "wrong"


def test_doctor__finds_an_immutable_that_names_another(here: Path, world_once: Once) -> None:
    world = world_once[0]
    before = world.chain.code(world.deployment.vault)
    other = before.replace(bytes.fromhex(world.deployment.federation[2:]), bytes.fromhex(world.address("alice")[2:]))
    assert other != before
    world.rpc("anvil_setCode", world.deployment.vault, "0x" + other.hex())
    try:
        exit_code, found = diagnose(here)
    finally:
        world.rpc("anvil_setCode", world.deployment.vault, "0x" + before.hex())
    assert exit_code == 1
    assert "serves another federation" in found["contracts"][1]


def test_filled__knows_each_contract_from_the_others(world_once: Once) -> None:
    world = world_once[0]
    names = {
        "Federation": world.deployment.federation,
        "Vault": world.deployment.vault,
        "RewardToken": world.deployment.token,
    }
    fits = {
        (name, other) for name in names for other in names if filled(name, world.chain.code(names[other])) is not None
    }
    assert fits == {(name, name) for name in names}
    assert filled("Vault", b"") is None


def test_doctor__finds_jobs_that_are_too_quick_and_an_empty_allow_list(here: Path, world_once: Once) -> None:
    code, found = diagnose(here, world_once[0].deployment.updated(confirmations=1000, allowed=Allowed()))
    assert code == 1
    assert "job 1: submit, score, reveal, vote, finalize shorter than" in found["jobs"][1]
    assert found["allow-list"][0] == "warning" and "add it to deployment.json" in found["allow-list"][1]


YES = "600160005260206000f3"
CODES = {  # runtime code in a party's place, and what is said of it
    "committee": {
        "": "has no code: no round can be opened",
        "00": "gives no list of members",
        "60006000fd": "refuses to name members",
        "602060005260206020f3": "gives no list of members",  # a list that begins beyond its end
        "6020600052600360205260606000f3": "gives no list of members",  # shorter than it says
        "6020600052600060205260406000f3": "names 0 members for 3 seats",
        "6020600052600360205260056040526005606052600660805260a06000f3": "names a member twice, or out of order",
    },
    "admission": {
        "": "has no code: nobody can enrol",
        "00": "does not say yes or no",
        "600760005260206000f3": "does not say yes or no",  # 7
        "60006000fd": None,  # refuses nobody in particular
        YES: None,
    },
}


@pytest.mark.parametrize(("party", "code"), [(party, code) for party, codes in CODES.items() for code in codes])
def test_doctor__looks_at_a_jobs_committee_and_admission(here: Path, world_once: Once, party: str, code: str) -> None:
    world, job = world_once
    at = getattr(world.federation.terms(job), party)
    before = world.chain.code(at)
    world.rpc("anvil_setCode", at, f"0x{code}")
    try:
        exit_code, found = diagnose(here)
    finally:
        world.rpc("anvil_setCode", at, "0x" + before.hex())
    said = CODES[party][code]
    if said is None:
        assert found["parties"][0] == "ok", found["parties"]
    else:
        assert exit_code == 1 and found["parties"][0] == "wrong"
        assert f"job {job}'s {party} {at} {said}" in found["parties"][1]


def test_doctor__finds_a_key_that_is_no_keystore(here: Path) -> None:
    (here / "keys" / "broken.json").write_text("{")
    os.chmod(here / "keys" / "broken.json", 0o600)
    code, found = diagnose(here)
    assert code == 1
    assert "broken.json can't be read as keystores" in found["keystores"][1]
