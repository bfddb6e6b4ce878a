"""A trainer under a budget: what it trains, what it charges and when, where it stops."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from desks import JOB, ME, GivenJob, desk_of
from test_retry import FEDERATION, cycle, failed
from torch import nn

from client.privacy.budget import BudgetSpent, PrivacySettings
from client.privacy.ledger import PrivacyLedger
from client.privacy.rows import row_digests
from client.private import PrivateTraining
from client.submit import Submitter
from client.training import local_update
from hansa import ModuleTask
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model, initial_model
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Digest, Phase, Place
from hansa.runtime.desk import Desk
from hansa.tasks import load_task
from hansa.tasks.rows import Rows

HEART = load_task("heart", {}, 0)
DATA = HEART.load("va")
SPEC = JobSpec(task="heart", steps=100, model_bytes=1, update_bytes=1)
ROUNDS = 15


def model_at(round_: int) -> tuple[Digest, Model]:
    start = initial_model(HEART.model(), 8)
    if not round_:
        return Digest(b"\0" * 32), start
    later = replace(start, job=JOB, round=round_, parent=Digest(b"p" * 32), k=(9, 9))
    return Digest(bytes([round_]) * 32), later


def opened(path: Path, round_: int = 0, cycles: Any = (), spec: JobSpec = SPEC) -> Desk:
    terms = SimpleNamespace(max_rounds=ROUNDS)
    follower = GivenJob(path, list(cycles), SimpleNamespace(spec=spec, terms=terms), (cycle(1).cycle, Phase.SUBMIT))
    follower.state = cast(Any, SimpleNamespace(deadline=0))
    follower.base = lambda: model_at(round_)  # type: ignore[method-assign]
    federation = SimpleNamespace(
        chain=SimpleNamespace(chain_id=1, close=lambda: None),
        address=FEDERATION,
        place=lambda job, cycle: Place(1, FEDERATION, job, cycle),
    )
    follower.federation = cast(Any, federation)
    return desk_of(path, follower)


def settings(path: Path, epsilon: float = 2.0, **options: Any) -> PrivacySettings:
    return PrivacySettings(path / "privacy.sqlite", epsilon, **options)


class Mixing(ModuleTask):
    def module(self) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    def load(self, source: str) -> Rows:
        return Rows(np.ones((8, 3), np.float32), np.ones(8, np.float32))

    def loss(self, module: nn.Module, batch: Any) -> Any:
        return module(batch[0]).mean()

    def metric(self, module: nn.Module, data: Any) -> float:
        return -self.mean(module, data)


# --- charged before it is made, given before it is sealed


def spent(path: Path) -> float:
    with PrivacyLedger(path / "privacy.sqlite") as ledger:
        return ledger.spent(row_digests(DATA)).row


def test_submission__charges_once_a_model_however_often_it_is_sealed(tmp_path: Path) -> None:
    done: list[Any] = []
    sent = []
    for attempt in (cycle(1), cycle(2)):
        desk = opened(tmp_path, cycles=[*done, attempt])
        private = PrivateTraining(desk, HEART, DATA, settings(tmp_path))
        submitter = Submitter(desk, HEART, DATA, None, private)
        sealed = desk.journal.remember((JOB, attempt.seed, "update"), lambda: submitter.seal(attempt))  # noqa: B023
        sent.append(desk.journal.recall((JOB, "integers", model_at(0)[0])))
        done.append(failed(attempt, sealed["digest"]))
        private.close()
        desk.journal.close()
    assert sent[0] == sent[1]
    assert spent(tmp_path) == pytest.approx(7.722**-2, rel=1e-3)


def test_training__is_charged_before_anything_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = opened(tmp_path)
    private = PrivateTraining(desk, HEART, DATA, settings(tmp_path))
    seen = []

    def look(*arguments: Any, **options: Any) -> Any:
        seen.append(spent(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr("client.private.row_steps", look)
    for _ in range(3):  # stopped each time: nothing went out
        with pytest.raises(KeyboardInterrupt):
            private.update(*model_at(0))
    assert seen == [pytest.approx(7.722**-2, rel=1e-3)] * 3
    assert spent(tmp_path) == seen[0]


def test_budget__ends_after_its_rounds_and_in_a_new_job_on_the_same_rows(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    private = PrivateTraining(desk, HEART, DATA, settings(tmp_path, rounds=3))
    for round_ in range(3):
        private.check_budget(round_)
        base, model = model_at(round_)
        private.give(base, private.update(base, model)[1])
    with pytest.raises(BudgetSpent, match="privacy budget is at its end.*its 3 rounds are done"):
        private.update(*model_at(3))
    private.close()
    desk.journal.close()
    (tmp_path / "journal").unlink()
    other = PrivateTraining(opened(tmp_path / "new"), HEART, DATA, settings(tmp_path))
    with pytest.raises(BudgetSpent, match=r"ε 2 of 2 is spent \(δ 1e-05, unit row\)"):
        other.check_budget(0)
    larger = PrivateTraining(opened(tmp_path / "more"), HEART, DATA, settings(tmp_path, epsilon=3.0))
    larger.check_budget(0)


def test_budget__lasts_for_the_rounds_that_are_left_of_the_job(tmp_path: Path) -> None:
    private = PrivateTraining(opened(tmp_path), HEART, DATA, settings(tmp_path))
    late = private.update(*model_at(10))[1]
    assert late.sigma == pytest.approx(7.722 / math.sqrt(3), rel=1e-3), "five of fifteen"


def test_update__of_a_round_that_was_made_without_a_budget__does_not_go_out(tmp_path: Path) -> None:
    attempt = cycle(1)
    desk = opened(tmp_path, cycles=[attempt])
    Submitter(desk, HEART, DATA).train(*model_at(0))
    private = PrivateTraining(desk, HEART, DATA, settings(tmp_path))
    submitter = Submitter(desk, HEART, DATA, None, private)
    assert not submitter.is_protected(attempt)
    desk.journal.replace((JOB, attempt.seed, "update"), {"digest": bytes(32), "key": bytes(32)})
    assert submitter.is_protected(attempt), "what was sealed before is sent again, and tells nothing new"


def test_update__is_another_than_without_a_budget(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    private = PrivateTraining(desk, HEART, DATA, settings(tmp_path, epsilon=1.0))
    noisy = private.update(*model_at(0))[0].tensors
    plain = local_update(HEART, DATA, model_at(0)[1], SPEC, ME).tensors
    assert noisy["weight"].shape == plain["weight"].shape == (13,)
    assert not np.array_equal(noisy["weight"], plain["weight"])


# --- what can't be trained so


def test_job__with_a_loss_threshold__is_refused(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"loss_threshold": 1})
    with pytest.raises(FatalError, match="--epsilon can't be used in this job: its loss threshold"):
        PrivateTraining(opened(tmp_path, spec=spec), HEART, DATA, settings(tmp_path))


def test_colluders__outside_a_masked_job__are_refused(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="--colluders can't be used in this job: its privacy is committee"):
        PrivateTraining(opened(tmp_path), HEART, DATA, settings(tmp_path, colluders=0))


def test_task__without_gradients_of_rows__is_refused_but_as_a_party(tmp_path: Path) -> None:
    class Plain:
        name, model, train = "plain", HEART.model, HEART.train

    with pytest.raises(FatalError, match=r"it has no row_gradients\(\); .*--unit party"):
        PrivateTraining(opened(tmp_path), cast(Any, Plain()), DATA, settings(tmp_path))
    party = PrivateTraining(opened(tmp_path / "b"), cast(Any, Plain()), DATA, settings(tmp_path, unit="party"))
    update, noise = party.update(*model_at(0))
    assert noise.sigma == pytest.approx(2 * 7.722, rel=1e-3)
    assert update.tensors["weight"].dtype == np.int8


def test_rows__that_change_each_time__are_refused(tmp_path: Path) -> None:
    class Jittered:
        def __len__(self) -> int:
            return 5

        def __getitem__(self, place: int) -> Any:
            return np.random.default_rng().normal(size=3), 1.0

    with pytest.raises(FatalError, match="gives other rows each time it is asked"):
        PrivateTraining(opened(tmp_path), HEART, Jittered(), settings(tmp_path, unit="party"))


def test_module__that_mixes_rows__is_refused_before_anything_is_paid(tmp_path: Path) -> None:
    mixing = Mixing({}, 1)
    with pytest.raises(
        FatalError, match="task mixing can't be trained with --epsilon: 1, a BatchNorm1d, mixes the rows"
    ):
        PrivateTraining(opened(tmp_path), mixing, mixing.load("a"), settings(tmp_path))


# --- behind masks


MASKED = SPEC.model_copy(update={"privacy": "masked", "group": 4, "shares": 2})


def test_noise__behind_masks__is_spread_over_the_group_where_it_is_asked_for(tmp_path: Path) -> None:
    desk = opened(tmp_path, spec=MASKED)
    alone = PrivateTraining(desk, HEART, DATA, settings(tmp_path / "a"))
    assert alone.update(*model_at(0))[1].own == pytest.approx(7.722, rel=1e-3)
    base, model = model_at(0)
    spread = PrivateTraining(desk, HEART, DATA, settings(tmp_path / "b", colluders=1))
    noise = spread.update(base, model)[1]
    assert (noise.sigma, noise.own) == pytest.approx((7.722, 7.722 / math.sqrt(2)), rel=1e-3)
    assert noise.cost.alone == pytest.approx(2 * noise.cost.row, rel=1e-3)


def test_noise__that_rounding_would_swallow__is_all_one_s_own(tmp_path: Path) -> None:
    private = PrivateTraining(opened(tmp_path, spec=MASKED), HEART, DATA, settings(tmp_path, colluders=0))
    base, model = model_at(1)
    noise = private.update(base, replace(model, k=(9, 0)))[1]
    assert noise.own == noise.sigma


def test_party__with_data_sets_that_share_no_row__has_one_budget(tmp_path: Path) -> None:
    """All that it has is protected, in whichever files that stands."""
    other = HEART.load("switzerland")
    assert not row_digests(DATA) & row_digests(other)
    for number, (data, unit, expected) in enumerate(((DATA, "party", 0), (other, "row", 0), (other, "party", 1))):
        desk = opened(tmp_path / str(number))
        private = PrivateTraining(desk, HEART, data, settings(tmp_path, unit=unit))
        assert (private._ledger.spent(private._rows).of(private._settings.unit) > 0) == expected, (number, unit)
        if number == 0:
            private.update(*model_at(0))
        private.close()
        desk.journal.close()


def test_party__behind_masks__needs_half_the_noise(tmp_path: Path) -> None:
    masked = PrivateTraining(opened(tmp_path, spec=MASKED), HEART, DATA, settings(tmp_path, unit="party"))
    assert masked.update(*model_at(0))[1].sigma == pytest.approx(7.722, rel=1e-3)
