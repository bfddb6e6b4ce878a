"""Reorganisations of a chain on which members of a masked job attest and release."""

from __future__ import annotations

from pathlib import Path

from federations import TRAINERS, Observed, end_phase, events, finish, look, wait_until_in
from masked_jobs import check_last_model, masked

from hansa.devnet.anvil import rpc
from hansa.protocol.masked.group import attested_group
from hansa.protocol.types import Phase, Seat
from hansa.runtime.history.records import Failed
from hansa.runtime.journal import Journal
from hansa.runtime.snapshot import FullSnapshot

CONFIRMATIONS = 2
VALIDATORS = [f"validator-{number}" for number in range(1, 5)]
TIMES = {"submit": 120, "attest": 60, "release": 60, "score": 60}


def reorganise(lab: Observed, blocks: int) -> None:
    """Other blocks in place of the last ones, empty. Their transactions are nowhere any more."""
    rpc(lab.anvil.url, "anvil_reorg", blocks, [])


def released(lab: Observed) -> int:
    return lab.state().released.bit_count()


def said(lab: Observed, name: str, event: str) -> bool:
    return any(line["event"].startswith(event) for line in events(lab, name))


def test_between_attest_and_release__shallow_it_is_as_ever__deep_no_second_set_is_released(tmp_path: Path) -> None:
    with masked(tmp_path, rounds=2, failures=1, times=TIMES) as lab:
        for worker in lab.workers.values():
            fields = worker.arguments[0].fields
            fields["deployment"] = fields["deployment"].updated(confirmations=CONFIRMATIONS)
        lab.start_all()
        wait_until_in(lab, Phase.RELEASE, 1)
        assert released(lab) == 0, "nobody releases before ATTEST's end is deep"
        reorganise(lab, CONFIRMATIONS)
        assert lab.state().phase == Phase.ATTEST

        lab.wait_until(lambda: lab.state().round == 2, 180.0, "round 2")
        wait_until_in(lab, Phase.SUBMIT, 2)
        lab.wait_until(lambda: lab.state().phase > Phase.RELEASE or released(lab) == 4, 180.0, "all to release")
        lab.kill("trainer-4")
        reorganise(lab, lab.session.chain.head().number - look(lab).history.cycles[-1].opened_at)
        assert lab.state().phase == Phase.SUBMIT
        lab.wait_until(lambda: lab.state().submitted == 3, 120.0, "the other three to submit again")
        end_phase(lab)
        told = "never releases: another set of updates was released over this model"
        lab.wait_until(lambda: all(said(lab, name, told) for name in VALIDATORS), 180.0, "members to refuse")
        end_phase(lab)
        lab.wait_for_end(180.0)
        lab.start("trainer-4")
        view = finish(lab, 180.0)
        check_rounds(lab, view)


def check_rounds(lab: Observed, view: FullSnapshot) -> None:
    """One round with all updates in; one attempt over another set, for which nobody made or released anything: what
    dropped transactions say comes back, and is of the first set."""
    assert len(view.finalised) == 1
    check_last_model(lab, view, TRAINERS)
    first, failed = view.history.cycles
    assert len(first.updates) == 4 and len(failed.updates) == 3 and isinstance(failed.outcome, Failed)
    group = attested_group(failed.cycle, failed.updates_acc, 3, failed.attests.values(), len(VALIDATORS))
    assert group.size == 3, "the fork has a set of its own"
    names, base = set(), view.finalised[0][1].model
    for name in VALIDATORS:
        with Journal(lab.workspace.dir / "journals" / f"{name}.sqlite") as journal:
            released = journal.recall((view.job, "masked set", base))
            assert released is not None
            names.add(released["name"])
            table = journal.recall((view.job, "masked table", base, released["name"]))
            assert journal.recall((view.job, "masked table", base, group.name)) is None
        seat = Seat(failed.committee.index(lab.address(name)))
        assert table is not None and failed.releases.get(seat, table["table"]) == table["table"]
    assert len(names) == 1 and group.name not in names
