"""The audit of one job, from its facts and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hansa.audit.archive import Archive
from hansa.audit.evidence import Evidence
from hansa.audit.inclusion import check_proofs
from hansa.audit.models import Models, files_of
from hansa.audit.openers import Openers, published_keys
from hansa.audit.replay import EventReplay
from hansa.audit.report import Finding, Report, Wrong
from hansa.audit.rounds import Rounds
from hansa.audit.settle import settle
from hansa.protocol.cid import to_cid
from hansa.protocol.content_keys import keys_limit
from hansa.protocol.errors import HansaError
from hansa.protocol.spec import MAX_BYTES
from hansa.protocol.types import Digest
from hansa.runtime.store import Store


def audit(evidence: Evidence, files: Store, keys: Openers | None = None) -> Report:
    """Checks everything that follows from anything. Never raises for what it finds.

    files: the job's spec, models and sealed updates. keys: what opens updates; without any, models are not made again.
    """
    report = Report()
    rounds = Rounds(files, report)
    replay = EventReplay(evidence, rounds.after)
    try:
        if check_proofs(evidence):
            report.ok("events under their blocks' hashes", len(evidence.logs))
        else:
            what = "places of events, and what nothing else binds, like a vote that did not count"
            report.gap(what, "no receipts: the node has none, or its chain hashes blocks in another way", expected=True)
        replay.events()
        _count(report, replay)
        replay.agrees()
        report.ok("contract answers", len(evidence.answers))
    except Wrong as error:
        report.wrong.append(error.finding)
        report.gap("what follows from the events", "they are not as they must be")
        return report
    history = replay.history
    if history.ended is None:
        where = f"round {len(replay.rules.finalised) + 1}, {evidence.state().phase.name}"
        report.gap("the job's end", f"it has not ended by block {evidence.at.number}: it is in {where}")
    rounds.read_spec(history)
    settle(evidence, replay, rounds, report)
    if rounds.context is not None:
        given = keys or Openers()
        published = published_keys(history, replay.published, files, report)
        opener = replace(given, content={**published, **given.content})
        Models(evidence, replay, rounds, files, opener, report).check()
    return report


def audit_archive(path: Path, keys: Openers | None = None) -> tuple[Report, Evidence | None]:
    """As `audit`, of one file; and its facts, where it could be read at all."""
    try:
        archive = Archive.open(path)
    except Wrong as error:
        report = Report()
        report.wrong.append(error.finding)
        report.gap("everything in the archive", "it is not as it was written")
        return report, None
    with archive:
        report = audit(archive.evidence, archive, keys)
        report.ok("archive digest")
        _check_rest(archive, report)
        return report, archive.evidence


def _check_rest(archive: Archive, report: Report) -> None:
    """Files that no check needed have the bytes of their CIDs too, and the job names every one."""
    try:
        replay = EventReplay(archive.evidence)
        replay.events()
        named = {digest for digest, _ in files_of(replay)}
    except Wrong:
        named = set(archive.entries)
    for digest, entry in archive.entries.items():
        if digest not in named:
            report.wrong.append(Finding(f"file {to_cid(digest)}", "one that the job names", "one that it does not"))
        if digest not in archive.read:
            try:
                archive.get(digest, limit=entry.size, timeout=0)
                report.ok("other files")
            except HansaError as error:
                report.wrong.append(Finding(f"file {to_cid(digest)}", "the bytes that its CID names", str(error)))


def files_with_limits(evidence: Evidence, store: Store) -> Sequence[tuple[Digest, int]]:
    """What an archive of these facts should hold, and how large each file may be."""
    report = Report()
    replay = EventReplay(evidence)
    replay.events()
    rounds = Rounds(store, report)
    rounds.read_spec(replay.history)
    spec = rounds.context.spec if rounds.context is not None else None
    limits = {
        "spec": MAX_BYTES,
        "model": spec.model_bytes if spec else 0,
        "update": spec.update_bytes if spec else 0,
        "keys": keys_limit(len(replay.history.cycles)),
    }
    return [(digest, limits[kind]) for digest, kind in files_of(replay)]


def _count(report: Report, replay: EventReplay) -> None:
    for name, times in (*replay.counts.items(), *replay.vault.counts.items()):
        if times and name[:1].islower():
            report.ok(name, times)
