"""Jobs whose committee is drawn anew in every cycle, played to their end and audited."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from commands import warm_command
from federations import STEPS, federation, finish, sent

from hansa.devnet.federation import LocalFederation
from hansa.protocol.types import Code, Phase
from hansa.runtime.chain.pool import Pool
from hansa.runtime.snapshot import FullSnapshot

ROUNDS = 3


def check_audit(lab: LocalFederation, who: str) -> None:
    done = subprocess.run(
        [*warm_command(), "audit", str(lab.posted.job), "--account", who, "--dir", str(lab.workspace.dir)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything that was checked holds" in done.stdout


@pytest.mark.parametrize("consensus", ["staked", "coupled"])
def test_drawn_committee__job_ends_with_all_accounted_for(tmp_path: Path, consensus: str) -> None:
    with federation(tmp_path, rounds=ROUNDS, steps=STEPS, consensus=consensus) as lab:
        lab.start_all()
        view = finish(lab, 300.0)
        assert view.state.phase == Phase.COMPLETED and len(view.finalised) == ROUNDS
        committees = {cycle.committee for cycle in view.history.cycles}
        assert all(len(committee) == 3 and set(committee) <= set(lab.members) for committee in committees)
        seated = next(lab.known_as[who] for who in lab.members if who in view.members())
        if consensus == "coupled":
            check_coupled(view)
            check_keys(lab, view)
        else:
            pool = Pool.of(lab.session.chain, lab.posted.committee)
            assert pool is not None and pool.stakers() == 9
            assert len(committees) > 1, "each cycle draws its own"
        check_audit(lab, seated)


def check_keys(lab: LocalFederation, view: FullSnapshot) -> None:
    """Whoever may be drawn has announced a key before it enrolled."""
    assert all(None not in cycle.keys for cycle in view.history.cycles)
    for trainer in view.trainers:
        calls = [one.call for one in sent(lab) if one.sender == trainer and one.worked]
        assert calls.index("announceKey") < calls.index("enrol")


def check_coupled(view: FullSnapshot) -> None:
    """Members' updates count in the model, in nothing that pays; the others' do."""
    for (cycle, _), round_ in zip(view.finalised, view.rounds, strict=True):
        members = {place for place, update in enumerate(cycle.updates) if update.trainer in cycle.committee}
        ok = {place for place, judged in enumerate(round_.judgements) if judged.code == Code.OK}
        assert members & ok <= set(round_.included), "a member's update is never dropped"
        paid = {leaf.trainer for leaf in round_.leaves if leaf.pay}
        assert not paid & set(cycle.committee)
        assert not set(round_.shares) & set(cycle.committee)
