"""The rules of the house, checked: who may import whom, what is shipped, what may not be written down."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("hansa", "client", "aggregator")
SHARED = {"hansa.protocol", "hansa.runtime", "hansa.tasks"}
ROLES = ("client", "aggregator", "hansa.sponsor", "hansa.audit")
MAY_IMPORT: dict[str, set[str]] = {  # rooms, from the bottom up
    "hansa.protocol": set(),
    "hansa.runtime": {"hansa.protocol"},
    "hansa.tasks": {"hansa.protocol"},
    **dict.fromkeys(ROLES, SHARED),
    "hansa.results": {*SHARED, "hansa.audit"},
    "hansa.devnet": {*SHARED, *ROLES},
    "hansa.cli": {*SHARED, *ROLES, "hansa.devnet", "hansa.results"},
}
ABOVE_ALL = ("scripts", "benchmarks", "tests")
MAX_LINES = 320
HEAVY = {"torch", "brownie"}
OF_DEVELOPERS = ("dev", "bench")  # extras; what the others install may be imported where it is used
KINDS = ("unit", "integration", "e2e", "browser")  # of tests that one pytest runs; contract tests have brownie's own
IO = {
    "os",
    "pathlib",
    "socket",
    "time",
    "datetime",
    "random",
    "secrets",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "requests",
}
MAY_DO_IO = {  # kernels.py builds and loads its C, envelope.py draws content keys, tables.py reads its table once
    **dict.fromkeys(("subprocess", "tempfile"), {"kernels.py"}),
    "os": {"kernels.py", "envelope.py"},
    "pathlib": {"kernels.py", "tables.py"},
}
NOT_RUN = {"prepare.py"}  # tells how a task's data were made, from packages that nobody else needs
MACHINE_PATH = re.compile(r"(?<![\w.~}/])/(?:root|work|home|Users|opt)/[\w.]")
CODE = ("*.py", "*.sol", "*.ts", "*.tsx", "*.sh")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules(room: str) -> list[Path]:
    """A room's files; the package's own front door, hansa/__init__.py, belongs to none."""
    return sorted((ROOT / room.replace(".", "/")).rglob("*.py"))


def room_of(name: str) -> str:
    """The room that an imported name is from: `hansa.runtime` for `hansa.runtime.store.base`."""
    return ".".join(name.split(".")[:2]) if name.startswith("hansa.") else root_of(name)


def imports(path: Path) -> Iterator[str]:
    """Every absolute name that a module imports anywhere, inside its functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def loaded_by(*names: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after importing these modules."""
    script = f"import {', '.join(names)}, sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports__point_one_way(room: str) -> None:
    upward = {"hansa", *MAY_IMPORT, *ABOVE_ALL} - MAY_IMPORT[room] - {room}
    found = [(dotted(path), name) for path in modules(room) for name in imports(path) if room_of(name) in upward]
    assert not found, "imports against the direction cli → devnet → roles → tasks, runtime → protocol"


def test_imports__of_files_make_no_circle() -> None:
    """At module level, in functions and for type checkers: all count. A package's __init__ is a file; that
    Python imports it before what is in the package is left out."""
    files = {dotted(path): path for package in PACKAGES for path in modules(package)}
    edges = {name: imported_files(path, files) - {name} for name, path in files.items()}
    assert not circle(edges), f"these import one another: {' → '.join(circle(edges))}"


def imported_files(path: Path, files: Mapping[str, Path]) -> set[str]:
    """The files that a module imports; `from a import b` is a.b where that is a file, else a."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found.update(name if name in files else node.module for name in names)
    return found & set(files)


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """Names that lead from one to the next and back to the first; empty where there is no way back."""
    done: set[str] = set()

    def back(way: list[str]) -> list[str]:
        for name in sorted(edges[way[-1]] - done):
            if name in way:
                return [*way[way.index(name) :], name]
            if found := back([*way, name]):
                return found
        done.add(way[-1])
        return []

    return next(filter(None, (back([name]) for name in sorted(edges) if name not in done)), [])


def test_circle__is_found_and_named() -> None:
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": {"d"}, "d": {"b"}}) == ["b", "c", "d", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_web3__is_imported_nowhere() -> None:
    """It takes half a second of every process; what we ask of nodes are a few methods of JSON-RPC."""
    found = [path for room in MAY_IMPORT for path in modules(room) if "web3" in map(root_of, imports(path))]
    assert not found


@pytest.mark.parametrize("room", ["hansa.protocol", "hansa.runtime"])
def test_rules_and_daemons__load_neither_torch_nor_brownie(room: str) -> None:
    assert not loaded_by(*map(dotted, modules(room))) & HEAVY


def test_protocol__does_no_io() -> None:
    found = {
        (path.name, name)
        for path in modules("hansa.protocol")
        for name in map(root_of, imports(path))
        if name in IO and path.name not in MAY_DO_IO.get(name, ())
    }
    assert not found


def test_command_line__loads_no_heavy_package_before_a_command_needs_it() -> None:
    assert not loaded_by("hansa.cli.main") & (HEAVY | {"numpy", "web3"})


@pytest.mark.parametrize("package", PACKAGES)
def test_package__belongs_to_hansa_alone(package: str) -> None:
    assert set(packages_distributions()[package]) == {"hansa"}


def test_packages__are_all_shipped() -> None:
    folders = {path.parent for package in PACKAGES for path in modules(package)}
    assert not [dotted(folder) for folder in folders if not (folder / "__init__.py").exists()], "set-up skips these"
    assert PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == [f"{package}*" for package in PACKAGES]


def test_dependencies__are_exactly_what_is_imported() -> None:
    providers = packages_distributions()
    shipped = [path for package in PACKAGES for path in modules(package) if path.name not in NOT_RUN]
    used = {root_of(name) for path in shipped for name in imports(path)}
    foreign = used - set(PACKAGES) - sys.stdlib_module_names
    needed = {normal(providers.get(name, [name])[0]) for name in foreign}
    extras = PROJECT["project"]["optional-dependencies"]
    lines = {"declared": PROJECT["project"]["dependencies"]}
    lines["optional"] = [line for name, extra in extras.items() if name not in OF_DEVELOPERS for line in extra]
    named = {kind: {normal(re.split(r"[<>=!~\[ ]", line)[0]) for line in found} for kind, found in lines.items()}
    assert needed - named["optional"] == named["declared"]


def test_constraints__pin_every_declared_dependency() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pins)
    extras = PROJECT["project"]["optional-dependencies"]
    optional = [line for name, extra in extras.items() if name != "bench" for line in extra]
    declared = {normal(re.split(r"[<>=!~\[ ]", line)[0]) for line in PROJECT["project"]["dependencies"] + optional}
    assert declared - {"hansa"} <= {normal(line.split("==")[0]) for line in pins}


@pytest.mark.parametrize("folder", [".", "dashboard"])
def test_lock__pins_exactly_and_names_no_registry(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    package = json.loads((ROOT / folder / "package.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""].get(kind, {}) == package.get(kind, {})
        assert all(re.fullmatch(r"[\d.]+", pin) for pin in package.get(kind, {}).values())
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]


def test_files__stay_short() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text().count("\n") for path in tracked(*CODE)}
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_LINES}


def test_files__name_no_machine_and_no_registry_of_its_own() -> None:
    private = {str(ROOT), *registry_hosts()}
    found = []
    for path in tracked():
        text = path.read_text(errors="replace")
        found += [(path.name, hit.group()) for hit in MACHINE_PATH.finditer(text)]
        found += [(path.name, name) for name in private if name in text]
    assert not found


def test_tests__have_no_package_that_shadows_ours() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
    contracts, others = tracked("tests/contracts/*.py"), tracked(*(f"tests/{kind}/*.py" for kind in KINDS))
    for together in (contracts, others):
        names = Counter(path.name for path in together if path.name != "conftest.py")
        assert max(names.values()) == 1, f"one run imports test files by their bare names: {names.most_common(3)}"


def root_of(name: str) -> str:
    return name.partition(".")[0]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def registry_hosts() -> set[str]:
    """Hosts that this machine's pip and npm are set to, by whatever configuration."""
    commands = (["npm", "config", "get", "registry"], [sys.executable, "-m", "pip", "config", "list"])
    said = " ".join(subprocess.run(each, capture_output=True, text=True, check=False).stdout for each in commands)
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s'\"]+", said)}
    return {host for host in hosts if host and host != "localhost"}
