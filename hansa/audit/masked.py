"""Rounds of a masked job: the sum opened again from what members put, by anybody and without a key."""

from __future__ import annotations

from contextlib import suppress

from hansa.audit.facts import Facts
from hansa.audit.report import Finding, Report
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.masked.cells import SEED
from hansa.protocol.masked.step import masked_model
from hansa.protocol.masked.words import WORD
from hansa.protocol.model import Model
from hansa.protocol.privacy import MASKED
from hansa.protocol.types import Code, CycleId, Digest
from hansa.runtime.history.records import CycleRecord, Finalized, JobHistory
from hansa.runtime.job import JobContext
from hansa.runtime.masked.base import MaskedBase
from hansa.runtime.masked.opening import PublicOpening, Standing
from hansa.runtime.store import Store

FETCH_SECONDS = 30.0


class MaskedRounds:
    """Goes through the cycles in order."""

    def __init__(self, facts: Facts, context: JobContext, files: Store, report: Report) -> None:
        self._facts, self._context, self._files, self._report = facts, context, files, report
        self._cycles: list[CycleRecord] = []  # over the present base

    def note(self, cycle: CycleRecord) -> None:
        """The next cycle."""
        if self._cycles and isinstance(self._cycles[-1].outcome, Finalized):
            self._cycles = []
        self._cycles.append(cycle)

    def make(self, base_digest: Digest, base: Model, ledger: RoundLedger) -> Model | None:
        """The model that the last noted cycle, which was finalised, leads to; None where its files are not here, with a
        gap, or where the verdicts are not those of the sum."""
        cycle = self._cycles[-1]
        seen = self._base(base_digest, base)
        if seen.group is None:
            self._wrong(cycle, "the model of a masked round", "a set of updates fixed by its ATTEST", "none")
            return None
        opening = PublicOpening(seen, self._files)
        standing = opening.advance(seen)
        self._note_liars(seen, standing)
        if not standing.is_open or standing.total is None:
            name = f"round {cycle.round}: the sum of its updates"
            self._report.gap(name, "not everything that opens it is here: envelopes, tables, vectors or seeds")
            return None
        self._report.ok("masked sums opened")
        self._report.ok("updates in masked sums", standing.updates)
        self._check_verdicts(seen, cycle, standing, ledger)
        return masked_model(self._facts.job, base, base_digest, standing.total, standing.updates)

    def files(self, base_digest: Digest, base: Model) -> list[tuple[Digest, int]]:
        """What opens the sums of the noted cycles, as far as it is here; and how large each may be."""
        seen = self._base(base_digest, base)
        if seen.group is None:
            return []
        opening = PublicOpening(seen, self._files)
        opening.advance(seen)
        sets, tables = range(len(seen.sharing.sets)), opening.files.tables.values()
        vectors = {digest for table in tables for digest in table.digests.values()}
        seeds: set[Digest] = set()
        for place in seen.group.places:
            envelope = opening.files.envelope(place)
            seeds |= set() if envelope is None else {envelope.commitment(index) for index in sets}
        limits = [*((vector, WORD.itemsize * seen.length) for vector in vectors), *((seed, SEED) for seed in seeds)]
        return sorted(item for item in limits if self._files.has(item[0]))

    def _base(self, digest: Digest, model: Model) -> MaskedBase:
        place, terms, spec = self._facts.place(CycleId(0)), self._context.terms, self._context.spec
        return MaskedBase(place, spec, terms, digest, model, tuple(self._cycles), None)

    def _check_verdicts(self, base: MaskedBase, cycle: CycleRecord, standing: Standing, ledger: RoundLedger) -> None:
        """Who is called ok has an update in the sum; who spoilt it is not. Else nobody can know what members saw."""
        present = base.present(cycle)
        for index, judged in enumerate(ledger.judgements):
            trainer, is_spoiler = cycle.updates[index].trainer, present.get(index) in standing.spoilers
            if judged.code == Code.OK and (index not in present or is_spoiler):
                expected = "malformed, as its words spoil the sum" if is_spoiler else "none of the sum's"
                self._wrong(cycle, f"verdict on the update of {trainer}", expected, "ok")
            elif is_spoiler and judged.code not in (Code.MALFORMED, Code.UNREACHABLE):
                self._wrong(cycle, f"verdict on the update of {trainer}", "malformed", judged.code.name.lower())
            else:
                self._report.ok("verdicts against the sum")

    def _note_liars(self, base: MaskedBase, standing: Standing) -> None:
        for seat in set(standing.liars):
            member = base.of_group.committee[seat]
            where = f"cycle {cycle_counter(base.of_group.cycle)}, over model {to_cid(base.digest)}"
            self._report.noted[f"{member} lied about mask streams"] = where

    def _wrong(self, cycle: CycleRecord, what: str, expected: str, found: str) -> None:
        place = {"round": cycle.round, "cycle": cycle_counter(cycle.cycle)}
        self._report.fail(Finding(what, expected, found, **place))


def opening_files(facts: Facts, context: JobContext, history: JobHistory, files: Store) -> list[tuple[Digest, int]]:
    """Files that tables and envelopes of a masked job name, which nothing on chain does; none of another job's."""
    if context.spec.privacy != MASKED:
        return []
    found: dict[Digest, int] = {}
    rounds, digest = MaskedRounds(facts, context, files, Report()), context.terms.model
    for cycle in history.cycles:
        rounds.note(cycle)
        if not isinstance(cycle.outcome, Finalized) and cycle is not history.cycles[-1]:
            continue
        with suppress(HansaError):  # what is not here is a gap of the audit
            base = Model.decode(files.get(digest, limit=context.spec.model_bytes, timeout=FETCH_SECONDS))
            found |= dict(rounds.files(digest, base))
        digest = cycle.outcome.model if isinstance(cycle.outcome, Finalized) else digest
    return list(found.items())
