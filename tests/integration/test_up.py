"""`hansa up`: its chain goes on where it was, and nothing of a user's is overwritten."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hansa.cli.main import app
from hansa.devnet.anvil import Anvil, find_anvil
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.errors import FatalError

SMALL = ("--trainers", "1", "--validators", "1")


class Shell:
    """Commands of one user in one folder, in this process; `up --background` starts its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"HANSA_DIR": str(folder / "hansa"), "HANSA_ACCOUNT": None, "HANSA_PASSWORD": None}

    def run(self, *words: str, **environment: str) -> Any:
        return CliRunner().invoke(app, list(words), env=self.environment | environment)

    def done(self, *words: str, **environment: str) -> str:
        found = self.run(*words, **environment)
        assert found.exit_code == 0, found.output
        return found.stdout

    def ask(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str) -> str:
        found = self.run(*words)
        assert found.exit_code == 1 and found.stderr.count("\n") == 1, found.output
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

    was = json.loads((shell.folder / "hansa" / "deployment.json").read_text())["rpc"][0]
    with listening(int(was.rpartition(":")[2])):  # another program took its port meanwhile
        url = shell.ask("up", "--background")["url"]
    after = shell.ask("job", "show", "1")
    assert after["spec"] == before["spec"] and after["state"]["phase"] == "ENROL"
    assert shell.ask("wallet", "show", "sponsor")["balance"] == made["balance"]
    assert files.items() <= shell.files("keys", "store").items()
    post(shell)
    assert len(shell.ask("job", "list")["jobs"]) == 2, "its journals know this chain"
    written = json.loads((shell.folder / "hansa" / "deployment.json").read_text())
    assert url != was and (written["rpc"], written["ws"]) == ([url], url.replace("http", "ws"))


def test_up__that_was_killed__goes_on_from_what_it_saved(shell: Shell) -> None:
    """Also where its user has a password of their own in the environment."""
    pid = json.loads(shell.done("up", "--background", "--json", *SMALL, HANSA_PASSWORD="mine"))["pid"]
    state, url = (shell.folder / "hansa" / name for name in ("chain-state.json", "devnet.json"))
    post(shell)
    posted = time.time()
    until(lambda: state.stat().st_mtime > posted)
    os.kill(pid, signal.SIGKILL)
    until(lambda: shell.run("job", "list").exit_code == 1)
    assert shell.ask("up", "--background")["url"] == json.loads(url.read_text())["url"]
    assert len(shell.ask("job", "list")["jobs"]) == 1


def test_fresh__starts_anew__and_keeps_what_is_a_users(shell: Shell) -> None:
    shell.done("up", "--background", *SMALL)
    post(shell)
    shell.done("wallet", "new", "mine", "--light", HANSA_PASSWORD="x")
    shell.done("up", "--stop")
    before = shell.files(".")
    assert "holds keys/mine.json" in shell.refused("up", "--fresh", "--background")
    assert "was made with --trainers 1; leave --trainers out" in shell.refused("up", "--trainers", "2")
    assert "was made without --gasless; leave --gasless out" in shell.refused("up", "--gasless")
    assert shell.files(".") == before
    file = shell.folder / "hansa" / "deployment.json"
    own, other = file.read_text(), json.dumps(json.loads(file.read_text()) | {"chain_id": 11155111})
    file.write_text(other)
    assert "is a deployment on another chain" in shell.refused("up", "--background")
    assert "deployment.json" in shell.refused("up", "--fresh")
    assert file.read_text() == other
    file.write_text(own)

    (shell.folder / "hansa" / "keys" / "mine.json").rename(shell.folder / "mine.json")
    shell.done("up", "--fresh", "--background", "--trainers", "2", "--validators", "0")
    assert shell.ask("job", "list") == {"jobs": []}
    assert {path.stem for path in shell.files("keys")} == {"sponsor", "trainer-1", "trainer-2", "password"}


def test_up__of_other_parties__has_what_their_job_needs__over_a_stop_too(shell: Shell) -> None:
    parties = ("--consensus", "staked", "--admission", "credential", "--gasless")
    started = shell.ask("up", "--background", "--trainers", "2", "--validators", "1", *parties)
    posts, serves, trains = (shlex.split(line)[1:] for line in started["next"])
    posted = shell.ask(*posts[:-2], "--no-rehearsal")  # without its --dir, which the environment names here
    assert (posted["consensus"], posted["seats"], posted["trainers"]) == ("staked", 1, 2)
    assert posted["committee"] == json.loads((shell.folder / "hansa" / "devnet.json").read_text())["pool"]
    assert "--relay" in serves and {"--gasless", "--relay"} <= set(trains)
    shell.done("up", "--stop")

    told = shell.refused("up", "--background", "--consensus", "appointed")
    assert "was made with --consensus staked; leave --consensus out" in told
    assert "was made with --validators 1;" in shell.refused("up", "--validators", "3")
    again = shell.ask("up", "--background", "--gasless")
    assert again["next"] == started["next"]
    for trainer in ("trainer-1", "trainer-2"):
        assert shell.ask("wallet", "show", trainer)["coins"] == "0"
        assert shell.ask("credential", "verify", trainer, "--issuer", "sponsor")["valid"]
    status = shell.ask("aggregator", "status", "--job", "1", "--account", "validator-3")
    assert (status["stake"]["weight"], status["stake"]["pool_stakers"]) == (120, 3)


def test_up__on_a_port_that_is_taken__says_so(shell: Shell) -> None:
    with listening() as port:
        for words in (("up",), ("up", "--background")):
            told = shell.refused(*words, "--port", str(port))
            assert (
                f"port {port} can't be had: Address already in use, by " in told
                and "name another one with --port" in told
            )
    assert "--port 70000 is out of range" in shell.refused("up", "--port", "70000")
    assert not (shell.folder / "hansa").exists()


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
