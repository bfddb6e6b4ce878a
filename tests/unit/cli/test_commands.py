"""The command line itself: help, one sentence for a failure, exit codes."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hansa.cli.command import Here, command, with_errors_told
from hansa.cli.main import app
from hansa.protocol.errors import FatalError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    for name in ("HANSA_ACCOUNT", "HANSA_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner()


NOUNS = ("up", "demo", "doctor", "top", "deploy", "job", "trainer", "aggregator", "wallet")


def test_help__names_every_noun(run: CliRunner) -> None:
    shown = run.invoke(app, ["--help"]).output
    assert [noun for noun in NOUNS if noun not in shown] == []


@pytest.mark.parametrize(
    "words",
    ["up", "demo", "doctor", "top", "deploy", "job post", "job list", "job show", "job watch", "job stop",
     "trainer run", "trainer status", "aggregator run", "aggregator status", "wallet new", "wallet show",
     "wallet claim", "wallet history", "wallet why"],
)  # fmt: skip
def test_help__of_each_command__has_dir_json_and_debug(run: CliRunner, words: str) -> None:
    done = run.invoke(app, [*words.split(), "--help"])
    assert done.exit_code == 0, done.output
    for option in ("--dir", "--json", "--debug"):
        assert option in done.output


def test_import__loads_nothing_heavy() -> None:
    heavy = ("web3", "torch", "numpy", "pydantic", "rich.live")
    script = f"import hansa.cli.main, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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

    with pytest.raises(typer.Exit) as left:
        with_errors_told(False, broken)
    assert left.value.exit_code == 70
    assert capsys.readouterr().err.strip().count("\n") == 0


def test_file__that_may_not_be_written__is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def denied() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/somewhere")

    with pytest.raises(typer.Exit) as left:
        with_errors_told(False, denied)
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

    with pytest.raises(typer.Exit) as left:
        with_errors_told(False, stopped)
    assert left.value.exit_code == 3
    assert capsys.readouterr().err == "hansa: a cycle failed\n"


def test_command__gives_dir_json_and_debug_to_the_function(tmp_path: Path) -> None:
    seen = []
    own = typer.Typer()

    def look(here: Here, name: str, times: int = 1) -> None:
        seen.append((here, name, times))

    command(own, "look")(look)
    done = CliRunner().invoke(own, ["alice", "--times", "2", "--dir", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    assert seen == [(Here(tmp_path, json=True), "alice", 2)]


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
    assert "no demo made" in done.stderr
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
