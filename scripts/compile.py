"""Compiles the contracts afresh and writes what Python and the web page need of them to hansa/runtime/chain/artifacts.

    python scripts/compile.py            write
    python scripts/compile.py --check    compare with what is committed; exit 1 on any difference

Whoever deploys fills in the address of the library `Terms` (`links`: byte offsets of the 20-byte gaps in `bytecode`).
Whoever verifies finds the code that is deployed in `bytecode` from `runtime_start` on, with gaps for its immutables
(byte offsets in that code), and in `storage` where the contract keeps what: struct → member → [slot, offset, type], the
contract itself being a struct too.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import solcx

VERSION = "0.8.30"
ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "contracts"
ARTIFACTS = ROOT / "hansa" / "runtime" / "chain" / "artifacts"
REMAPPING = ("@openzeppelin", "node_modules/@openzeppelin")
IMPORT = re.compile(r'^\s*import\s[^"]*"([^"]+)"\s*;', re.MULTILINE)
LARGEST_RUNTIME = 24_576  # bytes, EIP-170
COMMITTEES = ("AppointedCommittee", "StakedCommittee", "HybridCommittee", "TrainerCommittee")
IDENTITY = ("DidRegistry", "Credentials", "CredentialAdmission", "ReputationAdmission")
DEPLOYED = ("Federation", "Vault", "Terms", "RewardToken", *COMMITTEES, "OpenAdmission", *IDENTITY)
KNOWN = ("Refusals", "IdentityRefusals", "ICommittee", "IAdmission")  # ABI only
PROVEN = ("Federation", "Vault")  # storage too

Node = dict[str, Any]  # of the compiler's syntax tree


def main() -> None:
    artifacts = {name: render(artifact) for name, artifact in compile_contracts().items()}
    if "--check" in sys.argv[1:]:
        different = [name for name, text in artifacts.items() if committed(name) != text]
        if different:
            names = ", ".join(different)
            sys.exit(
                f"hansa/runtime/chain/artifacts differs from contracts/ ({names}): run `python scripts/compile.py`."
            )
        return
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for name, text in artifacts.items():
        (ARTIFACTS / f"{name}.json").write_text(text)
        size = json.loads(text)["runtime_size"]
        print(f"{name:20} {size:6} bytes of {LARGEST_RUNTIME}")


def compile_contracts(sources: Path = SOURCES) -> dict[str, dict[str, Any]]:
    """Artifacts by contract name."""
    output = solcx.compile_standard(standard_input(sources), solc_version=VERSION)
    for message in output.get("errors", []):
        print(message["formattedMessage"], file=sys.stderr)
    ours = f"{sources.relative_to(ROOT).as_posix()}/"  # others may have the same names
    files = [file for unit, file in output["contracts"].items() if unit.startswith(ours)]
    compiled = {name: body for file in files for name, body in file.items()}
    nodes = {node["id"]: node for source in output["sources"].values() for node in walk(source["ast"])}
    artifacts = {name: artifact(name, compiled[name], nodes) for name in DEPLOYED + KNOWN}
    large = [name for name, body in artifacts.items() if body["runtime_size"] > LARGEST_RUNTIME]
    if large:
        sys.exit(f"Larger than the {LARGEST_RUNTIME} bytes that chains allow: {', '.join(large)}.")
    return artifacts


def read_sources(folder: Path) -> dict[str, str]:
    """The folder's contracts, test doubles left out, and all that they import, by path from the project's root."""
    files: dict[str, str] = {}
    waiting = [path for path in folder.rglob("*.sol") if "test" not in path.relative_to(folder).parts]
    while waiting:
        path = waiting.pop()
        unit = path.relative_to(ROOT).as_posix()
        if unit in files:
            continue
        files[unit] = path.read_text()
        for target in IMPORT.findall(files[unit]):
            near = target.startswith(".")
            found = path.parent / target if near else ROOT / target.replace(*REMAPPING, 1)
            waiting.append(Path(os.path.normpath(found)))  # node_modules may be a link
    return dict(sorted(files.items()))


def standard_input(folder: Path = SOURCES) -> dict[str, Any]:
    return {
        "language": "Solidity",
        "sources": {unit: {"content": text} for unit, text in read_sources(folder).items()},
        "settings": {
            "remappings": ["=".join(REMAPPING)],
            "optimizer": {"enabled": True, "runs": 200},
            "viaIR": True,
            "evmVersion": "paris",
            # A comment or a path changes no byte.
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {
                "*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode", "storageLayout"], "": ["ast"]}
            },
        },
    }


def walk(node: Any) -> Iterator[Node]:
    """Every node of a syntax tree that has an id."""
    if isinstance(node, dict):
        if "id" in node:
            yield node
        for child in node.values():
            yield from walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from walk(child)


def artifact(name: str, body: dict[str, Any], nodes: Mapping[int, Node]) -> dict[str, Any]:
    """Placeholders of libraries become zeros, so that `bytecode` is hexadecimal; `links` tells where they were."""
    creation, runtime = body["evm"]["bytecode"], body["evm"]["deployedBytecode"]
    links = {
        library: [place["start"] for place in places]
        for file in creation["linkReferences"].values()
        for library, places in file.items()
    }
    start, odd = divmod(creation["object"].find(runtime["object"]), 2)
    if odd:
        sys.exit(f"The code that {name} deploys is not a part of the code that creates it.")
    immutables = {
        nodes[int(id_)]["name"] if id_.isdigit() else id_: [place["start"] for place in places]
        for id_, places in runtime.get("immutableReferences", {}).items()
    }
    return {
        "contract": name,
        "abi": body["abi"],
        "bytecode": "0x" + re.sub(r"__\$[0-9a-f]{34}\$__", "0" * 40, creation["object"]),
        "links": links,
        "runtime_start": start,
        "runtime_size": len(runtime["object"]) // 2,
        "immutables": immutables,
        "storage": storage(name, body["storageLayout"], nodes) if name in PROVEN else {},
    }


def storage(name: str, layout: dict[str, Any], nodes: Mapping[int, Node]) -> dict[str, dict[str, list[Any]]]:
    """The contract's structs, itself the first. Types are those of values, names of structs, and `key => type`."""
    found: dict[str, dict[str, list[Any]]] = {}

    def members(struct: str, entries: list[dict[str, Any]]) -> str:
        found.setdefault(struct, {})
        own = {entry["label"]: [int(entry["slot"]), entry["offset"], kind(entry["type"])] for entry in entries}
        if found[struct] not in ({}, own):
            sys.exit(f"Two structs of {name} are called {struct}.")
        found[struct] = own
        return struct

    def kind(type_: str) -> str:
        entry = layout["types"][type_]
        label = entry["label"]
        if entry["encoding"] == "mapping":
            key = kind(entry["key"])
            if not re.fullmatch(r"address|uint\d+|bytes32", key):
                sys.exit(f"{name} has {label}, of which nobody here knows how its key is hashed.")
            return f"{key} => {kind(entry['value'])}"
        if "members" in entry:
            return members(label.removeprefix("struct ").rpartition(".")[2], entry["members"])
        if defined := re.match(r"t_userDefinedValueType\(\w+\)(\d+)", type_):
            label = nodes[int(defined[1])]["underlyingType"]["name"]
        label = re.sub(r"^contract .*", "address", re.sub(r"^enum .*", "uint8", label))
        if not re.fullmatch(r"bool|address|u?int\d+|bytes\d+", label):
            sys.exit(f"{name} keeps a {label}, of which nobody here knows where its parts are.")
        return str(label)

    members(name, layout["storage"])
    return found


def render(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=1) + "\n"


def committed(name: str) -> str | None:
    path = ARTIFACTS / f"{name}.json"
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    main()
