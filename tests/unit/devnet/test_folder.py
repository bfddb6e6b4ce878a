"""A local chain's folder: what no chain's command made stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.devnet.anvil import published_address, published_key
from hansa.devnet.bootstrap import make_keystores
from hansa.devnet.folder import Devnet, make_room, require_deployment
from hansa.protocol.errors import BadKey, FatalError
from hansa.runtime.keystore import Keyfile

FEDERATION = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
OTHER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
UP, DEMO = Devnet("up", 1, 1), Devnet("demo", 1, 1)


def deployment(directory: Path, **changes: Any) -> None:
    fields = {"name": "x", "chain_id": 31337, "rpc": ["http://127.0.0.1:1"], "federation": FEDERATION, "vault": OTHER,
              "token": OTHER, "admission": OTHER, "first_block": 0,
              "store": {"kind": "local", "path": "store"}}  # fmt: skip
    (directory / "deployment.json").write_text(json.dumps(fields | changes))


def own_key(directory: Path, name: str = "trainer-1") -> None:
    Keyfile.create(directory / "keys" / f"{name}.json", "mine", light=True)


def journal(directory: Path, name: str) -> None:
    (directory / "journals").mkdir(exist_ok=True)
    (directory / "journals" / name).write_text("decided")


def filled(directory: Path, name: str) -> None:
    (directory / name).mkdir()
    (directory / name / "x").write_text("x")


def contents(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def refused(directory: Path, made: Devnet, named: str) -> None:
    before = contents(directory)
    with pytest.raises(FatalError, match=f"holds .*{named}.*made that, so none replaces it; name another directory"):
        make_room(directory, made)
    assert contents(directory) == before


@pytest.mark.parametrize("made", [UP, DEMO], ids=["up", "demo"])
@pytest.mark.parametrize(
    ("prepare", "named"),
    [
        (own_key, "keys"),
        (lambda directory: journal(directory, f"{OTHER.lower()}-job-1.sqlite"), "journals"),
        (deployment, "deployment.json"),
        (lambda directory: deployment(directory, chain_id=11155111), "deployment.json"),
        (lambda directory: (directory / "deploying.json").write_text("{}"), "deploying.json"),
        (lambda directory: (directory / "job-1.hansa").write_text("an archive"), "job-1.hansa"),
        (lambda directory: filled(directory, "store"), "store"),
        (lambda directory: filled(directory, "logs"), "logs"),
    ],
)
def test_folder__that_no_chain_made__stays_as_it_is(
    tmp_path: Path, made: Devnet, prepare: Callable[[Path], None], named: str
) -> None:
    prepare(tmp_path)
    refused(tmp_path, made, named)


@pytest.mark.parametrize(
    ("prepare", "named"),
    [
        (lambda directory: own_key(directory, "mine"), "keys/mine.json"),
        (own_key, "keys/trainer-1.json"),
        (lambda directory: (directory / "keys" / "password").write_text("mine"), "keys/password"),
        (lambda directory: journal(directory, f"{OTHER.lower()}-job-1.sqlite"), f"journals/{OTHER.lower()}-job-1"),
        (lambda directory: deployment(directory, federation=OTHER), "deployment.json"),
        (lambda directory: deployment(directory, chain_id=1), "deployment.json"),
        (lambda directory: (directory / "deploying.json").write_text("{}"), "deploying.json"),
        (lambda directory: (directory / "job-1.hansa").write_text("an archive"), "job-1.hansa"),
        (lambda directory: filled(directory, "logs"), "logs"),
        (lambda directory: filled(directory, "store"), "store/x"),
        (lambda directory: (directory / "store").symlink_to(directory.parent), "store"),
        (lambda directory: (directory / "journals").symlink_to(directory.parent), "journals"),
    ],
)
def test_new_chain__in_a_folder_where_a_user_has_put_something__refuses(
    tmp_path: Path, prepare: Callable[[Path], None], named: str
) -> None:
    make_room(tmp_path, UP)
    make_keystores(tmp_path / "keys", UP.names)
    (tmp_path / "keys" / "trainer-1.json").unlink()
    UP.save(tmp_path, federation=FEDERATION)
    deployment(tmp_path)
    prepare(tmp_path)
    refused(tmp_path, UP, named)


def test_new_chain__clears_what_its_command_made__and_nothing_else(tmp_path: Path) -> None:
    make_room(tmp_path, UP)
    make_keystores(tmp_path / "keys", UP.names)
    UP.save(tmp_path, federation=FEDERATION)
    deployment(tmp_path)
    for name in (f"{published_address(1).lower()}-job-1.sqlite", "trainer-1.sqlite", "trainer-1.sqlite-wal"):
        journal(tmp_path, name)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "secrets.env").write_text("KEY=mine")
    make_room(tmp_path, Devnet("up", 2, 1))
    assert set(contents(tmp_path)) == {"devnet.json", "notes.txt", "secrets.env"}
    assert Devnet.load(tmp_path) == Devnet("up", 2, 1)


def test_folder__of_another_command__is_refused(tmp_path: Path) -> None:
    make_room(tmp_path, DEMO)
    with pytest.raises(FatalError, match="is that of a chain by `hansa demo`; name another directory"):
        make_room(tmp_path, UP)


def test_empty_folders__are_no_hindrance(tmp_path: Path) -> None:
    for name in ("store", "keys", "journals"):
        (tmp_path / name).mkdir()
    make_room(tmp_path, UP)


def test_deployment__put_in_place_of_a_chains_own__is_refused(tmp_path: Path) -> None:
    made = UP.save(tmp_path, federation=FEDERATION)
    deployment(tmp_path)
    assert require_deployment(tmp_path, made).federation == FEDERATION
    deployment(tmp_path, federation=OTHER)
    with pytest.raises(FatalError, match="is a deployment on another chain"):
        require_deployment(tmp_path, made)


def test_keystores__of_published_accounts__overwrite_nobodys(tmp_path: Path) -> None:
    own_key(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(BadKey, match="trainer-1.json is another account's"):
        make_keystores(tmp_path / "keys", UP.names)
    assert before.items() <= contents(tmp_path).items()
    (tmp_path / "keys" / "password").write_text("mine\n")
    with pytest.raises(BadKey, match="is another password"):
        make_keystores(tmp_path / "keys", ["sponsor"])
    assert (tmp_path / "keys" / "password").read_text() == "mine\n"


def test_keystores__that_are_there__stay(tmp_path: Path) -> None:
    make_keystores(tmp_path, UP.names)
    before = contents(tmp_path)
    addresses = make_keystores(tmp_path, UP.names)
    assert contents(tmp_path) == before
    assert bytes(Keyfile.load(tmp_path / "trainer-1.json", "hansa").key) == published_key(1)
    assert addresses["trainer-1"] == published_address(1)
