"""Shell completion: the scripts, and what they ask the command for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = "from hansa.cli.main import app; app(prog_name='hansa')"


def hansa(*words: str, **environment: str) -> str:
    given = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("shell", "said"), [("bash", "complete -o default -F"), ("zsh", "#compdef hansa")])
def test_show_completion__prints_the_shells_script(shell: str, said: str) -> None:
    script = hansa("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert said in script
    assert "_HANSA_COMPLETE" in script


def test_bash__completes_the_commands_of_a_noun() -> None:
    offered = hansa(_HANSA_COMPLETE="complete_bash", COMP_WORDS="hansa job ", COMP_CWORD="2").split()
    assert offered == ["post", "cost", "list", "show", "watch", "export", "stop"]
    assert hansa(_HANSA_COMPLETE="complete_bash", COMP_WORDS="hansa to", COMP_CWORD="1").split() == ["top"]


def test_zsh__completes_the_commands_of_a_noun() -> None:
    offered = hansa(_HANSA_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="hansa job w")
    assert "watch" in offered and "post" not in offered
