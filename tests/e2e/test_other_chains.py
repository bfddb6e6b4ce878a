"""The same daemons on other chains: three sealers, Ganache, a miner, three validators of a proof of stake.

One seed, one sequence of models."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from federations import (
    TRAINERS,
    VALIDATORS,
    Observed,
    Undisturbed,
    attendance,
    federation,
    finish,
    models,
    verdicts,
    wait_until_in,
)
from typer.testing import CliRunner

from hansa.cli.main import app
from hansa.devnet.chains.ganache import start_ganache
from hansa.devnet.chains.geth import start_sealers
from hansa.devnet.chains.node import Network
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Code, Phase
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.dialects import Randomness, randomness_of
from hansa.runtime.snapshot import FullSnapshot

ROUNDS = 2
WHEEL = "injective-core==1.20.1"
SECONDS = 3600.0  # that a job may take
LONG = {"enrol": 900} | dict.fromkeys(("open", "submit", "score", "reveal", "vote", "finalize"), 180)
"""Seconds: a phase ends when all have acted, however busy the machine is that its nodes share."""
MINED = dict.fromkeys(LONG, 900)
STORES = pytest.mark.parametrize("store", ["local", "kubo"])


def have(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on PATH")


def played(lab: Observed, *, rounds: int = ROUNDS, verdict: str = "holds") -> FullSnapshot:
    """Runs it to its end: everybody took part in every round, and everything holds when it is checked again."""
    lab.start_all()
    view = finish(lab, SECONDS)
    assert {name: verdicts(lab, view, name) for name in TRAINERS} == dict.fromkeys(TRAINERS, [Code.OK] * rounds)
    assert {name: attendance(lab, view, name) for name in VALIDATORS} == dict.fromkeys(VALIDATORS, (rounds, 0, 0))
    words = ["audit", str(lab.posted.job), "--json", "--dir", str(lab.workspace.dir), "--account", VALIDATORS[1]]
    told = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert (told["verdict"], told["wrong"]) == (verdict, []), told
    return view


def test_sealers__one_of_three_is_killed__the_others_go_on__and_the_chain_is_kept(tmp_path: Path) -> None:
    have("geth")
    network = start_sealers(tmp_path, accounts=1, port=None, orphan=False, idle=False)
    assert isinstance(network, Network)
    try:
        chain = Chain(network.urls, None)
        assert randomness_of(chain) == Randomness.PARENT_HASH
        network.nodes[2].process.kill()
        reached = grown(network, network.nodes[0].height + 4)
    finally:
        network.stop()
    again = start_sealers(tmp_path, accounts=1, port=None, orphan=False, idle=False)
    try:
        assert grown(again, 0) >= reached - 2, "its blocks are kept"
    finally:
        again.stop()


def grown(network: Network, height: int) -> int:
    """Waits until the first node is that high."""
    chain = Chain([network.url], None)
    while (head := chain.head().number) < height:
        assert chain.wait(20.0), "no block came"
    return head


@pytest.mark.slow
@STORES
def test_three_sealers__same_models__audit_holds(tmp_path: Path, undisturbed: Undisturbed, store: str) -> None:
    have("geth")
    with federation(tmp_path, LONG, rounds=ROUNDS, chain="geth-poa", store=store) as lab:
        assert lab.session.deployment.confirmations == 2 and len(lab.session.deployment.rpc) == 3
        assert models(played(lab)) == undisturbed.models[:ROUNDS]


@pytest.mark.slow
def test_three_sealers__one_dies_in_mid_round__the_job_completes(tmp_path: Path, undisturbed: Undisturbed) -> None:
    have("geth")
    with federation(tmp_path, LONG, rounds=ROUNDS, chain="geth-poa") as lab:
        lab.start_all()
        wait_until_in(lab, Phase.SCORE, 1)
        assert isinstance(lab.anvil, Network)
        lab.anvil.nodes[2].process.kill()
        view = finish(lab, SECONDS)
        assert view.state.phase == Phase.COMPLETED
        assert models(view) == undisturbed.models[:ROUNDS]


@pytest.mark.slow
@STORES
def test_a_miner__same_models__audit_holds(tmp_path: Path, undisturbed: Undisturbed, store: str) -> None:
    """Proof of work. What it mines with is made once, in many minutes, into a cache: the first run waits for that."""
    have("geth")
    with federation(tmp_path, MINED, rounds=ROUNDS, chain="geth-pow", store=store) as lab:
        assert lab.session.deployment.confirmations == 4, "blocks may be left for others"
        assert models(played(lab)) == undisturbed.models[:ROUNDS]


@pytest.mark.slow
@STORES
def test_ganache__same_models__audit_holds(tmp_path: Path, undisturbed: Undisturbed, store: str) -> None:
    try:
        start_ganache(tmp_path / "try", accounts=1, port=None, orphan=False, idle=False).stop()
    except FatalError as error:
        pytest.skip(str(error))
    with federation(tmp_path / "job", LONG, rounds=ROUNDS, chain="ganache", store=store) as lab:
        assert models(played(lab)) == undisturbed.models[:ROUNDS]


@pytest.mark.slow
@STORES
def test_three_validators_of_a_proof_of_stake__same_models__nothing_is_wrong(
    tmp_path: Path, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    """Such a chain proves no state by a block's hash, so the audit says what it could not check."""
    monkeypatch.setenv("PATH", f"{injectived()}{os.pathsep}{os.environ['PATH']}")
    with federation(tmp_path, LONG, rounds=ROUNDS, chain="cosmos-pos", store=store) as lab:
        assert randomness_of(lab.session.chain) == Randomness.CONSTANT
        assert lab.session.chain.first_number == 1
        assert models(played(lab, verdict="incomplete")) == undisturbed.models[:ROUNDS]


def injectived() -> str:
    """The folder of that program: on PATH, or from its wheel, which is kept in a cache for the next time."""
    if found := shutil.which("injectived"):
        return str(Path(found).parent)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hansa" / WHEEL
    if not (cache / "injectived").exists():
        cache.mkdir(parents=True, exist_ok=True)
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), WHEEL]
        if subprocess.run(download, capture_output=True, check=False).returncode:
            pytest.skip(f"{WHEEL} can't be had")
        [wheel] = cache.glob("*.whl")
        with zipfile.ZipFile(wheel) as opened:
            packed = Path(opened.extract("injective_core/bin/injectived.tar.zst", cache))
        subprocess.run(["tar", "--zstd", "-xf", str(packed), "-C", str(cache)], check=True)
        wheel.unlink()
        packed.unlink()
        program = next(cache.glob("injectived-*"))
        program.chmod(0o755)
        program.rename(cache / "injectived")
    return str(cache)
