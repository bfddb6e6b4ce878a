"""Masked jobs, and what is checked of each."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from federations import Observed, federation

from hansa.audit.archive import write_archive
from hansa.audit.collect import collect
from hansa.audit.report import Report
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.protocol import aggregation, tensors
from hansa.protocol.cid import to_cid
from hansa.protocol.model import Model, next_k
from hansa.protocol.types import Digest
from hansa.runtime.journal import Journal
from hansa.runtime.snapshot import FullSnapshot

SEATS = 4


def masked(path: Path, **setup: Any) -> AbstractContextManager[Observed]:
    return federation(path, **{"privacy": "masked", "validators": SEATS, **setup})


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
