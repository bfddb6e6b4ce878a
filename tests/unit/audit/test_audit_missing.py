"""The audit of jobs with something missing: keys that don't open, files that are lost, events that end early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hansa.audit.archive import Archive
from hansa.audit.openers import Openers, read_keys
from hansa.audit.replay import EventReplay
from hansa.audit.report import Wrong
from hansa.audit.run import audit, files_with_limits
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, NotFound
from hansa.protocol.types import Digest
from hansa.runtime.history.records import Finalized

VECTORS = Path(__file__).parents[2] / "vectors"
KEYS = VECTORS / "job-1.keys.json"


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive.open(VECTORS / "job-1.hansa") as opened:
        yield opened


@pytest.fixture(scope="module")
def keys() -> Openers:
    return Openers({}, read_keys(KEYS))


# --- keys


def test_keys__of_another_update__are_told(archive: Archive) -> None:
    content = read_keys(KEYS)
    one = next(iter(content))
    report = audit(archive.facts, archive, Openers({}, {**content, one: bytes(32)}))
    assert report.exit_code == 3 and not report.wrong
    assert any("the key given for it does not open it" in gap.why for gap in report.gaps)


@pytest.mark.parametrize("text", ["[]", "{", '{"Qm": "00"}', '{"a": 1}', "null"])
def test_keys__malformed__are_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(FatalError, match="no file of content keys"):
        read_keys(path)


# --- lost files


class Losing:
    """A store that lost some files."""

    def __init__(self, archive: Archive, *lost: Digest) -> None:
        self._archive, self._lost = archive, lost

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        if digest in self._lost:
            raise NotFound(f"{to_cid(digest)} is not to be had")
        return self._archive.get(digest, limit=limit, timeout=timeout)


def test_store__that_lost_a_file__exits_nonzero_and_names_it(archive: Archive, keys: Openers) -> None:
    for digest in archive.entries:
        report = audit(archive.facts, Losing(archive, digest), keys)  # type: ignore[arg-type]
        assert report.exit_code == 3 and not report.wrong
        assert any(to_cid(digest) in f"{gap.what} {gap.why}" for gap in report.gaps)


def test_store__that_lost_a_model__is_made_up_for_by_its_updates(archive: Archive, keys: Openers) -> None:
    walk = walk_of(archive)
    lost = [cycle.outcome.model for cycle in walk.history.cycles if isinstance(cycle.outcome, Finalized)]
    report = audit(archive.facts, Losing(archive, *lost), keys)  # type: ignore[arg-type]
    assert report.exit_code == 3
    assert report.checked["models made again, bit for bit"] == 3


def walk_of(archive: Archive) -> EventReplay:
    walk = EventReplay(archive.facts)
    walk.events()
    return walk


def test_job__cut_off_before_its_end__is_not_what_the_contract_says(archive: Archive) -> None:
    logs = list(archive.facts.events)
    for cut in range(len(logs)):
        assert audit(replace(archive.facts, events=logs[:cut]), archive).exit_code == 1
        assert audit(replace(archive.facts, events=logs[:cut], transactions=()), archive).exit_code == 1


def test_events__nothing_at_all__is_wrong(archive: Archive) -> None:
    with pytest.raises(Wrong, match="its posting is missing"):
        files_with_limits(replace(archive.facts, events=()), archive)
