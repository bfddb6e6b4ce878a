"""What is deployed is what the contracts compile to, under either tool."""

from __future__ import annotations

import json

import pytest
import yaml

from scripts.compile import ARTIFACTS, REMAPPING, ROOT, VERSION, committed, compile_contracts, render, standard_input


def test_committed_artifacts__are_a_fresh_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    fresh = {name: render(artifact) for name, artifact in compile_contracts().items()}
    assert {name: committed(name) for name in fresh} == fresh
    assert {path.stem for path in ARTIFACTS.glob("*.json")} == set(fresh)


def test_committed_artifacts__hold_no_placeholder_but_the_named_links() -> None:
    for path in ARTIFACTS.glob("*.json"):
        artifact = json.loads(path.read_text())
        code = bytes.fromhex(artifact["bytecode"][2:])
        for places in artifact["links"].values():
            assert all(code[place : place + 20] == bytes(20) for place in places), path.name


def test_committed_refusals__are_our_own() -> None:
    names = [error["name"] for error in json.loads((ARTIFACTS / "Refusals.json").read_text())["abi"]]
    assert "Federation_WrongPhase" in names
    assert {name.partition("_")[0] for name in names} == {"Federation", "Terms", "Vault", "Committee"}


def test_brownie__compiles_with_the_same_settings() -> None:
    compiler = yaml.safe_load((ROOT / "brownie-config.yaml").read_text())["compiler"]
    settings = standard_input()["settings"]
    assert compiler["solc"]["version"] == VERSION
    assert compiler["evm_version"] == settings["evmVersion"]
    assert compiler["solc"]["remappings"] == ["=".join(REMAPPING)]
    assert {name: compiler["solc"][name] for name in ("optimizer", "viaIR")} == {
        name: settings[name] for name in ("optimizer", "viaIR")
    }
