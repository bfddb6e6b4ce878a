"""Every command that opens a key refuses one that is not protected, or that is not the key of the address it states."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner
from worlds import NAMES, World

from hansa.cli.main import app
from hansa.devnet.anvil import published_key
from hansa.protocol.types import JobId
from hansa.runtime.keystore import Keyfile

Once = tuple[World, JobId]
COMMANDS = [
    "deploy --rpc URL --dir elsewhere --account KEYFILE",
    "job post --validators 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --reward 0.000000000000000001",
    "job stop 1",
    "trainer run --job 1 --source 0",
    "aggregator run --job 1",
    "wallet claim",
    "wallet import copy --light --file KEYFILE",
    "audit 1 --account alice",
    "id key",
    "id delegate 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "credential issue 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "credential revoke 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "credential export 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
]
STRANGER = "5e" * 20


@pytest.fixture
def key(world_once: Once, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keystore of the password 'secret', the only one of its directory; its account has tokens and coins."""
    world, _ = world_once
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    monkeypatch.setenv("HANSA_PASSWORD", "secret")
    world.deployment.save(tmp_path / "deployment.json")
    path = tmp_path / "keys" / "alice.json"
    Keyfile.create(path, "secret", published_key(NAMES.index("alice")), light=True)
    return path


def refusal(world: World, command: str, key: Path) -> str:
    """What a command ends with, which has sent nothing."""
    words = command.replace("URL", world.anvil.url).replace("KEYFILE", str(key)).split()
    count = world.rpc("eth_getTransactionCount", world.address("alice"), "pending")
    done = CliRunner().invoke(app, words)
    assert done.exit_code not in (0, 70), f"{command}: {done.output}"
    assert world.rpc("eth_getTransactionCount", world.address("alice"), "pending") == count
    return done.output


@pytest.mark.parametrize("command", [*COMMANDS, "wallet new another"])
def test_empty_password__is_refused(world_once: Once, key: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSA_PASSWORD", "")
    assert "HANSA_PASSWORD is empty" in refusal(world_once[0], command, key)
    assert [path.name for path in key.parent.iterdir()] == ["alice.json"]


@pytest.mark.parametrize("command", [*COMMANDS, "wallet new another"])
def test_empty_password_file__is_refused(world_once: Once, key: Path, command: str) -> None:
    (empty := key.parent.parent / "empty").write_text("\n")
    assert "empty is empty" in refusal(world_once[0], f"{command} --password-file {empty}", key)
    assert [path.name for path in key.parent.iterdir()] == ["alice.json"]


@pytest.mark.parametrize("command", COMMANDS)
def test_keystore__that_states_anothers_address__is_refused(world_once: Once, key: Path, command: str) -> None:
    key.write_text(json.dumps({**json.loads(key.read_text()), "address": STRANGER}))
    assert f"says that it is for 0x{STRANGER}" in refusal(world_once[0], command, key)
    assert [path.name for path in key.parent.iterdir()] == ["alice.json"]


def test_keystore__that_states_no_address__is_opened(world_once: Once, key: Path) -> None:
    document = json.loads(key.read_text())
    del document["address"]
    key.write_text(json.dumps(document))
    done = CliRunner().invoke(app, ["wallet", "claim", "--json"])
    assert json.loads(done.stdout)["address"] == world_once[0].address("alice")
