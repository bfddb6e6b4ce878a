"""Trainers that have no coin from start to end: validators send what they sign, and they are paid."""

from __future__ import annotations

from pathlib import Path

from federations import SHORT, TRAINERS, events, federation, finish, models, pay

from hansa.audit.archive import write_archive
from hansa.audit.collect import collect
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.devnet.anvil import rpc
from hansa.devnet.federation import LocalFederation
from hansa.devnet.gasless import have_sent_nothing
from hansa.protocol.types import Phase


def coins(lab: LocalFederation) -> list[int]:
    return [int(rpc(lab.anvil.url, "eth_getBalance", trainer, "latest"), 16) for trainer in lab.trainers]


def test_gasless__every_trainer_is_paid__whatever_becomes_of_one_relay(tmp_path: Path) -> None:
    """The relay that is asked first dies in round 2, and is back for the end; a trainer dies and comes back too."""
    with federation(tmp_path, rounds=3, quorum=2, times={**SHORT, "finalize": 8}, gasless=True) as lab:
        assert coins(lab) == [0] * 4
        lab.start_all()
        lab.wait_until(lambda: lab.state().round >= 2, 120.0, "round 2")
        lab.kill("validator-1")
        lab.kill("trainer-2")
        lab.start("trainer-2")
        lab.wait_until(lambda: lab.state().round >= 3 or lab.state().phase.is_over, 120.0, "round 3")
        lab.start("validator-1")
        view = finish(lab)
        assert len(view.finalised) == 3 and lab.state().phase == Phase.COMPLETED
        assert coins(lab) == [0] * 4 and have_sent_nothing(lab.anvil, lab.trainers)
        for name in TRAINERS:
            assert sum(pay(lab, view, name)) > 0
        handed = [event for name in TRAINERS for event in events(lab, name) if event["event"] == "given to a relay"]
        assert len({event["relay"] for event in handed}) == 2, "the second was asked where the first was gone"
        facts = collect(lab.session.federation, lab.posted.job)
        report = audit(facts, lab.session.store)
        assert report.exit_code == 0 and not report.wrong
        target = tmp_path / "job.hansa"
        store = lab.session.store
        assert write_archive(target, facts, files_with_limits(facts, store), store) == []
        assert audit_archive(target)[0].exit_code == 0
        assert len(models(view)) == 3
