"""What was given away of which rows: kept across jobs, keys, restarts and crashes."""

from __future__ import annotations

import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from client.privacy.accountant import Cost, epsilon_of
from client.privacy.budget import BudgetSpent, Noise, PrivacySettings, Setting, noise_for
from client.privacy.ledger import Budget, PrivacyLedger, Release
from client.privacy.rows import SIZE, row_digests
from hansa.protocol.errors import FatalError
from hansa.tasks.rows import Rows

PLACE = "31337/0xf"
BUDGET = Budget(2.0, 1e-5, "row")
HALF = Noise("row", 1, 2.0, 2.0)  # μ² = 1/4


def rows(names: str) -> frozenset[bytes]:
    return frozenset(name.encode().ljust(SIZE) for name in names)


def release(job: int = 1, base: int = 0, account: str = "0xa", place: str = PLACE) -> Release:
    return Release(place, job, account, bytes([base]) * 32)


def charge(ledger: PrivacyLedger, names: str, of: Release, noise: Noise = HALF, *, give: bool = True) -> float:
    """μ² of these rows when it is booked."""
    ledger.charge(rows(names), of, lambda spent, others: noise, BUDGET)
    if give:
        ledger.give(rows(names), of, noise, BUDGET)
    return ledger.spent(rows(names)).row


@pytest.fixture
def ledger(tmp_path: Path) -> PrivacyLedger:
    return PrivacyLedger(tmp_path / "privacy.sqlite")


def test_charge__of_each_model__adds_up_across_jobs_keys_and_openings(tmp_path: Path) -> None:
    with PrivacyLedger(tmp_path / "privacy.sqlite") as first:
        assert charge(first, "abc", release(base=0)) == 0.25
        assert charge(first, "abc", release(base=1)) == 0.5
        assert charge(first, "abc", release(job=2)) == 0.75
    with PrivacyLedger(tmp_path / "privacy.sqlite") as again:
        assert charge(again, "abc", release(account="0xb")) == 1.0
        assert charge(again, "abc", release(place="1/0xf")) == 1.25


def test_charge__once_more_before_it_is_given__is_free_and_of_the_same_noise(ledger: PrivacyLedger) -> None:
    assert charge(ledger, "ab", release(), give=False) == 0.25
    louder = Noise("row", 1, 9.0, 9.0)
    assert ledger.charge(rows("ab"), release(), lambda spent, others: louder, BUDGET) == HALF
    assert ledger.spent(rows("ab")).row == 0.25


def test_charge__once_more_after_it_was_given__is_charged_anew(ledger: PrivacyLedger) -> None:
    charge(ledger, "ab", release())
    assert charge(ledger, "ab", release(), give=False) == 0.5
    assert charge(ledger, "ab", release(), give=False) == 0.5
    assert charge(ledger, "ab", release()) == 0.5


def test_charge__with_other_terms__is_charged_anew(ledger: PrivacyLedger) -> None:
    charge(ledger, "ab", release(), give=False)
    ledger.charge(rows("ab"), release(), lambda spent, others: HALF, Budget(2.0, 1e-5, "row, clip 2"))
    assert ledger.spent(rows("ab")).row == 0.5


def test_plan__is_told_what_is_spent_and_how_many_other_models_this_account_used(ledger: PrivacyLedger) -> None:
    told = []

    def plan(spent: Cost, others: int) -> Noise:
        told.append((spent.row, others))
        return HALF

    for base in (0, 1, 1, 2):
        ledger.charge(rows("ab"), release(base=base), plan, BUDGET)
        ledger.give(rows("ab"), release(base=base), HALF, BUDGET)
    ledger.charge(rows("b"), release(base=0, account="0xb"), plan, BUDGET)
    assert told == [(0.0, 0), (0.25, 1), (0.5, 1), (0.75, 2), (1.0, 0)]


def test_plan__that_refuses__books_nothing(ledger: PrivacyLedger) -> None:
    def plan(spent: Cost, others: int) -> Noise:
        raise BudgetSpent("spent")

    with pytest.raises(BudgetSpent):
        ledger.charge(rows("ab"), release(), plan, BUDGET)
    assert ledger.spent(rows("ab")).row == 0.0
    assert ledger.standing(PLACE, 1, "0xa") is None


def test_family__is_known_by_any_row_of_it_and_by_rows_that_came_later(ledger: PrivacyLedger) -> None:
    charge(ledger, "abc", release(1))
    assert charge(ledger, "cde", release(2)) == 0.5, "c was there"
    assert ledger.spent(rows("a")).row == 0.5, "counted with the family it is in"
    assert ledger.spent(rows("e")).row == 0.5
    assert charge(ledger, "exy", release(3)) == 0.75
    assert ledger.spent(rows("z")).row == 0.0


def test_row__edited_between_two_jobs_and_back__is_counted_all_along(ledger: PrivacyLedger) -> None:
    charge(ledger, "abc", release(1))
    charge(ledger, "abX", release(2))
    assert charge(ledger, "abc", release(3)) == 0.75


def test_data_set__that_shares_no_row__is_another_family(ledger: PrivacyLedger) -> None:
    charge(ledger, "a", release(1))
    assert charge(ledger, "b", release(2)) == 0.25
    assert charge(ledger, "b", release(3)) == 0.5
    assert ledger.spent(rows("a")).row == 0.25
    assert charge(ledger, "ab", release(4)) == 0.75, "the one that joins two takes the larger"
    assert ledger.spent(rows("a")).row == ledger.spent(rows("b")).row == 0.75
    assert ledger.count() == 2


def test_families__joined__keep_what_was_given_given(ledger: PrivacyLedger) -> None:
    same = release()
    charge(ledger, "a", same)
    charge(ledger, "b", same, give=False)
    charge(ledger, "ab", release(base=9), give=False)
    before = ledger.spent(rows("a")).row
    assert charge(ledger, "a", same) == before + 0.25, "it was given: training again is another look"


def test_families__never_count_less_than_any_row_has_spent(ledger: PrivacyLedger) -> None:
    """Against a picture of every row's own sum, over random edits."""
    random = np.random.default_rng(3)
    own: dict[str, float] = {}
    data = set("abcdefgh")
    for job in range(120):
        letters = "".join(chr(97 + place) for place in range(26))
        for _ in range(int(random.integers(0, 6))):
            letter = letters[int(random.integers(26))]
            data ^= {letter}
        chosen = "".join(sorted(data)) or "a"
        charge(ledger, chosen, release(job))
        for name in chosen:
            own[name] = own.get(name, 0.0) + 0.25
        for name, spent in own.items():
            assert ledger.spent(rows(name)).row >= spent


def test_unit__row__leaves_no_bound_for_a_party_and_a_party_covers_its_rows(ledger: PrivacyLedger) -> None:
    charge(ledger, "ab", release(1), Noise("party", 1, 4.0, 4.0))
    spent = ledger.spent(rows("ab"))
    assert (spent.row, spent.party) == (0.25, 0.25)
    charge(ledger, "ab", release(2))
    spent = ledger.spent(rows("ab"))
    assert (spent.row, spent.party) == (0.5, math.inf)


def test_give__of_what_the_file_knows_nothing_of__books_it(ledger: PrivacyLedger) -> None:
    ledger.give(rows("ab"), release(), HALF, BUDGET)
    assert ledger.spent(rows("ab")).row == 0.25


def test_standing__is_of_the_rows_last_used(ledger: PrivacyLedger) -> None:
    charge(ledger, "ab", release(1))
    charge(ledger, "bc", release(2))
    standing = ledger.standing(PLACE, 1, "0xa")
    assert standing is not None
    assert (standing.spent.row, standing.unit, standing.epsilon, standing.releases) == (0.5, "row", 2.0, 1)


def test_file__is_its_owner_s_alone_and_says_so_when_it_is_none(tmp_path: Path) -> None:
    path = tmp_path / "privacy.sqlite"
    PrivacyLedger(path).close()
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(FatalError, match="privacy.sqlite can't be used.*restore it"):
        PrivacyLedger(path)


@pytest.mark.parametrize("when", ["before", "after"])
def test_sigkill__around_the_charge__neither_loses_nor_doubles_it(tmp_path: Path, when: str) -> None:
    path = tmp_path / "privacy.sqlite"

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    for _ in range(3):
        child = os.fork()
        if not child:
            plan = (lambda spent, others: die()) if when == "before" else (lambda spent, others: HALF)
            PrivacyLedger(path).charge(rows("ab"), release(), plan, BUDGET)  # type: ignore[arg-type]
            die()
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        with PrivacyLedger(path) as ledger:
            assert ledger.spent(rows("a")).row == (0.0 if when == "before" else 0.25)
    with PrivacyLedger(path) as ledger:
        assert charge(ledger, "ab", release()) == 0.25


def test_row_digests__are_of_what_the_task_reads_label_included() -> None:
    inputs, labels = np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0, 1, 1])
    found = row_digests(Rows(inputs, labels))
    assert len(found) == 3
    assert row_digests(Rows(inputs[::-1].copy(), labels[::-1].copy())) == found, "whatever their order"
    assert len(row_digests(Rows(inputs, 1 - labels)) & found) == 0
    assert len(row_digests(Rows(inputs + np.float32([[0, 0], [0, 0], [0, 1]]), labels)) & found) == 2


def test_row_digests__of_a_data_set__take_nested_items_and_name_what_they_can_t() -> None:
    items = [{"text": "ab", "parts": [1, 2.5]}, {"text": "a", "parts": ["b", 2.5]}, ("ab", 1), ("a", "b1")]
    assert len(row_digests(items)) == 4
    with pytest.raises(FatalError, match="a row holds object"):
        row_digests([object()])


# --- how much noise


def settings(epsilon: float = 2.0, **options: object) -> PrivacySettings:
    return PrivacySettings(Path("privacy.sqlite"), epsilon, **options)  # type: ignore[arg-type]


def test_noise__spends_the_budget_over_the_rounds_and_then_no_more() -> None:
    wanted, spent = settings(rounds=15), 0.0
    sigmas = []
    for done in range(15):
        noise = noise_for(wanted, Setting(15 - done), spent)
        sigmas.append(noise.sigma)
        spent += noise.cost.row
    assert sigmas == pytest.approx([7.722] * 15, abs=1e-3)
    assert 1.999 < epsilon_of(spent, 1e-5) <= 2.0
    with pytest.raises(BudgetSpent, match=r"ε 2 of 2 is spent \(δ 1e-05, unit row\)"):
        noise_for(wanted, Setting(1), spent)
    with pytest.raises(BudgetSpent, match="its 15 rounds are done"):
        noise_for(wanted, Setting(0), spent)


def test_noise__of_a_party__is_twice_as_wide_unless_only_sums_are_seen() -> None:
    row, party = noise_for(settings(), Setting(15), 0.0), noise_for(settings(unit="party"), Setting(15), 0.0)
    masked = noise_for(settings(unit="party"), Setting(15, group=3), 0.0)
    assert party.sigma == pytest.approx(2 * row.sigma, rel=1e-6)
    assert masked.sigma == pytest.approx(row.sigma, rel=1e-6)


def test_noise__is_spread_only_where_rounding_leaves_it_there() -> None:
    wanted = settings(colluders=1)
    fine, coarse = (noise_for(wanted, Setting(15, group=5, step=step, reach=0.01), 0.0) for step in (0.05, 0.2))
    assert fine.own == pytest.approx(fine.sigma / math.sqrt(3), rel=1e-5)
    assert coarse.own == coarse.sigma == fine.sigma
    assert fine.cost.alone == pytest.approx(3 * fine.cost.row, rel=1e-5)
    for wrong in (Setting(15), Setting(15, group=2)):
        with pytest.raises(FatalError, match="--colluders 1 can't be used"):
            noise_for(wanted, wrong, 0.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epsilon": 0.0}, "--epsilon 0 is out of range; use 0.001 to 1000"),
        ({"epsilon": -2.0}, "--epsilon -2 is out of range"),
        ({"epsilon": math.nan}, "--epsilon nan is out of range"),
        ({"delta": 0.0}, "--delta 0 is out of range"),
        ({"clip": 0.0}, "--clip 0 is out of range"),
        ({"unit": "patient"}, "--unit 'patient' is no unit; use row or party"),
        ({"unit": "party", "steps": 5}, "--dp-steps 5 is of no use to --unit party"),
    ],
)
def test_settings__that_are_no_budget__are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(FatalError, match=said):
        settings(**options)  # type: ignore[arg-type]
