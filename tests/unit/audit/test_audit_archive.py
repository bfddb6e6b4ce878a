"""One changed byte of an archive, one changed field of an event: the audit finds it. Thousands of times, at random.

tests/vectors/job-1.hansa is what a `hansa demo --rounds 3` left; job-1.keys.json holds the content keys of its updates.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from memoised import remember

from hansa.audit.archive import MAGIC, Archive, write_archive
from hansa.audit.facts import Facts
from hansa.audit.models import files_of
from hansa.audit.openers import Openers, read_keys
from hansa.audit.proof.state import StateProof
from hansa.audit.replay import EventReplay
from hansa.audit.report import Report
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Digest
from hansa.runtime.chain import abi

VECTORS = Path(__file__).parents[2] / "vectors"
JOB = VECTORS / "job-1.hansa"
KEYS = VECTORS / "job-1.keys.json"
BYTES = 3000
FIELDS = 400


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    remember(monkeypatch)
    yield
    assert audit_archive(JOB)[0].exit_code == 0, "after all that, what is remembered of the unchanged archive holds"


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive.open(JOB) as opened:
        yield opened


@pytest.fixture(scope="module")
def keys() -> Openers:
    return Openers({}, read_keys(KEYS))


def walked(archive: Archive) -> EventReplay:
    replay = EventReplay(archive.facts)
    replay.events()
    return replay


def first(report: Report) -> str:
    assert report.wrong, "nothing is wrong with it"
    assert report.exit_code == 1
    return str(report.wrong[0])


def flipped(data: bytes, at: random.Random) -> bytes:
    place = at.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << at.randrange(8)]) + data[place + 1 :]


def is_refused(path: Path) -> bool:
    """Whether something is wrong with an archive, or it calls itself one of another version."""
    try:
        return audit_archive(path)[0].exit_code == 1
    except FatalError as error:
        return "is an archive of version" in str(error)


# --- as it is


def test_archive__of_an_honest_job__holds(archive: Archive, keys: Openers) -> None:
    report, facts = audit_archive(JOB, keys)
    assert report.exit_code == 0 and not report.wrong and not report.gaps
    assert facts is not None and facts.job == 1
    assert report.checked["models made again, bit for bit"] == report.checked["results"] == 3
    assert report.checked["verdicts against the bytes"] == report.checked["verdicts"] == 12
    assert report.checked["contracts' code"] == 3 and report.checked["words of the contracts' storage"] > 40
    assert report.checked["signed acts"] == len(archive.facts.transactions) == 44


def test_archive__without_keys__says_what_is_not_checked() -> None:
    report, _ = audit_archive(JOB)
    assert report.exit_code == 0
    assert [gap.what for gap in report.gaps] == ["models of rounds 1–3, made again"]


def test_archive__is_deterministic(archive: Archive, tmp_path: Path) -> None:
    again = tmp_path / "job-1.hansa"
    assert write_archive(again, archive.facts, files_with_limits(archive.facts, archive), archive) == []
    assert again.read_bytes() == JOB.read_bytes()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_archive__on_a_full_disk__is_one_sentence__and_leaves_nothing(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os if step == "fsync" else Path, step, full)
    with pytest.raises(FatalError, match=r"job-1\.hansa can't be written: No space left on device; make room"):
        write_archive(tmp_path / "job-1.hansa", archive.facts, [], archive)
    assert list(tmp_path.iterdir()) == []


# --- changed bytes


@pytest.mark.usefixtures("remembered")
def test_archive__any_byte_flipped__is_found(archive: Archive, tmp_path: Path) -> None:
    at, whole, target = random.Random(1), JOB.read_bytes(), tmp_path / "changed.hansa"
    target.write_bytes(whole)
    files = max(entry.offset + entry.size for entry in archive.entries.values())
    with target.open("r+b", buffering=0) as file:
        for turn in range(BYTES):
            if turn % 20 == 0:
                place = at.randrange(files)
            elif turn % 20 == 1:
                place = at.choice((at.randrange(len(MAGIC)), len(whole) - 1 - at.randrange(40)))
            else:
                place = at.randrange(files, len(whole))
            os.pwrite(file.fileno(), bytes([whole[place] ^ 1 << at.randrange(8)]), place)
            assert is_refused(target), f"byte {place}"
            os.pwrite(file.fileno(), whole[place : place + 1], place)
    assert target.read_bytes() == whole


@pytest.mark.usefixtures("remembered")
def test_archive__every_file_flipped_once__is_found_and_named(archive: Archive, tmp_path: Path) -> None:
    at, whole, target = random.Random(4), JOB.read_bytes(), tmp_path / "changed.hansa"
    for digest, entry in archive.entries.items():
        changed = bytearray(whole)
        changed[entry.offset + at.randrange(entry.size)] ^= 1 << at.randrange(8)
        target.write_bytes(changed)
        report, _ = audit_archive(target)
        assert report.exit_code == 1, to_cid(digest)
        assert any(to_cid(digest) in str(finding) for finding in report.wrong), to_cid(digest)


def test_archive__cut_short_or_longer__is_found(tmp_path: Path) -> None:
    whole, target = JOB.read_bytes(), tmp_path / "changed.hansa"
    for changed in (b"", MAGIC, whole[:-1], whole + b"\0", whole[: len(whole) // 2], whole + whole, whole[1:]):
        target.write_bytes(changed)
        assert first(audit_archive(target)[0])


def test_archive__changed_file__is_named(archive: Archive, tmp_path: Path) -> None:
    [*_, model] = (digest for digest, kind in files_of(walked(archive)) if kind == "model")
    changed = bytearray(JOB.read_bytes())
    changed[archive.entries[model].offset + 50] ^= 1
    target = tmp_path / "changed.hansa"
    target.write_bytes(changed)
    said = first(audit_archive(target)[0])
    assert to_cid(model) in said and said.startswith("round 3")


def test_archive__not_there__is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="can't be read"):
        audit_archive(tmp_path / "none.hansa")


def test_archive__with_a_file_more__is_found(archive: Archive, tmp_path: Path) -> None:
    class More:
        def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
            return b"hello" if digest == extra else archive.get(digest, limit=limit, timeout=timeout)

    extra = digest_of(b"hello")
    target = tmp_path / "more.hansa"
    write_archive(target, archive.facts, [*files_with_limits(archive.facts, archive), (extra, 5)], More())  # type: ignore[arg-type]
    assert "one that the job names" in first(audit_archive(target)[0])


# --- changed facts, in an archive that is sealed again


def changed_log(facts: Facts, at: random.Random) -> Facts:
    """One field of one event, or the event itself."""
    logs = list(facts.events)
    place = at.randrange(len(logs))
    log = logs[place]
    match at.choice(("topic", "data", "address", "drop", "twice")):
        case "topic":
            word = at.randrange(len(log.topics))
            topics = (*log.topics[:word], flipped(log.topics[word], at), *log.topics[word + 1 :])
            logs[place] = replace(log, topics=topics)
        case "data" if log.data:
            logs[place] = replace(log, data=flipped(log.data, at))
        case "address":
            others = {facts.federation.lower(), facts.vault.lower(), "0x" + "11" * 20} - {log.address}
            logs[place] = replace(log, address=at.choice(sorted(others)))
        case "twice":
            logs.insert(place, log)
        case _:
            del logs[place]
    return replace(facts, events=logs)


def changed_rest(facts: Facts, at: random.Random) -> Facts:
    """One node, one transaction, the header, one word about the deployment."""
    assert facts.proof is not None
    nodes, signed = list(facts.proof.nodes), list(facts.transactions)
    kinds = ("node", "no node", "header", "signature", "order", "twice", "chain", "federation", "vault", "library")
    match at.choice((*kinds, "job")):
        case "node":
            place = at.randrange(len(nodes))
            nodes[place] = flipped(nodes[place], at)
            return replace(facts, proof=StateProof(facts.proof.header, sorted(nodes)))
        case "no node":
            del nodes[at.randrange(len(nodes))]
            return replace(facts, proof=StateProof(facts.proof.header, nodes))
        case "header":
            return replace(facts, proof=StateProof(flipped(facts.proof.header, at), nodes))
        case "signature":
            place = at.randrange(len(signed))
            signed[place] = flipped(signed[place], at)
        case "order":
            place = at.randrange(len(signed) - 1)
            signed[place : place + 2] = signed[place + 1], signed[place]
        case "twice":
            place = at.randrange(len(signed))
            signed.insert(place, signed[place])
        case "chain":
            return replace(facts, chain_id=facts.chain_id ^ 1)
        case "federation":
            return replace(facts, federation=facts.vault)
        case "vault":
            return replace(facts, vault=facts.federation)
        case "library":
            return replace(facts, library=facts.vault)
        case "job":
            return replace(facts, job=facts.job + 1)
    return replace(facts, transactions=signed)


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("change", [changed_log, changed_rest])
def test_facts__anything_changed__is_found(archive: Archive, change: Any) -> None:
    at = random.Random(2)
    for turn in range(FIELDS):
        assert audit(change(archive.facts, at), archive).exit_code == 1, f"turn {turn}"


@pytest.mark.usefixtures("remembered")
def test_events__every_field_of_every_kind__is_found(archive: Archive) -> None:
    """One bit of each topic and of each 32-byte word of the data, of the last event of each kind."""
    at, logs = random.Random(5), list(archive.facts.events)
    last = {log.topics[0]: place for place, log in enumerate(logs)}
    assert len(last) > 12
    for place in last.values():
        log = logs[place]
        for word in range(len(log.topics) + len(log.data) // 32):
            if word < len(log.topics):
                topics = (*log.topics[:word], flipped(log.topics[word], at), *log.topics[word + 1 :])
                changed = replace(log, topics=topics)
            else:
                start = 32 * (word - len(log.topics))
                part = flipped(log.data[start : start + 32], at)
                changed = replace(log, data=log.data[:start] + part + log.data[start + 32 :])
            facts = replace(archive.facts, events=[*logs[:place], changed, *logs[place + 1 :]])
            assert audit(facts, archive).exit_code == 1, f"word {word} of {log}"


def test_vote__changed__is_told_as_a_vote(archive: Archive) -> None:
    topic = abi.artifact("Federation").event("ResultVoted").topic
    logs = list(archive.facts.events)
    place = next(i for i, log in enumerate(logs) if log.topics[0] == topic)
    data = logs[place].data
    logs[place] = replace(logs[place], data=data[:63] + bytes([data[63] ^ 1]) + data[64:])
    said = first(audit(replace(archive.facts, events=logs, proof=None, transactions=()), archive))
    assert said.startswith("round 1, cycle 1, block") and "votes are missing or invented" in said


# --- without what binds it


def test_facts__without_a_proof__bind_nothing__and_say_so(archive: Archive) -> None:
    report = audit(replace(archive.facts, proof=None), archive)
    assert report.exit_code == 3 and not report.wrong
    assert any("nothing here is bound to a block" in gap.why for gap in report.gaps if not gap.expected)
    assert report.checked["signed acts"] == 44


def test_acts__without_their_signatures__are_gaps_of_each_account(archive: Archive) -> None:
    report = audit(replace(archive.facts, transactions=()), archive)
    assert report.exit_code == 1, "and the proof has nothing on who did not sign: it was made where all did"
    bare = audit(replace(archive.facts, transactions=(), proof=None), archive)
    assert bare.exit_code == 3 and not bare.wrong
    assert sum("by its signature" in gap.what for gap in bare.gaps if not gap.expected) == 8


def test_hash__is_that_of_the_header(archive: Archive) -> None:
    assert archive.facts.proof is not None
    header = archive.facts.proof.header
    assert archive.facts.at.hash == keccak(header)
