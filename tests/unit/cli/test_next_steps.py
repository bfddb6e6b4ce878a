"""The commands that a failure suggests find the workspace of the one that failed."""

from __future__ import annotations

import pytest

from hansa.cli.command import Command, command_line
from hansa.protocol.errors import FatalError


@pytest.mark.parametrize(
    ("step", "directory", "said"),
    [
        ("`hansa job list` shows them", "its own", "`hansa job list --dir 'its own'` shows them"),
        ("`hansa audit 1` or `hansa up`", "there", "`hansa audit 1 --dir there` or `hansa up --dir there`"),
        ("`hansa audit --archive a.json`", "there", "`hansa audit --archive a.json`"),
        ("`hansa up --stop --dir there`", "there", "`hansa up --stop --dir there`"),
        ("`hansa job list` shows them", ".hansa", "`hansa job list` shows them"),
    ],
)
def test_next_step__finds_the_same_workspace(
    step: str, directory: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(command: Command) -> None:
        raise FatalError("nothing is there", next_step=step)

    assert command_line("fail", fail).main(["--dir", directory], standalone_mode=False) == 1
    assert capsys.readouterr().err == f"hansa: nothing is there; {said}\n"
