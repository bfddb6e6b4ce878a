"""Runs slither over the contracts, test doubles left out; a high or medium finding that nobody explained fails.

Slither gets what the compiler gets: its own reading of a brownie project stumbles over files that hold imports alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.compile import VERSION, standard_input

SOLC = Path.home() / ".solcx" / f"solc-v{VERSION}"
SERIOUS = ("High", "Medium")

ZERO = "Solidity starts locals at zero, and the house counts on it"
OWN_VAULT = "calls only the Federation's own Vault, functions that call nobody and that only the Federation may use"
EXPLAINED: dict[tuple[str, str], str] = {
    ("uninitialized-local", "*"): ZERO,
    ("divide-before-multiply", "_nodeBefore"): "halves an interval of versions, not an amount",
    ("divide-before-multiply", "set"): "goes from a node of the tree to its parent",
    ("incorrect-equality", "admits"): "compares a Merkle root, not a balance",
    ("incorrect-equality", "select"): "asks whether any weight is left to draw, not for a balance",
    ("unused-return", "admits"): "enrolled or not is all that is asked",
    ("unused-return", "check"): "what kind of error it is makes no difference",
    ("unused-return", "_lastRoot"): "the root is all that is asked",
    ("incorrect-equality", "publishKeys"): "compares a state of the job's, not a balance",
    ("reentrancy-no-eth", "_recordFailure"): OWN_VAULT,
    ("reentrancy-no-eth", "_seat"): OWN_VAULT,
    ("reentrancy-no-eth", "finalize"): OWN_VAULT,
}
"""By detector and function (* for any): why a finding is none."""


def main() -> None:
    findings = [found for found in run_slither() if found["impact"] in SERIOUS]
    keys = {(found["check"], function_of(found)) for found in findings}
    unexplained = [found for found in findings if not explanations({(found["check"], function_of(found))})]
    for found in unexplained:
        print(f"{found['impact']} {found['check']}: {found['description']}")
    stale = set(EXPLAINED) - explanations(keys)
    if stale:
        print(f"Explained in {__file__}, but no longer found: {sorted(stale)}")
    print(f"slither: {len(findings)} high or medium findings, {len(unexplained)} of them unexplained")
    sys.exit(bool(unexplained or stale))


def run_slither() -> list[dict[str, Any]]:
    """Every finding outside node_modules."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "input.json"
        asked.write_text(json.dumps(compiler_input()))
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "slither", str(asked), "--compile-force-framework", "Solc-json"]
        command += ["--solc", str(SOLC), "--filter-paths", "node_modules", "--json", str(answer)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not answer.exists():
            sys.exit(f"slither could not read the contracts: {done.stderr}")
        said: dict[str, Any] = json.loads(answer.read_text())
    if not said["success"]:
        sys.exit(f"slither could not read the contracts: {said['error']}")
    return list(said["results"].get("detectors", []))


def compiler_input() -> dict[str, Any]:
    asked = standard_input()
    del asked["settings"]["outputSelection"]  # slither has its own wishes
    return asked


def function_of(found: dict[str, Any]) -> str:
    """The function that a finding is about; empty for one about a contract."""
    for element in found["elements"]:
        places: list[dict[str, Any]] = [element, element.get("type_specific_fields", {}).get("parent", {})]
        names = [place["name"] for place in places if place.get("type") == "function"]
        if names:
            return str(names[0])
    return ""


def explanations(keys: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {key for check, function in keys for key in ((check, function), (check, "*")) if key in EXPLAINED}


if __name__ == "__main__":
    main()
