"""A job whose members open the sum of its updates, and no update."""

from __future__ import annotations

from pathlib import Path

import pytest
from federations import SHORT, TRAINERS, Observed, check_logs, check_once, federation, finish, play_to_the_end, verdicts
from hostile import cast

from hansa.audit.archive import write_archive
from hansa.audit.collect import collect
from hansa.audit.report import Report
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.protocol import aggregation, tensors
from hansa.protocol.cid import to_cid
from hansa.protocol.model import Model, next_k
from hansa.protocol.types import Code, Digest
from hansa.runtime.journal import Journal
from hansa.runtime.snapshot import FullSnapshot

SEATS = 4
VALIDATORS = [f"validator-{number}" for number in range(1, SEATS + 1)]
PROBING = {"slash": 20}  # seconds for the strike of the last round


def masked(path: Path, **setup):
    return federation(path, privacy="masked", validators=SEATS, **setup)


def integers_of(lab: Observed, name: str, base: Digest):
    """What a trainer's own journal says that it trained from a model."""
    with Journal(lab.workspace.dir / "journals" / f"{name}.sqlite") as journal:
        known = journal.recall((lab.posted.job, "integers", base))
        return None if known is None else tensors.decode(journal.blob(known["integers"]))[0]


def plain_mean(lab: Observed, base: Digest, names: list[str]) -> Model:
    """The model that the mean of these trainers' updates gives, worked out from the updates themselves."""
    model = Model.decode(lab.session.store.get(base, limit=1 << 30, timeout=5))
    updates = [integers_of(lab, name, base) for name in names]
    sizes = [[max(int(u[n].max()), -int(u[n].min())) for n in model.names] for u in updates]
    made = aggregation.aggregate("mean", model, updates, [1] * len(updates), [256] * len(updates))
    return Model(made, lab.posted.job, model.round + 1, base, 8, next_k(model.k, sizes, 8))


def check_last_model(lab: Observed, view: FullSnapshot, names: list[str]) -> None:
    """The last model is bit for bit the plain mean; older integers are tidied away."""
    outcomes = [outcome for _, outcome in view.finalised]
    base = outcomes[-2].model if len(outcomes) > 1 else view.context.terms.model
    made = plain_mean(lab, base, names)
    file = lab.session.store.get(outcomes[-1].model, limit=1 << 30, timeout=5)
    assert made.encode() == file, to_cid(outcomes[-1].model)


def check_audit(lab: Observed, rounds: int, path: Path) -> Report:
    """Nobody's key is needed, and everything is in the archive."""
    facts, store = collect(lab.session.federation, lab.posted.job), lab.session.store
    assert write_archive(path, facts, files_with_limits(facts, store), store) == []
    report, from_file = audit(facts, store), audit_archive(path)[0]
    for found in (report, from_file):
        assert (found.exit_code, found.wrong) == (0, []), found
        assert found.checked["models made again, bit for bit"] == rounds
    return report


def test_job__completes_with_the_plain_mean_and_anybody_can_audit_it(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=3) as lab:
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert len(view.finalised) == 3
        assert {name: verdicts(lab, view, name) for name in TRAINERS} == dict.fromkeys(TRAINERS, [Code.OK] * 3)
        check_last_model(lab, view, TRAINERS)
        check_audit(lab, 3, tmp_path / "job.hansa")
        for _, round_ in zip(view.finalised, view.rounds, strict=True):
            assert len({leaf.pay for leaf in round_.leaves}) == 1, "all who are in are paid alike"


def test_a_member_and_a_trainer_gone__the_others_complete(tmp_path: Path) -> None:
    times = {**SHORT, "attest": 8, "release": 8}
    with masked(tmp_path, rounds=2, times=times) as lab:
        cast(lab, "validator-4", "DyingValidator")
        lab.start_all()
        lab.wait_until(lambda: lab.session.federation.state(lab.posted.job).round > 1, 90, "round 2")
        lab.kill("trainer-4")
        view = finish(lab)
        check_once(lab)
        assert len(view.finalised) == 2
        check_last_model(lab, view, TRAINERS[:3])
        check_audit(lab, 2, tmp_path / "job.hansa")


def test_trainer_that_sends_garbage_every_time__is_struck_and_nobody_else(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=2, times=PROBING) as lab:
        cast(lab, "trainer-2", "Garbler")
        lab.start_all()
        view = finish(lab, 180)
        check_once(lab)
        assert len(view.finalised) == 2
        honest = [name for name in TRAINERS if name != "trainer-2"]
        assert verdicts(lab, view, "trainer-2") == [Code.MALFORMED] * 2
        assert {name: verdicts(lab, view, name) for name in honest} == dict.fromkeys(honest, [Code.OK] * 2)
        assert [view.strikes(lab.address(name)) for name in TRAINERS] == [0, 2, 0, 0]
        check_last_model(lab, view, honest)
        check_audit(lab, 2, tmp_path / "job.hansa")


@pytest.mark.slow
def test_member_that_lies__is_found_and_the_sum_is_as_ever(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=1) as lab:
        cast(lab, "validator-2", "LyingMember")
        lab.start_all()
        view = finish(lab)
        assert len(view.finalised) == 1
        check_last_model(lab, view, TRAINERS)
        report = check_audit(lab, 1, tmp_path / "job.hansa")
        liars = [name for name in report.noted if "lied" in name]
        assert [lab.address("validator-2") in name for name in liars] == [True], report.noted


@pytest.mark.slow
def test_member_that_dies_at_every_step__says_nothing_twice_and_the_sum_is_as_ever(tmp_path: Path) -> None:
    (deaths := tmp_path / "deaths").mkdir()
    with masked(tmp_path / "lab", rounds=1) as lab:
        cast(lab, "validator-1", "UnluckyValidator", deaths=deaths)
        play_to_the_end(lab, ["validator-1"], patience=240.0)
        view = finish(lab)
        check_once(lab)
        assert len(view.finalised) == 1
        check_last_model(lab, view, TRAINERS)
        check_audit(lab, 1, tmp_path / "job.hansa")
    died = {place.name for place in deaths.iterdir()}
    assert died >= {"attest journalled", "attest sent", "release journalled", "release sent", "publish before"}
