"""`hansa relay run` as a process, and a service of many jobs that relays beside its own work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from proxies import over
from relays import enrol_call, trainer
from test_service import Given
from typer.testing import CliRunner
from worlds import NAMES, World

from hansa.cli.main import app
from hansa.devnet.bootstrap import make_keystores
from hansa.runtime.log import open_log
from hansa.runtime.service import Service
from hansa.runtime.transactions.sender import Mined

ROOT = Path(__file__).resolve().parents[2]
READY = 60.0  # seconds for a command to get there


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def told(log: Path, event: str, times: int = 1) -> dict[str, Any]:
    end = time.monotonic() + READY
    while len(found := [line for line in lines(log) if line["event"] == event]) < times:
        assert time.monotonic() < end, f"{event}: {lines(log)}"
        time.sleep(0.1)
    return found[-1]


@contextmanager
def command(world: World, log: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    world.deployment.save(world.directory / "deployment.json")
    make_keystores(world.directory / "keys", NAMES)
    start = [sys.executable, "-m", "hansa.cli.main", "relay", "run", "--dir", str(world.directory), "--account", "dave"]
    start += ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log-file", str(log), *words]
    process = subprocess.Popen(start, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_relay_run__sends__tells_how_it_is__and_ends_well(world: World) -> None:
    job, log = world.post(), world.directory / "relay.jsonl"
    with command(world, log, "--jobs", "all") as process:
        url, metrics = told(log, "relay")["url"], told(log, "metrics")["url"]
        with trainer(world, "alice", url) as alice:
            assert isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=20), Mined)
        with urllib.request.urlopen(metrics, timeout=10) as answer:
            assert "hansa_transactions_signed_total 2.0" in answer.read().decode()
        with urllib.request.urlopen(metrics.replace("metrics", "healthz"), timeout=10) as answer:
            assert json.loads(answer.read())["healthy"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert "Traceback" not in (process.stderr.read() if process.stderr else "")


def test_relay_run__killed__started_again__sends_nothing_twice(world: World) -> None:
    job, log = world.post(), world.directory / "relay.jsonl"
    with command(world, log, "--job", str(job)), trainer(world, "alice", told(log, "relay")["url"]) as alice:
        assert isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=20), Mined)
        request = alice._signed(enrol_call(world, job), (job, "enrol"))
    sent = world.rpc("eth_getTransactionCount", world.address("dave"), "latest")
    with command(world, log, "--job", str(job)):
        url = told(log, "relay", times=2)["url"]
        asked = urllib.request.Request(url, data=request.encode(), method="POST")
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.status == 200
    assert world.rpc("eth_getTransactionCount", world.address("dave"), "latest") == sent


def test_relay_run__of_contracts_that_nobody_trusts__serves_no_such_job(world: World) -> None:
    world.post()
    allowed = world.deployment.allowed.model_copy(update={"tokens": []})
    world.deployment = world.deployment.model_copy(update={"allowed": allowed})
    log = world.directory / "relay.jsonl"
    with command(world, log, "--jobs", "all"), trainer(world, "alice", told(log, "relay")["url"]) as alice:
        job = world.federation.job_count()
        answer = alice._relays[0].ask(alice._signed(enrol_call(world, job), (job, "enrol")))  # type: ignore[arg-type]
        assert answer.status == 403 and "uses the token" in (answer.error or "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gasless"], "--gasless names no relay"),
        (["--relay", "http://127.0.0.1:1"], "--relay is given without --gasless"),
        (["--gasless", "--relay", "127.0.0.1:1"], "is not a relay's address"),
        (["--gasless", "--relay", "ftp://127.0.0.1"], "is not a relay's address"),
        (["--gasless", "--relay", "http://127.0.0.1:1", "--validate"], "--validate is given with --gasless"),
    ],
)
def test_trainer_run__relays_that_make_no_sense__are_refused(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["trainer", "run", "--job", "1", "--source", "0", *words])
    assert done.exit_code == 1 and said in done.stderr


@pytest.mark.parametrize("where", ["9545", "localhost:", "localhost:99999", ":1"])
def test_relay__where_nobody_can_be_asked__is_refused(world: World, where: str) -> None:
    with command(world, world.directory / "log", "--job", str(world.post()), "--listen", where) as process:
        assert process.wait(READY) == 1
        assert process.stderr is not None and "is not an address" in process.stderr.read()


def test_service_of_two_jobs__relays_for_both(world: World) -> None:
    jobs = [world.post(), world.post()]
    given = Given(world, jobs)
    service = Service(over(world, world.anvil.url), given, open_log(world.directory / "log"))  # type: ignore[arg-type]
    service.serve_relay("127.0.0.1:0", world.federation)
    url, over_, done = told(world.directory / "log", "relay")["url"], threading.Event(), list[int]()

    def ask() -> None:
        for job in jobs:
            body = requests_of[job].encode()
            with urllib.request.urlopen(urllib.request.Request(url, data=body, method="POST"), timeout=20) as answer:
                done.append(answer.status)
        over_.set()

    with trainer(world, "bob", url) as bob:
        requests_of = {}
        for job in jobs:
            world.rpc("anvil_setERC20Allowance", bob.address, world.deployment.vault, world.deployment.token, hex(1000))
            requests_of[job] = bob._signed(enrol_call(world, job), (job, "enrol"))
        service._go_round()
        threading.Thread(target=ask).start()
        end = time.monotonic() + 30
        while not over_.is_set() and time.monotonic() < end:
            service._go_round()
        service.close()
    assert len(done) == 2 and set(done) <= {200, 202}
    assert [world.federation.trainer(job, world.address("bob")).enrolled for job in jobs] == [True, True]
