"""The options of a privacy budget, and what is shown of one."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from client.privacy.budget import Noise
from client.privacy.ledger import NAME, Budget, PrivacyLedger, Release
from hansa.cli.trainer.privacy_options import BudgetOptions, PrivacyOptions, privacy_status, show_privacy
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId
from hansa.runtime.workspace import Workspace

ME = Address("0x" + "A1" * 20)
FEDERATION: Any = SimpleNamespace(chain=SimpleNamespace(chain_id=5), address="0x" + "FE" * 20)
ROWS = frozenset([b"12345678"])


def shown(file: Path) -> str:
    found = privacy_status(file, FEDERATION, JobId(1), ME)
    assert found is not None
    out = io.StringIO()
    show_privacy(Console(file=out, width=200), found)
    return out.getvalue()


def book(file: Path, noise: Noise) -> None:
    release = Release(f"5/{FEDERATION.address.lower()}", 1, ME.lower(), bytes(32))
    with PrivacyLedger(file) as ledger:
        ledger.charge(ROWS, release, lambda spent, others: noise, Budget(2.0, 1e-5, "terms"))


def test_options__of_a_budget__become_the_trainer_s(tmp_path: Path) -> None:
    made = PrivacyOptions(epsilon=2.0, clip=0.5, rounds=7, dp_steps=3, slow=True).own_settings(Workspace(tmp_path))
    assert made is not None
    assert (made.file, made.epsilon, made.delta, made.clip) == (tmp_path / NAME, 2.0, 1e-5, 0.5)
    assert (made.unit, made.rounds, made.steps, made.colluders, made.slow) == ("row", 7, 3, None, True)
    assert PrivacyOptions().own_settings(Workspace(tmp_path)) is None


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (BudgetOptions(delta=1e-6), "--delta"),
        (BudgetOptions(unit="party"), "--unit"),
        (BudgetOptions(slow=True), "--slow"),
    ],
)
def test_options__without_a_budget__are_refused(options: BudgetOptions, named: str) -> None:
    with pytest.raises(FatalError, match=f"{named} is given without --epsilon.*add --epsilon"):
        options.settings(Workspace(Path(".")))


@pytest.mark.parametrize("options", [PrivacyOptions(rounds=3), PrivacyOptions(colluders=0)])
def test_options__of_one_s_own__are_refused_without_a_budget_too(options: PrivacyOptions) -> None:
    with pytest.raises(FatalError, match="is given without --epsilon"):
        options.own_settings(Workspace(Path(".")))


def test_status__says_what_is_spent_and_left_and_what_exchanging_a_row_tells(tmp_path: Path) -> None:
    book(tmp_path / NAME, Noise("row", 1, 7.722, 7.722))
    words = shown(tmp_path / NAME)
    assert "ε 0.452 of 2 spent, 1.55 left (δ 1e-05, unit row), over all jobs on these rows" in words
    assert "where a row is exchanged for another" in words
    assert "by your own noise alone" not in words


def test_status__of_spread_noise__says_what_one_s_own_is_worth(tmp_path: Path) -> None:
    book(tmp_path / NAME, Noise("row", 1, 7.722, 4.0, masked=True))
    assert "by your own noise alone" in shown(tmp_path / NAME)


def test_status__without_a_budget__is_none(tmp_path: Path) -> None:
    assert privacy_status(tmp_path / NAME, cast(Any, None), JobId(1), ME) is None
    assert not (tmp_path / NAME).exists()
    book(tmp_path / NAME, Noise("row", 1, 7.722, 7.722))
    assert privacy_status(tmp_path / NAME, FEDERATION, JobId(2), ME) is None
