"""Updates that it takes several members to open, audited by one of them with what the committee released."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from hansa.audit.openers import Openers
from hansa.audit.report import Report
from hansa.audit.updates import Cycle, Updates
from hansa.protocol import envelope, release, shared_envelope
from hansa.protocol.cid import digest_of
from hansa.protocol.hashes import make_cycle
from hansa.protocol.model import Update, initial_model
from hansa.protocol.release import Entry, Said
from hansa.protocol.shared_verdict import own_entry
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Address, BlockNumber, Code, Digest, JobId, Phase, Place, Round, Seat
from hansa.protocol.verdict import CycleKeys
from hansa.runtime.history.records import CycleRecord, Submitted
from hansa.runtime.store.local import LocalStore

SEATS, T = 3, 2
MEMBERS = tuple(Address("0x" + f"{seat + 161:02x}" * 20) for seat in range(SEATS))
SECRETS = [bytes([seat + 1]) * 32 for seat in range(SEATS)]
KEYS = tuple(envelope.public_key(secret) for secret in SECRETS)
SEED, TRAINER, KEY = b"\x0c" * 32, Address("0x" + "01" * 20), b"\x42" * 32
CYCLE = make_cycle(SEED, 1, True)
PLACE = Place(31337, Address("0x" + "fe" * 20), JobId(7), CYCLE)
MODEL = initial_model({"w": np.ones(4, np.float32)}, 8)
BASE = digest_of(MODEL.encode())
CONTEXT = envelope.context(PLACE, TRAINER, BASE)
UPDATE = Update({"w": np.array([1, 2, 3, 4], np.int8)}, PLACE.job, CYCLE, TRAINER).encode()
SEALED = shared_envelope.seal(UPDATE, KEY, CONTEXT, KEYS, T)


class Job:
    """A cycle with one update, which the committee gave a verdict on."""

    def __init__(self, path: Path, sealed: bytes = SEALED, verdict: Code = Code.OK) -> None:
        self.store, self.report = LocalStore(path), Report()
        self.sealed, self.verdict = sealed, verdict
        self.submitted = (Submitted(TRAINER, self.store.put(sealed)),)
        self.releases: dict[Seat, Digest] = {}

    def record(self) -> CycleRecord:
        acted = {Phase.RELEASE: self.releases}
        members = (MEMBERS, KEYS)
        return CycleRecord(CYCLE, Round(1), b"", SEED, *members, 7, BlockNumber(1), self.submitted, acted, (), None)

    def release(self, seat: int, entry: Entry | None = None, *, given: bool = True) -> None:
        """What a seat truly has to say, unless it says something else; `given`: whether its file is there."""
        keys = CycleKeys(PLACE, BASE, MODEL, KEYS, Seat(seat), SECRETS[seat], T)
        said = own_entry(self.sealed, TRAINER, keys) if entry is None else entry
        ctx = release.context(PLACE, MEMBERS[seat], self.record().updates_acc)
        data = release.seal([said], bytes([seat]) * 32, ctx, KEYS)
        self.releases[Seat(seat)] = self.store.put(data) if given else digest_of(data)

    def check(self, openers: Openers) -> dict[int, Update] | None:
        context = SimpleNamespace(spec=SimpleNamespace(shares=T, update_bytes=10_000))
        facts = SimpleNamespace(place=lambda cycle: PLACE._replace(cycle=cycle))
        ledger = SimpleNamespace(judgements=[Judgement(self.verdict)])
        cycle = Cycle(self.record(), BASE, MODEL, KEYS, cast(Any, ledger), ())
        return Updates(cast(Any, facts), cast(Any, context), self.store, openers, self.report).check(cycle)


MEMBER = Openers({MEMBERS[2]: SECRETS[2]})
CONTENT = Openers({}, {digest_of(SEALED): KEY})


def test_member__with_what_one_other_released__opens_it(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.release(0)
    found = job.check(MEMBER)
    assert found is not None and list(found) == [0]
    assert job.report.checked["release files"] == 1 and job.report.checked["verdicts against the bytes"] == 1
    assert not job.report.wrong


def test_member__with_too_few_shares__opens_nothing_and_finds_nothing_wrong(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.release(0, given=False)
    job.release(1, Entry(Said.SHARE, b"\7" * 32))
    assert job.check(MEMBER) is None
    assert not job.report.wrong
    assert [gap.expected for gap in job.report.gaps] == [True], "the file that is lost"


def test_content_key__opens_it_without_any_release(tmp_path: Path) -> None:
    found = Job(tmp_path).check(CONTENT)
    assert found is not None and list(found) == [0]


def test_content_key__stands_in_where_shares_are_too_few(tmp_path: Path) -> None:
    found = Job(tmp_path).check(Openers(MEMBER.secrets, CONTENT.content))
    assert found is not None and list(found) == [0]


def test_content_key__of_another_update__is_a_gap(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.check(Openers({}, {digest_of(SEALED): bytes(32)}))
    assert [gap.why.startswith("the key given for it does not open it") for gap in job.report.gaps] == [True]


def test_nobodys_key__leaves_it_shut(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.release(0)
    job.release(1)
    assert job.check(Openers()) is None
    assert not job.report.wrong and job.report.checked["sealed updates"] == 1


@pytest.mark.parametrize(
    ("sealed", "what"),
    [
        (envelope.seal(UPDATE, KEY, CONTEXT, KEYS), "another head"),
        (shared_envelope.seal(UPDATE, KEY, CONTEXT, KEYS, 3), "another head"),
    ],
    ids=["hansa1", "three shares"],
)
def test_head__of_a_file_that_is_called_ok__is_looked_at_without_any_key(
    tmp_path: Path, sealed: bytes, what: str
) -> None:
    job = Job(tmp_path, sealed)
    job.check(Openers())
    assert [finding.found for finding in job.report.wrong] == [what]


def test_verdict__malformed_by_boxes_that_are_bad__is_what_the_releases_say(tmp_path: Path) -> None:
    at = shared_envelope.boxes_at(SEATS)
    bad = bytearray(SEALED)
    for seat in (0, 1):
        bad[at + envelope.BOX * seat] ^= 1
    job = Job(tmp_path, bytes(bad), Code.MALFORMED)
    job.release(0)
    job.release(1)
    assert job.check(MEMBER) == {}
    assert not job.report.wrong and job.report.checked["verdicts against the bytes"] == 1
    other = Job(tmp_path, bytes(bad), Code.OK)
    other.releases = dict(job.releases)
    other.check(MEMBER)
    assert [finding.what for finding in other.report.wrong] == [f"verdict on the update of {TRAINER}"]
