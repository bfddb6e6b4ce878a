"""The audit of one job, from its facts and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hansa.audit.archive import Archive
from hansa.audit.bound import check_bound
from hansa.audit.facts import Facts
from hansa.audit.masked import opening_files
from hansa.audit.models import Models, files_of
from hansa.audit.openers import Openers, published_keys
from hansa.audit.paid import Settlement
from hansa.audit.replay import EventReplay
from hansa.audit.report import Finding, Report, Wrong
from hansa.audit.rounds import Rounds
from hansa.audit.settle import settle
from hansa.audit.signatures import Signatures
from hansa.protocol.cid import to_cid
from hansa.protocol.content_keys import keys_limit
from hansa.protocol.errors import FatalError, HansaError
from hansa.protocol.release import file_limit
from hansa.protocol.spec import MAX_BYTES
from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import Digest
from hansa.runtime.store import Store

LONGEST_FINDING = 300  # characters
LARGEST_PROBE = 1 << 18  # bytes: 9 words of each of 256 streams of every set of a seat, and more than its table


def audit(facts: Facts, files: Store, keys: Openers | None = None) -> Report:
    """Checks everything that follows from anything. Never raises for what it finds.

    FatalError where an account in `keys` can't open anything.
    files: the job's spec, models and sealed updates. keys: what opens updates; without any, models are not made again.
    """
    return _audit(facts, files, keys or Openers())[0]


def _audit(facts: Facts, files: Store, given: Openers) -> tuple[Report, EventReplay | None]:
    """And the walk through the events, where that came to its end."""
    report, signatures = Report(), Signatures(facts)
    rounds = Rounds(files, report)
    replay = EventReplay(facts, rounds.after, lambda act, log: signatures.take(act))
    try:
        replay.events()
        _count(report, replay)
        signatures.close()
        check_bound(facts, replay, signatures, report)
        history = replay.history
    except Wrong as error:
        report.fail(error.finding)
        report.gap("what follows from the events", "they are not as they must be")
        return report, None
    given.require_members(history)
    if history.ended is None:
        where = f"round {len(replay.rules.finalised) + 1}, {replay.rules.awaited.name}"
        report.gap("the job's end", f"it has not ended by block {facts.at.number}: it is in {where}")
    rounds.read_spec(history)
    settle(facts, replay, rounds, report)
    if rounds.context is not None:
        published = published_keys(history, replay.published, files, report)
        opener = replace(given, content={**published, **given.content})
        Models(facts, replay, rounds, files, opener, report).check()
    return report, replay


def audit_archive(path: Path, keys: Openers | None = None) -> tuple[Report, Facts | None]:
    """As `audit`, of one file; and its facts, where it could be read at all. FatalError also where it is of another
    version."""
    try:
        archive = Archive.open(path)
    except Wrong as error:
        report = Report()
        report.fail(error.finding)
        report.gap("everything in the archive", "it is not as it was written")
        return report, None
    with archive:
        report, replay = _audit(archive.facts, archive, keys or Openers())
        report.ok("archive digest")
        if replay is not None:
            _check_rest(archive, replay, report)
        return report, archive.facts


def require_sound(path: Path, so: str) -> tuple[Report, Facts, Settlement]:
    """An archive's facts and what they come to, after an audit that found nothing wrong; FatalError where it did.

    so: what is not done with it then, as in `no model is taken from it`.
    """
    report, facts = audit_archive(path)
    if report.wrong:
        more = f", and {len(report.wrong) - 1} more" if len(report.wrong) > 1 else ""
        raise FatalError(
            f"{path} is not as it must be, so {so}",
            cause=f"{escape_untrusted(str(report.wrong[0]), LONGEST_FINDING)}{more}",
            next_step=f"`hansa audit --archive {path}` says all of it",
        )
    assert facts is not None and report.settlement is not None  # nothing is wrong
    return report, facts, report.settlement


def _check_rest(archive: Archive, replay: EventReplay, report: Report) -> None:
    """The job names every file, and those that no check needed have the bytes of their CIDs too."""
    named = {digest for digest, _ in (*files_of(replay), *_openings(archive.facts, replay, archive))}
    for digest, entry in archive.entries.items():
        if digest not in named:
            report.fail(Finding(f"file {to_cid(digest)}", "one that the job names", "one that it does not"))
        elif digest not in archive.read:
            try:
                archive.check(digest, entry)
                report.ok("other files")
            except HansaError as error:
                report.fail(Finding(f"file {to_cid(digest)}", "the bytes that its CID names", str(error)))


def files_with_limits(facts: Facts, store: Store) -> Sequence[tuple[Digest, int]]:
    """What an archive of these facts should hold, and how large each file may be."""
    report = Report()
    replay = EventReplay(facts)
    replay.events()
    rounds = Rounds(store, report)
    rounds.read_spec(replay.history)
    spec = rounds.context.spec if rounds.context is not None else None
    cycles, seats = replay.history.cycles, replay.history.posted.terms.seats
    limits = {
        "spec": MAX_BYTES,
        "model": spec.model_bytes if spec else 0,
        "update": spec.update_bytes if spec else 0,
        "release": max(LARGEST_PROBE, file_limit(max((len(cycle.updates) for cycle in cycles), default=0), seats)),
        "keys": keys_limit(len(cycles)),
    }
    return [*((digest, limits[kind]) for digest, kind in files_of(replay)), *_openings(facts, replay, store)]


def _openings(facts: Facts, replay: EventReplay, store: Store) -> list[tuple[Digest, int]]:
    """What a masked job's tables and envelopes name."""
    rounds = Rounds(store, Report())
    rounds.read_spec(replay.history)
    return [] if rounds.context is None else opening_files(facts, rounds.context, replay.history, store)


def _count(report: Report, replay: EventReplay) -> None:
    for name, times in (*replay.counts.items(), *replay.vault.counts.items()):
        if times and name[:1].islower():
            report.ok(name, times)
