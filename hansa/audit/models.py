"""Every model file and sealed update of a job; where they can be opened, every model made again from its updates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hansa.audit.facts import Facts
from hansa.audit.masked import MaskedRounds
from hansa.audit.openers import Openers
from hansa.audit.replay import EventReplay
from hansa.audit.report import Finding, Report, Wrong, require_equal
from hansa.audit.rounds import Rounds
from hansa.audit.updates import Cycle, Updates
from hansa.protocol.cid import NO_DIGEST, digest_of, to_cid
from hansa.protocol.errors import HansaError, Malformed, NotFound, StoreUnavailable
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.model import K_MAX, K_MIN, Model, Update
from hansa.protocol.privacy import MASKED
from hansa.protocol.result import next_model
from hansa.protocol.text import ranges
from hansa.protocol.types import Code, Digest, Phase
from hansa.protocol.verdict import Attempt
from hansa.runtime.history.records import CycleRecord, Failed, Finalized
from hansa.runtime.store import Store

FETCH_SECONDS = 30.0


class Models:
    """Goes through the cycles in order; holds two models and one cycle's updates at a time."""

    def __init__(
        self, facts: Facts, replay: EventReplay, rounds: Rounds, files: Store, keys: Openers, report: Report
    ) -> None:
        assert rounds.context is not None
        self._facts, self._replay, self._rounds = facts, replay, rounds
        self._context = rounds.context
        self._files, self._report = files, report
        self._updates = Updates(facts, self._context, files, keys, report)
        self._masked: MaskedRounds | None = None
        if self._context.spec.privacy == MASKED:
            self._masked = MaskedRounds(facts, self._context, files, report)
        self._failed: list[Attempt] = []
        self._locked: list[int] = []  # rounds whose updates nobody here can open

    def check(self) -> None:
        history = self._replay.history
        base_digest = self._context.terms.model
        base = self._read(base_digest, 0, None)
        for cycle in history.cycles:
            if self._masked is not None:
                self._masked.note(cycle)
            updates = None if self._masked is not None else self._updates_of(cycle, base_digest, base)
            if not isinstance(cycle.outcome, Finalized):
                continue
            outcome = cycle.outcome
            after = self._read(outcome.model, outcome.round, cycle)
            made = self._make(cycle, outcome, base_digest, base, updates, after)
            del updates
            if after is not None:
                self._follows(after, base_digest, base, cycle)
            base_digest, base = outcome.model, after if after is not None else made
            self._failed = []
        if self._locked:
            why = "no key here opens their updates: give a member's with --account, or published ones with --keys"
            if asked := self._context.spec.publish_keys and history.ended is not None:
                why = f"not every trainer has published its content keys, as the spec asks for; {why}"
            self._report.gap(f"models of rounds {ranges(self._locked)}, made again", why, expected=not asked)

    # --- files of models

    def _read(self, digest: Digest, round_: int, cycle: CycleRecord | None) -> Model | None:
        name = f"file of model {round_}, {to_cid(digest)}"
        place = {"round": round_ or None, "cycle": cycle_counter(cycle.cycle) if cycle is not None else None}
        try:
            model = Model.decode(self._files.get(digest, limit=self._context.spec.model_bytes, timeout=FETCH_SECONDS))
        except (NotFound, StoreUnavailable) as error:
            self._report.gap(name, str(error))
            return None
        except HansaError as error:
            expected = "a model file" if isinstance(error, Malformed) else "the bytes that its CID names"
            self._report.fail(Finding(name, expected, str(error), **place))
            return None
        try:
            where = {"job": self._facts.job if round_ else 0, "round": round_}
            require_equal(f"{name}: its place", where, {"job": model.job, "round": model.round}, **place)
            require_equal(f"{name}: its bits", self._context.spec.bits, model.bits, **place)
            if round_ == 0:
                require_equal(f"{name}: its parent", "none", to_cid(model.parent) if model.parent else "none")
        except Wrong as error:
            self._report.fail(error.finding)
            return None
        self._report.ok("model files")
        return model

    def _follows(self, model: Model, base_digest: Digest, base: Model | None, cycle: CycleRecord) -> None:
        place: dict[str, int | None] = {"round": model.round, "cycle": cycle_counter(cycle.cycle)}
        name = f"model {model.round}"
        try:
            parent = to_cid(model.parent) if model.parent is not None else "none"
            require_equal(f"{name}: its parent", to_cid(base_digest), parent, **place)
            if base is None:
                return
            require_equal(f"{name}: its shapes", base.shapes, model.shapes, **place)
            moved = [new for old, new in zip(base.k, model.k, strict=True) if not _steps(old, new)]
            require_equal(f"{name}: exponents k that no updates lead to", [], moved, **place)
        except Wrong as error:
            self._report.fail(error.finding)

    # --- updates

    def _updates_of(self, cycle: CycleRecord, base_digest: Digest, base: Model | None) -> Mapping[int, Update] | None:
        """The cycle's updates that are not malformed, by place; None where they can't be opened."""
        outcome, ledger = cycle.outcome, None
        if outcome is None or (isinstance(outcome, Failed) and outcome.phase == Phase.SUBMIT):
            return None
        if isinstance(outcome, Finalized) and len(self._rounds.ledgers) >= outcome.round:
            ledger = self._rounds.ledgers[outcome.round - 1]
        keys = cycle.keys
        opened = self._updates.check(Cycle(cycle, base_digest, base, keys, ledger, tuple(self._failed)))
        if isinstance(outcome, Failed):
            self._failed += [
                Attempt(u.trainer, u.digest, cycle.cycle, keys, len(self._failed) + i)
                for i, u in enumerate(cycle.updates)
            ]
        return opened

    def _make(
        self,
        cycle: CycleRecord,
        outcome: Finalized,
        base_digest: Digest,
        base: Model | None,
        updates: Mapping[int, Update] | None,
        after: Model | None,
    ) -> Model | None:
        """The round's model, aggregated again, if everything for it is here. after: as its file has it, if that is."""
        ledger = self._rounds.ledgers[outcome.round - 1]
        if base is not None and self._masked is not None:
            found = self._masked.make(base_digest, base, ledger)
            return None if found is None else self._compare(found, cycle, outcome, after)
        needed = {place for place, judged in enumerate(ledger.judgements) if judged.code == Code.OK}
        if base is None:
            self._report.gap(f"model {outcome.round}, made again", "the model before it is not here")
            return None
        if updates is None:
            self._locked.append(outcome.round)
            return None
        if not needed <= updates.keys() or not ledger.included:
            return None
        trainers = [update.trainer for update in cycle.updates]
        job, weights, rule = self._facts.job, self._rounds.weights, self._context.spec.rule
        model = next_model(job, base, base_digest, ledger, trainers, updates, weights, rule)
        return self._compare(model, cycle, outcome, after)

    def _compare(self, model: Model, cycle: CycleRecord, outcome: Finalized, after: Model | None) -> Model | None:
        """A model that was made again, if it is the one that was voted."""
        found = outcome.model if after is not None and is_same(model, after) else digest_of(model.encode())
        if found != outcome.model:
            place = {"round": outcome.round, "cycle": cycle_counter(cycle.cycle)}
            expected = f"{to_cid(found)}, aggregated again from its updates"
            self._report.fail(Finding("the voted model", expected, to_cid(outcome.model), **place))
            return None
        self._report.ok("models made again, bit for bit")
        return model


def is_same(one: Model, other: Model) -> bool:
    """Whether two models have the same file: one form holds what is equal, so nothing need be encoded or hashed."""
    heads = [(m.job, m.round, m.parent, m.bits, m.k, m.shapes) for m in (one, other)]
    return heads[0] == heads[1] and all(
        np.array_equal(one.tensors[name].view(np.uint32), other.tensors[name].view(np.uint32)) for name in one.names
    )


def _steps(old: int, new: int) -> bool:
    """Whether an exponent can move so far in one round: −4 to +2, within its bounds."""
    return new in {min(K_MAX, max(K_MIN, old + step)) for step in range(-4, 3)}


def files_of(replay: EventReplay) -> list[tuple[Digest, str]]:
    """Every file that a job names, once, in the order of its events; and what it is: spec, model, update, release
    or keys."""
    history = replay.history
    found: dict[Digest, str] = {history.posted.terms.spec: "spec"}
    found.setdefault(history.posted.terms.model, "model")
    for cycle in history.cycles:
        for update in cycle.updates:
            found.setdefault(update.digest, "update")
        if len(cycle.releases) >= history.posted.terms.threshold:  # else nobody gives them away
            for digest in cycle.releases.values():
                found.setdefault(digest, "release")
        found.pop(NO_DIGEST, None)
        if isinstance(cycle.outcome, Finalized):
            found.setdefault(cycle.outcome.model, "model")
    trainers = {enrolment.trainer for enrolment in history.enrolled}
    for account, digest in replay.published.items():
        if account in trainers:
            found.setdefault(digest, "keys")
    return list(found.items())
