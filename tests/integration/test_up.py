"""`hansa up`: its chain goes on where it was, and nothing of a user's is overwritten."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.devnet.anvil import Anvil, find_anvil
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.errors import FatalError

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--trainers", "1", "--validators", "1")


class Shell:
    """Commands of one user in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "HANSA_DIR": str(folder / "hansa")}
        self.environment.pop("HANSA_PASSWORD", None)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hansa.cli.main", *words]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def done(self, *words: str, **environment: str) -> str:
        found = self.run(*words, **environment)
        assert found.returncode == 0, found.stderr
        return found.stdout

    def ask(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str, **environment: str) -> str:
        found = self.run(*words, **environment)
        assert found.returncode == 1 and found.stderr.count("\n") == 1, found.stderr
        return found.stderr

    def files(self, *names: str) -> dict[Path, bytes]:
        listed = [path for name in names for path in (self.folder / "hansa" / name).rglob("*")]
        return {path: path.read_bytes() for path in listed if path.is_file()}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    try:
        find_anvil()
    except FatalError as error:
        pytest.skip(str(error))
    somebody = Shell(tmp_path)
    try:
        yield somebody
    finally:
        somebody.run("up", "--stop")


def post(shell: Shell) -> None:
    shell.done("job", "post", "--account", "sponsor", "--validators", "validator-1", "--trainers", "1", "--rounds", "1")


def test_up__where_a_user_has_a_key__leaves_it(shell: Shell) -> None:
    shell.done("wallet", "new", "trainer-1", "--light", HANSA_PASSWORD="x")
    before = shell.files("keys")
    for words in (("up", "--background"), ("up",), ("up", "--fresh"), ("demo",)):
        assert "holds keys" in shell.refused(*words, "--dir", str(shell.folder / "hansa"))
    assert shell.files("keys") == before and not shell.files("journals")


def test_up__in_a_folder_of_a_living_deployment__leaves_it(shell: Shell, anvil: Anvil) -> None:
    make_keystores(shell.folder / "hansa" / "keys", ["sponsor"])
    shell.done("deploy", "--rpc", anvil.url, "--account", "sponsor")
    before = shell.files(".")
    assert shell.files("journals")
    for words in (("up", "--background"), ("up", "--fresh"), ("demo",)):
        told = shell.refused(*words, "--dir", str(shell.folder / "hansa"))
        assert "deployment.json" in told and "journals" in told
    assert shell.files(".") == before


def test_up__stopped_and_started__goes_on_where_it_was(shell: Shell) -> None:
    shell.done("up", "--background", *SMALL)
    post(shell)
    before, made = shell.ask("job", "show", "1"), shell.ask("wallet", "show", "sponsor")
    told = shell.done("up", "--stop")
    assert "goes on with it" in told and "does not answer" in shell.run("job", "list").stderr
    files = shell.files("keys", "store")

    said = shell.ask("up", "--background")
    after = shell.ask("job", "show", "1")
    assert after["spec"] == before["spec"] and after["state"]["phase"] == "ENROL"
    assert shell.ask("wallet", "show", "sponsor")["balance"] == made["balance"]
    assert files.items() <= shell.files("keys", "store").items()
    post(shell)
    assert len(shell.ask("job", "list")["jobs"]) == 2, "its journals know this chain"
    assert json.loads((shell.folder / "hansa" / "deployment.json").read_text())["rpc"] == [said["url"]]


def test_up__whose_port_is_taken_meanwhile__moves_and_the_deployment_with_it(shell: Shell) -> None:
    before = shell.ask("up", "--background", *SMALL)["url"]
    shell.done("up", "--stop")
    with listening(int(before.rpartition(":")[2])):
        after = shell.ask("up", "--background")["url"]
        assert after != before
        assert shell.ask("job", "list") == {"jobs": []}
    written = json.loads((shell.folder / "hansa" / "deployment.json").read_text())
    assert (written["rpc"], written["ws"]) == ([after], after.replace("http", "ws"))


def test_up__that_was_killed__goes_on_from_what_it_saved(shell: Shell) -> None:
    pid = shell.ask("up", "--background", *SMALL)["pid"]
    state = shell.folder / "hansa" / "chain-state.json"
    post(shell)
    posted = time.time()
    until(lambda: state.stat().st_mtime > posted)
    os.kill(pid, signal.SIGKILL)
    until(lambda: shell.run("job", "list").returncode == 1)
    shell.done("up", "--background")
    assert len(shell.ask("job", "list")["jobs"]) == 1


def test_fresh__starts_anew__and_keeps_what_is_a_users(shell: Shell) -> None:
    shell.done("up", "--background", *SMALL)
    post(shell)
    shell.done("wallet", "new", "mine", "--light", HANSA_PASSWORD="x")
    shell.done("up", "--stop")
    before = shell.files(".")
    assert "holds keys/mine.json" in shell.refused("up", "--fresh", "--background")
    assert "was made with --trainers 1; leave --trainers out" in shell.refused("up", "--trainers", "2")
    assert shell.files(".") == before

    (shell.folder / "hansa" / "keys" / "mine.json").rename(shell.folder / "mine.json")
    shell.done("up", "--fresh", "--background", "--trainers", "2", "--validators", "0")
    assert shell.ask("job", "list") == {"jobs": []}
    assert {path.stem for path in shell.files("keys")} == {"sponsor", "trainer-1", "trainer-2", "password"}


def test_up__beside_a_deployment_that_is_not_its_own__refuses(shell: Shell) -> None:
    shell.done("up", "--background", *SMALL)
    shell.done("up", "--stop")
    file = shell.folder / "hansa" / "deployment.json"
    other = json.dumps(json.loads(file.read_text()) | {"chain_id": 11155111})
    file.write_text(other)
    assert "is a deployment on another chain" in shell.refused("up", "--background")
    assert "holds deployment.json" in shell.refused("up", "--fresh")
    assert file.read_text() == other


def test_up__on_a_port_that_is_taken__says_so(shell: Shell) -> None:
    with listening() as port:
        for words in (("up",), ("up", "--background")):
            told = shell.refused(*words, "--port", str(port))
            assert f"port {port} can't be had: Address already in use; name another one with --port" in told
    assert "--port 70000 is out of range" in shell.refused("up", "--port", "70000")
    assert not (shell.folder / "hansa").exists()


def test_up__with_a_password_of_ones_own_in_the_environment__starts(shell: Shell) -> None:
    shell.done("up", "--background", *SMALL, HANSA_PASSWORD="mine")


def test_password__of_the_published_accounts__is_not_tried_on_a_users_key(shell: Shell) -> None:
    shell.done("up", "--background", *SMALL)
    shell.done("wallet", "new", "mine", "--light", HANSA_PASSWORD="x")
    told = shell.refused("job", "stop", "1", "--account", "mine")
    assert "the password of" in told and "is not given; set HANSA_PASSWORD or name a file with --password-file" in told


@contextlib.contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        held.listen()
        yield held.getsockname()[1]


def until(reached: Any, seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.1)
