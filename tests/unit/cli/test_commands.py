"""The command line itself: help, one sentence for a failure, exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hansa.cli.command import Command, command_line, load, report_failures
from hansa.cli.main import COMMANDS, PANELS, app, module_of
from hansa.protocol.errors import FatalError
from hansa.runtime.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    for name in ("HANSA_ACCOUNT", "HANSA_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner()


NOUNS = ("up", "demo", "doctor", "top", "deploy", "job", "trainer", "aggregator", "wallet", "id", "credential")


def test_help__names_every_noun(run: CliRunner) -> None:
    shown = run.invoke(app, ["--help"]).output
    assert [noun for noun in NOUNS if noun not in shown] == []


@pytest.mark.parametrize("words", COMMANDS)
def test_help__of_each_command__has_dir_json_and_debug(run: CliRunner, words: str) -> None:
    done = run.invoke(app, [*words.split(), "--help"])
    assert done.exit_code == 0, done.output
    for option in ("--dir", "--json", "--debug"):
        assert option in done.output


@pytest.mark.parametrize("words", [[], ["--help"], ["wallet", "--help"], ["--version"]])
def test_door__loads_nothing_heavy_and_no_command(words: list[str]) -> None:
    heavy = ("web3", "torch", "numpy", "pydantic", "rich.live", "rich.console", "hansa.protocol", "hansa.cli.command")
    script = (
        "import sys\nfrom hansa.cli.main import app\n"
        f"if {words}: app({words}, standalone_mode=False)\n"
        f"sys.exit(str([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("path", COMMANDS)
def test_table__says_where_a_command_is_and_how_its_docstring_begins(path: str) -> None:
    module = module_of(path.split())
    file = ROOT / f"{module.replace('.', '/')}.py"
    assert file.is_file()
    words = [word.removesuffix("_") for word in module.removesuffix(".command").split(".")[2:]]
    assert words == path.split()
    assert load(path.split()[-1], module).help.partition("\n")[0] == COMMANDS[path]


def test_table__names_every_command_that_there_is() -> None:
    packages = (ROOT / "hansa" / "cli").rglob("*.py")
    found = [file for file in packages if re.search(r"^def run\($|^def run\(command:", file.read_text(), re.M)]
    assert len(found) == len(COMMANDS)


def test_version__is_the_installed_one(run: CliRunner) -> None:
    assert run.invoke(app, ["--version"]).output == f"hansa {version('hansa')}\n"


def test_help__has_every_word_under_one_heading(run: CliRunner) -> None:
    words = [word for listed in PANELS.values() for word in listed]
    assert sorted(words) == sorted({path.split()[0] for path in COMMANDS})
    shown = run.invoke(app, []).output
    assert [heading for heading in PANELS if f"{heading}:" not in shown] == []


@pytest.mark.parametrize("words", ["", "job", "trainer", "aggregator", "wallet", *COMMANDS])
def test_help__fits_80_columns__with_nothing_cut(run: CliRunner, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run.invoke(app, [*words.split(), "--help"]).output
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.replace("[ARGS]...", "") and "list[" not in shown and " range>" not in shown
    for path, line in COMMANDS.items():
        if words in ("", path.rpartition(" ")[0]) and path.rpartition(" ")[0] == words:
            assert line in re.sub(r"\s+", " ", shown), path


def test_help__groups_many_options_under_headings(run: CliRunner) -> None:
    shown = run.invoke(app, ["job", "post", "--help"]).output
    headings = [line for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")]
    panels = [
        "Job:",
        "Committee:",
        "Parties:",
        "Money:",
        "Times and end:",
        "Rules:",
        "Who may train:",
        "Key:",
        "Options:",
    ]
    assert headings == panels
    assert "…" not in shown and "..." not in shown and max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("words", ["job list", "job show 1", "wallet show", "trainer status --job 1", "job watch 1"])
def test_no_deployment__is_one_sentence(run: CliRunner, tmp_path: Path, words: str) -> None:
    done = run.invoke(app, words.split())
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path} holds no deployment.json" in done.stderr
    assert "hansa up" in done.stderr


def test_broken_deployment__names_the_field(run: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text('{"name": "x"}')
    done = run.invoke(app, ["job", "list"])
    assert done.exit_code == 1
    assert "is not a deployment: chain_id" in done.stderr


def test_debug__shows_the_traceback(run: CliRunner) -> None:
    assert isinstance(run.invoke(app, ["job", "list", "--debug"]).exception, FatalError)


def test_unforeseen_failure__is_a_sentence_too(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise RuntimeError("the wheel came off\nand rolled away")

    with pytest.raises(typer.Exit) as left, report_failures(False):
        broken()
    assert left.value.exit_code == 70
    assert capsys.readouterr().err.strip().count("\n") == 0


def test_file__that_may_not_be_written__is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def denied() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/somewhere")

    with pytest.raises(typer.Exit) as left, report_failures(False):
        denied()
    assert left.value.exit_code == 1
    assert capsys.readouterr().err.startswith("hansa: /somewhere can't be used: Permission denied; ")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which none can be made")
@pytest.mark.parametrize("words", ["demo", "up", "wallet new alice"])
def test_directory_that_can_not_be_made__is_one_sentence(run: CliRunner, words: str) -> None:
    done = run.invoke(app, [*words.split(), "--dir", "/proc/nothing"])
    assert done.exit_code == 1
    assert done.stderr.startswith("hansa: /proc/nothing"), done.stderr
    assert "can't be used: No such file or directory" in done.stderr and len(done.stderr.splitlines()) == 1


def test_exit_code__is_the_errors_own(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> None:
        raise FatalError("a cycle failed", exit_code=3)

    with pytest.raises(typer.Exit) as left, report_failures(False):
        stopped()
    assert left.value.exit_code == 3
    assert capsys.readouterr().err == "hansa: a cycle failed\n"


def test_command__gives_dir_json_and_debug_to_the_function(tmp_path: Path) -> None:
    seen = []

    def look(command: Command, name: str, times: int = 1) -> None:
        seen.append((command, name, times))

    words = ["alice", "--times", "2", "--dir", str(tmp_path), "--json"]
    command_line("look", look).main(words, standalone_mode=False)
    assert seen == [(Command(Workspace(tmp_path), json=True), "alice", 2)]


def test_wallet_new__makes_a_key_once(run: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSA_PASSWORD", "secret")
    first = run.invoke(app, ["wallet", "new", "alice", "--light", "--json"])
    assert first.exit_code == 0, first.output
    made = json.loads(first.stdout)
    assert Path(made["path"]).stat().st_mode & 0o777 == 0o600
    second = run.invoke(app, ["wallet", "new", "alice", "--light"])
    assert second.exit_code == 1
    assert "exists" in second.stderr


@pytest.mark.parametrize("name", ["../alice", "a b", ""])
def test_wallet_new__refuses_names_that_are_paths(run: CliRunner, name: str) -> None:
    done = run.invoke(app, ["wallet", "new", name])
    assert done.exit_code == 1
    assert "can't name a keystore" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--trainers 0", "--trainers 0 is out of range: it may be 1 to 100"),
        ("--trainers 4 --validators 25", "--validators 25"),
        ("--trainers 4 --rounds 0", "--rounds 0"),
        ("--trainers 4 --seed -1", "--seed -1"),
        ("--trainers 4 --store cloud", "'cloud' is no store"),
        ("--trainers 4 --validator-threads two", "write it like 1,2"),
        ("--task nothing", "no task 'nothing'"),
    ],
)
def test_demo__refuses_what_it_cannot_do_before_it_starts_anything(
    run: CliRunner, tmp_path: Path, words: str, said: str
) -> None:
    done = run.invoke(app, ["demo", *words.split()])
    assert done.exit_code == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_demo__never_clears_what_it_did_not_make(run: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text('{"chain_id": 31337}')
    done = run.invoke(app, ["demo", "--trainers", "4"])
    assert done.exit_code == 1
    assert "holds deployment.json: no `hansa demo` made that, so none replaces it" in done.stderr
    assert (tmp_path / "deployment.json").exists()


def test_doctor__without_a_deployment__looks_at_the_machine(run: CliRunner) -> None:
    found = json.loads(run.invoke(app, ["doctor", "--json"]).stdout)
    states = {item["what"]: item["state"] for item in found["findings"]}
    assert states["packages"] == "ok"
    assert states["deployment"] == "warning"
    assert found["healthy"]


def test_doctor__finds_keys_that_others_can_read(
    run: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANSA_PASSWORD", "secret")
    run.invoke(app, ["wallet", "new", "alice", "--light"])
    (tmp_path / "keys" / "alice.json").chmod(0o644)
    done = run.invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "alice.json can be read by others" in done.output


def test_up_stop__where_nothing_runs(run: CliRunner) -> None:
    done = run.invoke(app, ["up", "--stop"])
    assert done.exit_code == 1
    assert "is running" in done.stderr


@pytest.fixture
def without(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command where a package can't be imported."""

    def run(package: str, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        broken = tmp_path / package / "__init__.py"
        broken.parent.mkdir()
        broken.write_text(f"raise ModuleNotFoundError('No module named {package}', name={package!r})")
        paths = os.pathsep.join(filter(None, [str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": paths, "HANSA_DIR": str(tmp_path / "dir"), **extra}
        command = [str(Path(sys.executable).with_name("hansa")), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("words", ["wallet why -h", "wallet why", "trainer run -h"])
def test_missing_package__is_named__with_what_to_do(without: Callable[..., Any], words: str) -> None:
    done = without("eth_account", *words.split())
    assert done.returncode == 1
    assert done.stderr == "hansa: eth_account can't be imported; run `make setup`, or install hansa again\n"


@pytest.mark.parametrize("package", ["eth_account", "structlog"])
def test_missing_package__doctor_goes_on_to_its_last_line(without: Callable[..., Any], package: str) -> None:
    done = without(package, "doctor")
    assert done.stdout.count("\n") >= 8 and "disk" in done.stdout and "deployment" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("typed, at, offered", [("hansa wal", "1", "wallet"), ("hansa wallet why --", "3", "--help")])
def test_missing_package__completes_what_it_can(without: Callable[..., Any], typed: str, at: str, offered: str) -> None:
    done = without("eth_account", _HANSA_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=at)
    assert (done.stdout.strip(), done.stderr) == (offered, "")


def test_keep_going__is_still_taken__and_not_shown(run: CliRunner) -> None:
    """It is what a trainer does anyway."""
    shown = run.invoke(app, ["trainer", "run", "-h"]).output
    assert "--stop-after-failure" in shown and "--keep-going" not in shown
    done = run.invoke(app, ["trainer", "run", "--job", "1", "--source", "0", "--keep-going"])
    assert "No such option" not in done.output and done.exit_code == 1


def test_nothing_asked__shows_options_and_commands(run: CliRunner) -> None:
    shown = run.invoke(app, []).output
    assert "--version" in shown and "wallet" in shown
