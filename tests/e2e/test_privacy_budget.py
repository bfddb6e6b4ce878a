"""A masked job in which trainers add their noise together. One's privacy budget ends before the job does: it is killed
at each of its steps, stops at its round, and is refused in another job on the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from federations import TRAINERS, Observed, check_once, end_phase, events, federation, finish, keep_alive, verdicts
from hostile import cast
from masked_jobs import check_last_model

from client.privacy.accountant import Cost, epsilon_of, mu_squared_of, sigma_for, spread_sigma
from client.privacy.budget import PrivacySettings
from client.privacy.ledger import NAME, PrivacyLedger
from client.privacy.rows import row_digests
from hansa.protocol.types import Code, Phase
from hansa.sponsor.admission import EVERYBODY
from hansa.tasks import load_task

ROUNDS, OF_BUDGET, GROUP, EPSILON = 2, 1, 3, 2.0
TIMES = {"enrol": 120, "submit": 120, "attest": 240}  # for a daemon that starts again many times
LAST = "no further update of these rows is given away: the privacy budget is at its end"
DEATHS = {"submit journalled", "submit sent", "publish before", "publish after"}
SPARED = {f"{step} {moment}" for step in ("approve", "enrol") for moment in ("journalled", "sent")}
MAY_OPEN = {"open journalled", "open sent"}  # which anybody does where those before it are late
CLIPS = dict(zip(TRAINERS, (3.0, 2.0, 1.0, 1.0), strict=True))  # by rows: a part of the noise fills an integer's step


def spent(file: Path) -> Cost:
    with PrivacyLedger(file) as ledger:
        return ledger.spent(row_digests(load_task("heart", {"parties": 4}, 0).load("0")))


def part(rounds: int) -> float:
    """What each of a group adds where the budget lasts for so many rounds, in clips, as logs say it."""
    return round(spread_sigma(sigma_for(mu_squared_of(EPSILON, 1e-5) / rounds, 1), GROUP, 0), 4)


def noise_of(lab: Observed, name: str) -> list[float]:
    """What a trainer added in each round, in clips."""
    return [event["noise"] for event in events(lab, name) if event["event"] == "trained"]


def test_budget__ends_the_trainer_at_its_round_after_kills_and_in_a_new_job_too(tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").mkdir()
    for moment in SPARED:
        (deaths / moment).touch()
    file = tmp_path / NAME
    with federation(tmp_path / "lab", rounds=ROUNDS, times=TIMES, privacy="masked") as lab:
        for name in TRAINERS:
            rounds, own = (OF_BUDGET, file) if name == "trainer-1" else (ROUNDS, tmp_path / f"{name}.sqlite")
            budget = PrivacySettings(own, EPSILON, clip=CLIPS[name], rounds=rounds, colluders=0)
            lab.workers[name].arguments[0].fields["privacy"] = budget
        cast(lab, "trainer-1", "UnluckyTrainer", deaths=deaths)
        first = lab.workers["trainer-1"]
        lab.start_all()
        keep_alive(lab, ["trainer-1"], lambda: first.exit_code == 1, 300.0)
        assert LAST in first.last_words()
        assert DEATHS | SPARED <= {place.name for place in deaths.iterdir()} <= DEATHS | SPARED | MAY_OPEN
        once = spent(file)
        assert 1.99 < epsilon_of(once.row, 1e-5) <= EPSILON, "the round is charged once"
        assert epsilon_of(once.alone, 1e-5) > EPSILON, "its own part of the noise is less than it counts on"

        lab.wait_until(lambda: lab.state().phase == Phase.SUBMIT and lab.state().submitted == 3, 60.0, "the others")
        end_phase(lab)
        lab.wait_for_end(120.0)
        cast(lab, "trainer-1", "Trainer")
        lab.start("trainer-1")  # takes out what it earned
        view = finish(lab)
        check_once(lab)
        cycles = [cycle for cycle in view.history.cycles if cycle.has_update_of(lab.address("trainer-1"))]
        assert [cycle.round for cycle in cycles] == [1]
        assert verdicts(lab, view, "trainer-1") == [Code.OK, None], "what it gave counts"
        check_last_model(lab, view, TRAINERS[1:])
        parts = {name: set(noise_of(lab, name)) for name in TRAINERS}
        wanted = {name: {part(OF_BUDGET if name == "trainer-1" else ROUNDS)} for name in TRAINERS}
        assert parts == wanted, "any two of three add up to all"

        lab.post(EVERYBODY)
        again = lab.workers["trainer-1"]
        again.arguments[0].fields.update(
            privacy=PrivacySettings(file, EPSILON, clip=CLIPS["trainer-1"], colluders=0), repeat=True
        )
        lab.start("trainer-1")
        lab.wait_until(lambda: again.exit_code == 1, 60.0, "the trainer to refuse")
        words = again.last_words()
        assert LAST in words and "ε 2 of 2 is spent (δ 1e-05, unit row)" in words
        enrolled = lab.session.federation.trainer(lab.posted.job, lab.address("trainer-1")).enrolled
        assert not enrolled, "before a bond is paid"
        assert spent(file) == pytest.approx(once)
