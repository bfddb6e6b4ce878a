"""A job's phases are as long as what its task takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from strangers_rows import STRANGERS, write_rows

from hansa.cli.job.post import rehearsed_times
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Wei
from hansa.sponsor.post import PreparedJob, prepare
from hansa.sponsor.privacy import with_privacy
from hansa.sponsor.rehearse import Rehearsal, rehearse
from hansa.sponsor.terms import TIMES, JobOffer, parse_times

SMALL = Rehearsal(step=0.001, gradient=0.01, file=0.001, parameters=14)
LARGE = Rehearsal(step=2.0, gradient=20.0, file=1.0, parameters=25_000_000)


def test_proposed__a_small_task__gets_the_usual_times() -> None:
    assert SMALL.proposed(4, 100) == {name: TIMES[name] for name in ("submit", "score", "vote", "finalize")}


def test_proposed__a_large_task__is_for_a_machine_five_times_slower() -> None:
    work, proposed = LARGE.work(10, 100), LARGE.proposed(10, 100)
    assert work["submit"] == 203 and proposed["submit"] == 1020, "5 × 203 s, up to whole minutes"
    assert all(proposed[name] >= 5 * seconds or proposed[name] == TIMES[name] for name, seconds in work.items())
    crowded = LARGE.proposed(10, 100, crowd=2.0)
    assert crowded["submit"] == 2040


def test_proposed__phases_of_a_privacy_mode__are_as_long_as_its_members_work() -> None:
    assert "release" not in LARGE.proposed(10, 100)
    threshold = replace(LARGE, privacy="threshold")
    assert (threshold.work(10, 100)["release"], threshold.proposed(10, 100)["release"]) == (5.0, 300)
    masked = replace(LARGE, privacy="masked", stream=0.5, held=6, sets=10)
    work, proposed = masked.work(100, 100), masked.proposed(100, 100)
    assert (work["attest"], work["release"]) == (100.0, 600.0), "100 updates of six streams; by half of the phase"
    assert (proposed["attest"], proposed["release"]) == (540, 3000)
    assert work["score"] - LARGE.work(100, 100)["score"] == 10.0
    assert "--time release=50m" in masked.says(proposed)
    with pytest.raises(FatalError, match="--time release=300 is too short.*600 s"):
        masked.check(100, 100, {**proposed, "release": 300})


def masked(prepared: PreparedJob) -> PreparedJob:
    offer = JobOffer(trainers=4, seats=4, rounds=1, reward=Wei(1), fee=Wei(1), bond=Wei(1), penalty=Wei(1))
    return with_privacy(prepared, offer, "masked")[0]


def test_job_post__phases_of_a_privacy_mode__are_proposed_and_given_ones_stay() -> None:
    times, said = rehearsed_times(masked(prepare("heart", seed=0)), 4, 4, {"release": 400}, None)
    assert (times["attest"], times["release"]) == (300, 400)
    assert "--time attest=5m --time release=400s" in said


def test_rehearse__a_masked_job__draws_a_stream_of_the_models_length() -> None:
    prepared = prepare("heart", seed=0)
    found = rehearse(masked(prepared), 4)
    assert (found.privacy, found.held, found.sets) == ("masked", 3, 4) and found.stream > 0
    assert set(found.proposed(4, 100)) == {"submit", "attest", "release", "score", "vote", "finalize"}
    assert rehearse(prepared, 4).sets == 0


def test_says__one_line__that_job_post_takes() -> None:
    said = LARGE.says(LARGE.proposed(10, 100))
    assert "\n" not in said and "25,000,000 parameters, a step takes 2 s, a gradient 20 s" in said
    parts = said.split("slower: ")[1].replace("--time ", "").split()
    assert parse_times(parts) == LARGE.proposed(10, 100)
    assert "no rows here" in replace(LARGE, step=None, gradient=None).says(LARGE.proposed(10, 100))


def test_check__too_short_a_phase__is_refused_with_what_to_do() -> None:
    times = LARGE.proposed(10, 100)
    LARGE.check(10, 100, times)
    with pytest.raises(FatalError, match=r"--time submit=60 is too short.*203 s") as refused:
        LARGE.check(10, 100, {**times, "submit": 60})
    assert "--time submit=1020" in str(refused.value) and "--no-rehearsal" in str(refused.value)


def test_rehearse__a_task_with_rows__times_a_step_and_a_gradient() -> None:
    found = rehearse(prepare("heart", seed=0), 3)
    assert found.parameters == 14 and found.file > 0
    assert found.step is not None and found.gradient is not None


def test_rehearse__a_task_that_brings_no_rows__is_timed_on_those_that_are_named(tmp_path: Path) -> None:
    files, task = write_rows("quarters", tmp_path), prepare(f"{STRANGERS / 'quarters.py'}:Quarters", seed=0)
    without = rehearse(task, 3)
    assert without.step is None and without.gradient is None
    found = rehearse(task, 3, files["a"])
    assert found.step is not None and found.gradient is not None, "a trainer's rows stand for a validator's"


def test_rehearse__rows_that_can_not_be_read__are_named(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="no such party"):
        rehearse(prepare("heart", seed=0), 3, "no such party")
    gone = tmp_path / "gone.npz"
    with pytest.raises(FatalError, match=r"failed while loading .*gone\.npz"):
        rehearse(prepare(f"{STRANGERS / 'quarters.py'}:Quarters", seed=0), 3, str(gone))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def metric(self, module, data): pass", "metric() of task quarters returned nothing"),
        ("def metric(self, module, data): return float('nan')", "metric is not a finite number on the validation rows"),
        ("optimizer = lambda self, parameters: torch.optim.SGD(parameters, lr=1e30)", "the loss of task quarters is"),
    ],
)
def test_rehearse__what_no_daemon_would_begin_with__is_refused(body: str, said: str, tmp_path: Path) -> None:
    file, rows = tmp_path / "spoilt.py", write_rows("quarters", tmp_path)["a"]
    file.write_text((STRANGERS / "quarters.py").read_text() + f"\n    {body}\n")
    with pytest.raises(FatalError) as refused:
        rehearse(prepare(f"{file}:Quarters", seed=0), 3, rows)
    assert said in str(refused.value)


def test_rehearse__a_task_that_can_not_train__is_refused_before_anybody_pays(tmp_path: Path) -> None:
    file, rows = tmp_path / "broken.py", write_rows("quarters", tmp_path)["a"]
    text = (STRANGERS / "quarters.py").read_text()
    file.write_text(
        text.replace("return torch.optim.Adam(parameters, lr=0.01)", "torch.optim.Adam(parameters, lr=0.01)")
    )
    with pytest.raises(FatalError, match="optimizer") as refused:
        rehearse(prepare(f"{file}:Quarters", seed=0), 3, rows)
    assert "quarters" in str(refused.value)
