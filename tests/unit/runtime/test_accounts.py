"""Which key a name means, and where its password comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from hansa.devnet.anvil import published_key, require_local
from hansa.devnet.bootstrap import make_keystores
from hansa.devnet.folder import account_names
from hansa.protocol.errors import BadKey, FatalError
from hansa.runtime.accounts import address_of, find_keystore, keystores, load_account, new_password, password_for
from hansa.runtime.keystore import Keyfile
from hansa.runtime.workspace import Workspace

FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # anvil's published account 0


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("HANSA_PASSWORD", raising=False)
    make_keystores(tmp_path / "keys", account_names(1, 1))
    return Workspace(tmp_path)


def test_account_names__sponsor_first() -> None:
    assert account_names(2, 1) == ["sponsor", "trainer-1", "trainer-2", "validator-1"]


def test_keystores__are_the_published_accounts_for_their_owner_alone(workspace: Workspace) -> None:
    assert load_account(workspace, "sponsor").address == FIRST
    assert (workspace.keys / "sponsor.json").stat().st_mode & 0o777 == 0o600


def test_keystore__by_name_path_and_address(workspace: Workspace) -> None:
    path = workspace.keys / "sponsor.json"
    assert find_keystore(workspace, "sponsor") == path
    assert find_keystore(workspace, str(path)) == path
    assert find_keystore(workspace, FIRST.lower()) == path


def test_keystore__without_a_name__when_there_are_several__lists_them(workspace: Workspace) -> None:
    with pytest.raises(FatalError, match="sponsor, trainer-1, validator-1"):
        find_keystore(workspace, None)


def test_keystore__without_a_name__when_there_is_one(tmp_path: Path) -> None:
    make_keystores(tmp_path / "keys", ["alice"])
    assert find_keystore(Workspace(tmp_path), None).stem == "alice"


def test_keystore__that_nobody_has(workspace: Workspace) -> None:
    with pytest.raises(FatalError, match="no keystore is called bob"):
        find_keystore(workspace, "bob")


@pytest.mark.parametrize("text", ["not JSON", "[]", "{}"])
def test_keystore__that_is_none__is_not_called_missing(workspace: Workspace, text: str) -> None:
    (workspace.keys / "broken.json").write_text(text)
    (workspace.keys / "broken.json").chmod(0o600)
    with pytest.raises(BadKey, match=r"broken\.json is not a"):
        load_account(workspace, "broken", workspace.keys / "password")
    with pytest.raises(BadKey, match=r"broken\.json is not a"):
        address_of(workspace, "broken")


def test_address__of_an_address_needs_no_keystore(workspace: Workspace) -> None:
    assert address_of(workspace, "0x" + "ab" * 20).lower() == "0x" + "ab" * 20
    with pytest.raises(FatalError, match="not an address"):
        address_of(workspace, "0x12")
    with pytest.raises(FatalError, match="its checksum is wrong, so .* copy it again"):
        address_of(workspace, "0x15d34aAf54267DB7D7c367839AAf71A00a2C6A65")


def test_password__from_the_environment_wins_over_the_published_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANSA_PASSWORD", "wrong")
    with pytest.raises(BadKey, match="password"):
        load_account(workspace, "sponsor")


def test_password__that_nobody_gave__where_nobody_can_be_asked(tmp_path: Path) -> None:
    with open(os.devnull) as nothing, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", nothing)
        with pytest.raises(FatalError, match="--password-file"):
            password_for(tmp_path / "alice.json", None)


def test_password__that_is_found__is_used_for_the_keys_that_it_opens(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANSA_PASSWORD", raising=False)
    mine = Keyfile.create(workspace.keys / "mine.json", "typed", light=True)
    with open(os.devnull) as nothing, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", nothing)
        assert load_account(workspace, "sponsor").address == FIRST
        with pytest.raises(FatalError, match=r"the password of .*mine\.json is not given; set HANSA_PASSWORD"):
            load_account(workspace, "mine")
    monkeypatch.setattr("hansa.runtime.accounts.sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("hansa.runtime.accounts.getpass.getpass", lambda prompt: "typed")
    assert load_account(workspace, "mine").address == mine.address


def test_published_accounts__stay_on_local_chains() -> None:
    require_local(31337)
    assert published_key(0).hex().startswith("ac0974")
    with pytest.raises(FatalError, match="chain 1 is not a local test chain"):
        require_local(1)


def test_new_password__is_given_or_asked_for_twice__never_a_published_one(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file, typed = workspace.keys / "new.json", tmp_path / "file", iter(["typed", "typed", "typed", "other"])
    assert password_for(workspace.keys / "sponsor.json", None) == (workspace.keys / "password").read_text().strip()
    monkeypatch.setattr("hansa.runtime.accounts.sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("hansa.runtime.accounts.getpass.getpass", lambda prompt: next(typed))
    assert new_password(path, None) == "typed"
    with pytest.raises(FatalError, match="the two passwords differ"):
        new_password(path, None)
    monkeypatch.setenv("HANSA_PASSWORD", "of the environment")
    assert new_password(path, None) == "of the environment"
    file.write_text("of the file\n")
    assert new_password(path, file) == "of the file"


@pytest.mark.parametrize("given", ["", "\n", " ", "\r\n"])
def test_password__that_is_empty__is_refused__wherever_it_comes_from(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    path, file = workspace.keys / "sponsor.json", tmp_path / "file"
    file.write_text(given)
    monkeypatch.setattr("hansa.runtime.accounts.sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("hansa.runtime.accounts.getpass.getpass", lambda prompt: given.strip("\r\n"))
    for ask in (password_for, new_password):
        with pytest.raises(FatalError, match=f"password file {file} is empty"):
            ask(path, file)
    with pytest.raises(FatalError, match="the password is empty"):
        new_password(path, None)
    monkeypatch.setenv("HANSA_PASSWORD", given)
    for ask in (password_for, new_password):
        with pytest.raises(FatalError, match="HANSA_PASSWORD is empty"):
            ask(path, None)


def test_keystore__without_an_address__works_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANSA_PASSWORD", raising=False)
    make_keystores(tmp_path / "keys", ["alice"])
    path = tmp_path / "keys" / "alice.json"
    document = json.loads(path.read_text())
    del document["address"]
    path.write_text(json.dumps(document))
    workspace = Workspace(tmp_path)
    assert list(keystores(workspace.keys)) == [(path, None)]
    for name in (None, "alice", str(path)):
        assert find_keystore(workspace, name) == path
        assert load_account(workspace, name).address == FIRST
    with pytest.raises(FatalError, match=r"holds alice \(address known only after opening\)"):
        find_keystore(workspace, FIRST)
    with pytest.raises(BadKey, match="does not say its address: address known only after opening; name the address"):
        address_of(workspace, "alice")
