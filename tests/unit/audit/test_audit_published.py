"""Content keys that trainers published on chain: which are used, and what a bad file or event does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

from hansa.audit.archive import Archive, write_archive
from hansa.audit.facts import Facts
from hansa.audit.openers import read_keys
from hansa.audit.replay import EventReplay
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.protocol.cid import digest_of
from hansa.protocol.content_keys import decode_keys, encode_keys
from hansa.protocol.errors import Malformed
from hansa.protocol.types import Address, Digest
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log

VECTORS = Path(__file__).parents[2] / "vectors"
CONTENT = read_keys(VECTORS / "job-1.keys.json")
MADE = "models made again, bit for bit"
STRANGER = Address(to_checksum_address("0x" + "ab" * 20))


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive.open(VECTORS / "job-1.hansa") as opened:
        yield opened


@pytest.fixture(scope="module")
def own(archive: Archive) -> dict[Address, dict[Digest, bytes]]:
    """Every trainer's own keys."""
    walk = EventReplay(archive.facts)
    walk.events()
    found: dict[Address, dict[Digest, bytes]] = {}
    for cycle in walk.history.cycles:
        for update in cycle.updates:
            found.setdefault(update.trainer, {})[update.digest] = CONTENT[update.digest]
    return found


class With:
    """The archive's files and some more."""

    def __init__(self, archive: Archive, *more: bytes) -> None:
        self._archive, self._more = archive, {digest_of(data): data for data in more}

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        if digest in self._more:
            assert len(self._more[digest]) <= limit
            return self._more[digest]
        return self._archive.get(digest, limit=limit, timeout=timeout)


def naming(facts: Facts, files: Mapping[Address, bytes], *, before_the_end: bool = False) -> Facts:
    """With an event of each account that names its file; in the last block, or in that of the first event.

    Nothing proves the state, and nobody signed these: two gaps that are not expected.
    """
    topic = artifact("Federation").event("KeysPublished").topic
    logs = list(facts.events)
    place = next(i for i, log in enumerate(logs) if log.block > logs[0].block) if before_the_end else None
    at = logs[-1] if place is None else logs[place - 1]
    for number, (account, data) in enumerate(files.items(), 1):
        words = (topic, facts.job.to_bytes(32, "big"), bytes(12) + bytes.fromhex(account[2:]))
        log = Log(at.block, at.index + number, facts.federation.lower(), words, digest_of(data))
        logs.insert(len(logs) if place is None else place + number - 1, log)
    return replace(facts, events=logs, proof=None)


def test_published__by_every_trainer__a_stranger_makes_every_model_again(
    archive: Archive, own: dict[Address, dict[Digest, bytes]], tmp_path: Path
) -> None:
    files = {trainer: encode_keys(keys) for trainer, keys in own.items()}
    facts, store = naming(archive.facts, files), With(archive, *files.values())
    report = audit(facts, store)  # type: ignore[arg-type]
    assert report.exit_code == 3 and not report.wrong
    assert report.checked[MADE] == 3 and report.checked["files of content keys"] == len(own)
    target = tmp_path / "job.hansa"
    assert write_archive(target, facts, files_with_limits(facts, store), store) == []  # type: ignore[arg-type]
    assert audit_archive(target)[0].checked[MADE] == 3
    data = bytearray(target.read_bytes())
    data[data.index(files[next(iter(files))]) + 60] ^= 1
    target.write_bytes(data)
    changed, _ = audit_archive(target)
    assert changed.exit_code == 1 and "content keys" in changed.wrong[0].what


def test_published__keys_of_others__are_not_used(archive: Archive, own: dict[Address, dict[Digest, bytes]]) -> None:
    one, other = list(own)[:2]
    files = {trainer: encode_keys(keys) for trainer, keys in own.items()}
    files[one] = encode_keys({**own[one], next(iter(own[other])): bytes(32)})
    files[STRANGER] = encode_keys(dict.fromkeys(CONTENT, bytes(32)))
    report = audit(naming(archive.facts, files), With(archive, *files.values()))  # type: ignore[arg-type]
    assert not report.wrong and report.checked[MADE] == 3


def test_published__file_that_is_lost_or_none__leaves_models_unmade(
    archive: Archive, own: dict[Address, dict[Digest, bytes]]
) -> None:
    trainers = list(own)
    files = {trainers[0]: b"no keys", trainers[1]: encode_keys(own[trainers[1]]), STRANGER: b"?"}
    report = audit(naming(archive.facts, files), With(archive, files[trainers[0]]))  # type: ignore[arg-type]
    assert not report.wrong and report.checked[MADE] == 0
    assert [gap.what.startswith("content keys Qm") for gap in report.gaps if gap.expected].count(True) == 2


def test_published__wrong_key_of_its_own_update__is_told(
    archive: Archive, own: dict[Address, dict[Digest, bytes]]
) -> None:
    liar = next(iter(own))
    files = {trainer: encode_keys(keys) for trainer, keys in own.items()}
    files[liar] = encode_keys(dict.fromkeys(own[liar], bytes(32)))
    report = audit(naming(archive.facts, files), With(archive, *files.values()))  # type: ignore[arg-type]
    assert report.exit_code == 3 and not report.wrong
    assert any("does not open it" in gap.why for gap in report.gaps)


def test_published__while_the_job_ran__is_wrong(archive: Archive) -> None:
    facts = naming(archive.facts, {STRANGER: b"early"}, before_the_end=True)
    report = audit(facts, archive)
    assert report.exit_code == 1
    assert "content keys are published after the job's end" in str(report.wrong[0])


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"Qm":"00"}', b"null", b"\xff", b'{"a":1}'])
def test_decode__anything_else__is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode_keys(data)


def test_keys__there_and_back() -> None:
    assert decode_keys(encode_keys(CONTENT)) == CONTENT
