"""The sealed updates of one cycle: their files, and where they can be opened, whether the verdicts are theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hansa.audit.facts import Facts
from hansa.audit.openers import Openers, WrongKey
from hansa.audit.report import Finding, Report
from hansa.audit.shared import Shared, Shut, read_releases
from hansa.protocol import envelope, shared_envelope
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError, Malformed, NotFound, StoreUnavailable, TooLarge
from hansa.protocol.geometry import Likeness
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.model import Model, Update
from hansa.protocol.sheet import decode_sheet
from hansa.protocol.tally import likeness
from hansa.protocol.types import Code, Digest, Seat
from hansa.protocol.verdict import Attempt, CycleKeys, Judged, judge_opened, mark_duplicates, retried_place
from hansa.runtime.history.records import CycleRecord, Finalized, Submitted
from hansa.runtime.job import JobContext
from hansa.runtime.store import Store

FETCH_SECONDS = 5.0
SOUND = (Code.OK, Code.ZERO, Code.DUPLICATE)  # verdicts on what could be opened and read


@dataclass(frozen=True)
class Cycle:
    """A cycle past SUBMIT, the model it trains on (None: its file is lost), and its ledger if it was finalised."""

    record: CycleRecord
    base_digest: Digest
    base: Model | None
    keys: tuple[bytes | None, ...]
    ledger: RoundLedger | None
    attempts: tuple[Attempt, ...]

    @property
    def place(self) -> dict[str, int | None]:
        return {"round": self.record.round, "cycle": cycle_counter(self.record.cycle)}

    def verdict(self, index: int) -> Code | None:
        return self.ledger.judgements[index].code if self.ledger is not None else None


class Updates:
    """Checks one cycle after another; keeps nothing."""

    def __init__(self, facts: Facts, context: JobContext, files: Store, keys: Openers, report: Report) -> None:
        self._facts, self._context, self._files, self._keys, self._report = facts, context, files, keys, report

    def check(self, cycle: Cycle) -> dict[int, Update] | None:
        """Every update that can be read, by place; None where there is no key for one of those that count."""
        judged: dict[int, Judged] = {}
        locked = False
        shared = self._shared(cycle)
        for index, submitted in enumerate(cycle.record.updates):
            data = self._fetch(cycle, index, submitted)
            if data is None:
                continue
            self._check_head(cycle, index, submitted, data)
            if cycle.base is None or not self._keys.opens(submitted.digest, cycle.record.committee, cycle.keys):
                locked = locked or cycle.verdict(index) == Code.OK
                continue
            try:
                found = self._open(cycle, index, data, cycle.base, shared)
            except Shut:
                locked = locked or cycle.verdict(index) == Code.OK
                continue
            if found is not None:
                judged[index] = found
        self._check_verdicts(cycle, judged)
        if locked:
            return None
        return {index: item.update for index, item in judged.items() if item.update is not None}

    def _fetch(self, cycle: Cycle, index: int, submitted: Submitted) -> bytes | None:
        name = f"update {to_cid(submitted.digest)} of {submitted.trainer}"
        counts = cycle.verdict(index) not in (None, Code.UNREACHABLE)
        try:
            data = self._files.get(submitted.digest, limit=self._context.spec.update_bytes, timeout=FETCH_SECONDS)
        except TooLarge as error:
            if counts:
                self._wrong(cycle, name, "a file within the job's limit, as its verdict says", str(error))
        except (NotFound, StoreUnavailable) as error:
            if counts:
                where = f"round {cycle.record.round}: " if isinstance(cycle.record.outcome, Finalized) else ""
                self._report.gap(f"{where}{name}", str(error))
        except HansaError as error:
            self._wrong(cycle, name, "the bytes that its CID names", str(error))
        else:
            self._report.ok("sealed updates")
            return data
        return None

    def _context_of(self, cycle: Cycle, submitted: Submitted) -> bytes:
        return envelope.context(self._facts.place(cycle.record.cycle), submitted.trainer, cycle.base_digest)

    def _check_head(self, cycle: Cycle, index: int, submitted: Submitted, data: bytes) -> None:
        """What can be seen of an update that is called well-formed without opening it."""
        if cycle.verdict(index) not in SOUND:
            return
        name = f"update {to_cid(submitted.digest)} of {submitted.trainer}"
        seats, shares, ctx = len(cycle.keys), self._context.spec.shares, self._context_of(cycle, submitted)
        expected = envelope.MAGIC + bytes([seats]) + ctx
        boxes_at = envelope.BOXES_AT
        if shares:
            expected, boxes_at = shared_envelope.head_of(ctx, seats, shares), shared_envelope.boxes_at(seats)
        if not data.startswith(expected):
            self._wrong(cycle, name, "one sealed for this cycle, trainer and model", "another head")
            return
        for seat, key in enumerate(cycle.keys):
            at = boxes_at + envelope.BOX * seat
            box = data[at : at + envelope.BOX]
            if key is None and any(box):
                self._wrong(cycle, name, f"no box for seat {seat}, which had announced no key", "a box")

    def _shared(self, cycle: Cycle) -> Shared | None:
        """What a member's secret opens together with what the committee released; None without such a secret."""
        record, seat = cycle.record, self._keys.seat(cycle.record.committee, cycle.keys)
        if not self._context.spec.shares or seat is None or cycle.base is None:
            return None
        secret, place = self._keys.secrets[record.committee[seat]], self._facts.place(record.cycle)
        keys = CycleKeys(place, cycle.base_digest, cycle.base, cycle.keys, seat, secret, self._context.spec.shares)
        return Shared(keys, read_releases(record, keys, self._files, self._report))

    def _open(self, cycle: Cycle, index: int, data: bytes, base: Model, shared: Shared | None) -> Judged | None:
        """The verdict that the bytes deserve; None, and a gap, where a key is another's. Shut where nothing here opens
        it."""
        record, submitted = cycle.record, cycle.record.updates[index]
        ctx, shares = self._context_of(cycle, submitted), self._context.spec.shares
        try:
            if shares == 0:
                opened = self._keys.open(data, submitted.digest, ctx, record.committee, cycle.keys)
            elif (found := shared.judge(data, submitted.trainer, index) if shared is not None else None) is not None:
                return found
            elif submitted.digest not in self._keys.content:
                raise Shut
            else:
                opened = self._keys.open_shared(data, submitted.digest, ctx, cycle.keys, shares)
            return judge_opened(opened.update, submitted.trainer, self._facts.place(record.cycle), base)
        except WrongKey as error:
            sound = cycle.verdict(record.updates.index(submitted)) in SOUND
            why = f"the key given for it does not open it ({error})"
            self._report.gap(f"update {to_cid(submitted.digest)}", why, expected=not sound)
            return None
        except Malformed as error:
            return Judged(Code.MALFORMED, None, str(error))

    def _check_verdicts(self, cycle: Cycle, judged: Mapping[int, Judged]) -> None:
        """The verdicts against the bytes. Unreachable is what members saw then: nobody can check it later."""
        if cycle.ledger is None or cycle.base is None:
            return
        seen = {i: item for i, item in judged.items() if cycle.verdict(i) != Code.UNREACHABLE}
        counted = [i for i in range(len(cycle.record.updates)) if cycle.verdict(i) in (Code.OK, Code.DUPLICATE)]
        complete = all(i in judged for i in counted)
        if complete and seen:
            order = sorted(seen)
            items = [seen[i] for i in order]
            places = self._retries(cycle, cycle.base, items)
            seen = dict(zip(order, mark_duplicates(items, places, cycle.base.k), strict=True))
            self._check_likeness(cycle, order, seen)
        for index, item in seen.items():
            verdict = cycle.verdict(index)
            if not complete and verdict == Code.DUPLICATE and item.code == Code.OK:
                continue
            if verdict != item.code:
                trainer = cycle.record.updates[index].trainer
                expected = item.code.name.lower() + (f" ({item.reason})" if item.reason else "")
                said = verdict.name.lower() if verdict is not None else "none"
                self._wrong(cycle, f"verdict on the update of {trainer}", expected, said)
            else:
                self._report.ok("verdicts against the bytes")

    def _check_likeness(self, cycle: Cycle, order: Sequence[int], judged: Mapping[int, Judged]) -> None:
        """What most sheets say that a duplicate repeats, against the bytes. order: the places of those judged."""
        submitted, sheets = cycle.record.updates, cycle.record.sheets
        for index, item in judged.items():
            if item.repeats is None or cycle.verdict(index) != Code.DUPLICATE:
                continue
            others = [r for r in sheets if cycle.record.committee[r.seat] != submitted[index].trainer]
            said = likeness(decode_sheet(r.sheet, len(submitted))[index] for r in others)
            true = replace(item.repeats, place=order[item.repeats.place])
            if said is not None and said != true:
                what = f"what the duplicate of {submitted[index].trainer} repeats"
                self._wrong(cycle, what, _of(true), _of(said))

    def _retries(self, cycle: Cycle, base: Model, items: list[Judged]) -> dict[int, int]:
        if not cycle.attempts:
            return {}
        place = self._facts.place(cycle.record.cycle)
        opening = CycleKeys(place, cycle.base_digest, base, cycle.keys, Seat(0), b"", self._context.spec.shares)
        limit = self._context.spec.update_bytes

        def fetch(digest: Digest) -> bytes:
            return self._files.get(digest, limit=limit, timeout=5)

        found = {
            place: retried_place(item.update, cycle.attempts, opening, fetch)
            for place, item in enumerate(items)
            if item.update is not None and item.code == Code.OK
        }
        return {place: earlier for place, earlier in found.items() if earlier is not None}

    def _wrong(self, cycle: Cycle, what: str, expected: str, found: str) -> None:
        self._report.fail(Finding(what, expected, found, **cycle.place))


def _of(likeness: Likeness) -> str:
    return f"place {likeness.place}, cosine {likeness.cosine} · 1e-9"
