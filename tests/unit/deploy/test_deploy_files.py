"""The units, the image and the compose file: what they name exists, and what they run is a command of ours."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hansa.cli.main import app

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
IMAGE = (DEPLOY / "Dockerfile").read_text()


def compose() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def exec_start(unit: Path) -> list[str]:
    [line] = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.M)
    return shlex.split(line)


def check_command(words: list[str]) -> None:
    """That these words, after `hansa`, are a command of ours with options that it has."""
    shown = CliRunner().invoke(app, [*words[:2], "--help"])
    assert shown.exit_code == 0, shown.output
    options = {word for word in words if word.startswith("--")}
    assert options and options <= set(re.findall(r"--[\w-]+", shown.output))
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


def linted(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def has_plugin(name: str) -> bool:
    """Whether this machine's docker knows compose, or buildx."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", name, "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit__is_what_systemd_takes(unit: Path) -> None:
    linted("systemd-analyze", "verify", "--man=no", str(unit))


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="there is no hadolint")
def test_image__passes_its_linter() -> None:
    linted("hadolint", "--ignore", "DL3008", str(DEPLOY / "Dockerfile"))


@pytest.mark.skipif(not has_plugin("buildx"), reason="there is no docker buildx")
def test_image__passes_dockers_own_checks() -> None:
    done = subprocess.run(["docker", "buildx", "build", "--check", "--file", "deploy/Dockerfile", "."], cwd=ROOT)
    assert done.returncode == 0


@pytest.mark.skipif(not has_plugin("compose"), reason="there is no docker compose")
def test_compose__is_what_docker_takes() -> None:
    linted("docker", "compose", "--file", str(DEPLOY / "compose.yaml"), "config", "--quiet")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit__runs_a_command_of_ours_with_a_password_that_only_it_sees(unit: Path) -> None:
    env, hansa, *words = exec_start(unit)
    assert (env, hansa) == ("/usr/bin/env", "hansa")
    check_command(words)
    assert words[words.index("--password-file") + 1] == "%d/password"
    text = unit.read_text()
    assert f"StateDirectory={unit.stem}\n" in text and words[words.index("--dir") + 1] == f"%S/{unit.stem}"
    for line in ("ProtectSystem=strict", "NoNewPrivileges=yes", "Restart=on-failure", "CapabilityBoundingSet="):
        assert f"\n{line}\n" in text


def test_image__copies_what_there_is_and_runs_hansa() -> None:
    copied = [word for line in re.findall(r"^COPY (.*)$", IMAGE, re.M) for word in line.split()[:-1]]
    assert copied and all((ROOT / name).exists() for name in copied)
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == kept
    assert re.findall(r"^FROM (.*)$", IMAGE, re.M) == ["python:3.11-slim"]
    assert "\nUSER hansa\n" in IMAGE and '\nENTRYPOINT ["hansa"]\n' in IMAGE and "\nSTOPSIGNAL SIGTERM\n" in IMAGE


@pytest.mark.parametrize("name", ["trainer", "validator"])
def test_compose__runs_each_daemon_with_nothing_to_write_to_but_its_volume(name: str) -> None:
    whole = compose()
    service = whole["services"][name]
    context = (DEPLOY / service["build"]["context"]).resolve()
    assert context == ROOT and (context / service["build"]["dockerfile"]).is_file()
    check_command(service["command"])
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    writable = [volume for volume in service["volumes"] if not volume.endswith(":ro")]
    assert writable == [f"{name}:/state"] and name in whole["volumes"]
    words = service["command"]
    assert words[words.index("--password-file") + 1] == f"/run/secrets/{name}"
    assert set(service["secrets"]) <= set(whole["secrets"])
    assert "127.0.0.1:9464/healthz" in service["healthcheck"]["test"][-1]
    assert words[words.index("--metrics") + 1] == "127.0.0.1:9464"


def test_page__names_every_file_and_no_option_that_there_is_not() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    assert [path.name for path in DEPLOY.iterdir() if path.name not in text] == []
    named = set(re.findall(r"`(--[\w-]+)", text))
    shown = "".join(CliRunner().invoke(app, [role, "run", "--help"]).output for role in ("trainer", "aggregator"))
    assert named <= set(re.findall(r"--[\w-]+", shown))
