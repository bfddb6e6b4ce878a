"""`hansa up` and `hansa demo` take the same parties, and refuse the same, in the same words, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hansa.cli.main import app
from hansa.devnet.folder import Devnet
from hansa.devnet.furnish import next_commands
from hansa.devnet.setup import Setup

NONSENSE = [
    (["--consensus", "votes"], "--consensus 'votes' is none; use appointed, staked, hybrid, coupled"),
    (["--admission", "nobody"], "--admission 'nobody' is none; use open, credential, reputation"),
    (
        ["--consensus", "coupled", "--trainers", "3"],
        "--trainers 3 is too few for 3 seats drawn from the trainers: an update must be judged by others than its own "
        "trainer, and some must come from outside; give --trainers 4 or more, or fewer --validators",
    ),
    (["--consensus", "hybrid", "--validators", "2"], "--consensus hybrid with --validators 2 appoints nobody"),
    (["--consensus", "staked", "--validators", "0"], "--validators 0 is out of range"),
    (["--gasless", "--consensus", "coupled"], "--gasless doesn't go with --consensus coupled"),
    (["--gasless", "--chain", "ganache"], "--gasless doesn't go with --chain ganache"),
    (["--chain", "morse"], "--chain 'morse' is no kind of chain"),
]


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize(("words", "said"), NONSENSE)
def test_parties__that_make_no_sense__are_refused(tmp_path: Path, command: str, words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, [command, *words, "--dir", str(tmp_path / "chain")])
    assert done.exit_code == 1 and done.stderr.count("\n") == 1
    assert said in done.stderr
    assert not (tmp_path / "chain").exists()


@pytest.mark.parametrize(
    ("consensus", "validators", "accounts"),
    [("appointed", 3, 3), ("staked", 3, 9), ("hybrid", 5, 1 + 3 * 4), ("coupled", 3, 0)],
)
def test_folder__has_an_account_for_each_party__and_remembers_the_kind(
    tmp_path: Path, consensus: str, validators: int, accounts: int
) -> None:
    made = Devnet.of("up", Setup(validators=validators, consensus=consensus, admission="credential", gasless=True))
    assert (made.trainers, made.validators) == (4, accounts)
    made.save(tmp_path)
    found = Devnet.load(tmp_path)
    assert found is not None and found.setup == Setup(
        validators=validators, consensus=consensus, admission="credential", gasless=True
    )


def test_folder__of_an_earlier_version__is_that_of_an_appointed_committee(tmp_path: Path) -> None:
    (tmp_path / "devnet.json").write_text('{"maker": "up", "trainers": 2, "validators": 5}')
    found = Devnet.load(tmp_path)
    assert found is not None and (found.setup.consensus, found.setup.validators, found.setup.stakers) == (
        "appointed",
        5,
        0,
    )


def test_next__is_the_job_that_everything_is_there_for() -> None:
    usual = "hansa job post --task heart --account sponsor --validators validator-1,validator-2,validator-3"
    assert next_commands(Setup(), None, " --dir x") == [f"{usual} --dir x"]
    (coupled,) = next_commands(Setup(consensus="coupled", trainers=6), None, "")
    assert coupled.endswith("--consensus coupled --seats 3 --min-updates 4 --trainers 6 --set parties=6")
    first, *rest = next_commands(Setup(gasless=True, admission="reputation"), None, "")
    assert first == usual and [line.split()[1] for line in rest] == ["aggregator", "trainer", "job"]
    assert rest[-1].endswith("--admission reputation --jobs 1 --min-reputation 0.05")
