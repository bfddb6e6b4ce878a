"""Jobs that somebody made up around a genuine block: its header and the proof under it are as they were, and all that
the rules ask for holds. None needs a node to be found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forging import Forger, Told, told

from hansa.audit.archive import Archive, write_archive
from hansa.audit.facts import Facts
from hansa.audit.openers import Openers
from hansa.audit.replay import EventReplay
from hansa.audit.report import Report
from hansa.audit.rounds import Rounds
from hansa.audit.run import audit, audit_archive
from hansa.protocol import envelope
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import FatalError, NotFound
from hansa.protocol.model import Model
from hansa.protocol.sheet import ENTRY_BYTES
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Digest
from hansa.runtime.chain.structs import JobTerms

JOB = Path(__file__).parents[2] / "vectors" / "job-1.hansa"
OTHER = "0x" + "ab" * 20


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive.open(JOB) as opened:
        yield opened


@pytest.fixture(scope="module")
def spec(archive: Archive) -> JobSpec:
    replay = EventReplay(archive.facts)
    replay.events()
    rounds = Rounds(archive, Report())
    rounds.read_spec(replay.history)
    assert rounds.context is not None
    return rounds.context.spec


class Unsealed:
    """The archive's spec and models, and some files more: a forger has no updates that are sealed for its cycles, and
    says that they are lost."""

    def __init__(self, archive: Archive, *more: bytes) -> None:
        self._archive, self._more = archive, {digest_of(data): data for data in more}

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        data = self._more.get(digest) or self._archive.get(digest, limit=limit, timeout=timeout)
        if data.startswith(envelope.MAGIC):
            raise NotFound(f"{to_cid(digest)} is lost")
        return data


def forged(facts: Facts, spec: JobSpec, edit: Callable[[list[Told]], None]) -> Facts:
    events = told(facts)
    edit(events)
    return Forger(facts, spec).write(events)


def changed_terms(**changes: Any) -> Callable[[list[Told]], None]:
    def edit(events: list[Told]) -> None:
        [posted] = [e for e in events if e.name == "JobPosted"]
        names = list(JobTerms.__annotations__)
        terms = dict(zip(names, posted.values["terms"], strict=True))
        posted.values["terms"] = tuple((terms | changes).values())

    return edit


def without_the_last_round(events: list[Told]) -> None:
    """Stopped by its sponsor after the second."""
    [start] = [i for i, e in enumerate(events) if e.name == "CycleOpened" and e.values["round"] == 3]
    [end] = [i for i, e in enumerate(events) if e.name == "JobEnded"]
    stop = Told(events[start].block, "Federation", "StopRequested", {"job": events[0].values["job"]})
    ended = replace(events[end], block=events[start].block)
    after = [e for e in events[end + 1 :] if e.values.get("round") != 3]
    rest = Told(after[-1].block, "Vault", "RestReturned", {**stop.values, "sponsor": events[0].values["sponsor"]})
    events[start:] = [stop, ended, *after, rest]


def all_sheets_for_one(events: list[Told]) -> None:
    """Its gains and news are the largest that fit the others' sums."""
    for event in events:
        if event.name == "ScoresRevealed":
            sheet = bytearray(event.values["sheet"])
            sheet[:ENTRY_BYTES] = b"\0" + (2**40).to_bytes(6, "big") * 2
            event.values["sheet"] = bytes(sheet)


def swapped_sheets(events: list[Told]) -> None:
    of = {(e.values["cycle"], e.values["seat"]): e for e in events if e.name == "ScoresRevealed"}
    first, second, _ = dict.fromkeys(cycle for cycle, _ in of)
    for (cycle, seat), event in of.items():
        if cycle == first:
            other = of[second, seat]
            event.values["sheet"], other.values["sheet"] = other.values["sheet"], event.values["sheet"]


def another_member(events: list[Told]) -> None:
    """In every committee, first: it is the lowest address."""
    former = None
    for event in events:
        if event.name == "CycleOpened":
            former = event.values["committee"][0]
            event.values["committee"] = ("0x" + "00" * 19 + "01", *event.values["committee"][1:])
        elif event.values.get("member") == former is not None:
            event.values["member"] = "0x" + "00" * 19 + "01"


def other_keys(key: bytes) -> Callable[[list[Told]], None]:
    def edit(events: list[Told]) -> None:
        for event in events:
            if event.name == "CycleOpened":
                event.values["keys"] = (key, *event.values["keys"][1:])

    return edit


def without_a_vote(events: list[Told]) -> None:
    """Of the last round's seat 2, and with it its fee."""
    [*_, place] = [i for i, e in enumerate(events) if e.name == "ResultVoted" and e.values["seat"] == 2]
    del events[place]


def with_constants(facts: Facts, spec: JobSpec, archive: Archive) -> tuple[Facts, list[bytes]]:
    """Models swapped for others of the same shapes."""
    made: list[bytes] = []

    def edit(events: list[Told]) -> None:
        parent = events[0].values["terms"][list(JobTerms.__annotations__).index("model")]
        for event in events:
            if event.name == "RoundFinalized":
                data = archive.get(Digest(event.values["model"]), limit=10**6, timeout=0)
                model = Model.decode(data)
                constant = {name: np.ones_like(tensor) for name, tensor in model.tensors.items()}
                made.append(replace(model, tensors=constant, parent=Digest(parent)).encode())
                event.values["model"] = parent = digest_of(made[-1])

    return forged(facts, spec, edit), made


FORGERIES: dict[str, Callable[[list[Told]], None]] = {
    "nothing": lambda events: None,
    "the last finalised round dropped": without_the_last_round,
    "all sheets rewritten for one trainer": all_sheets_for_one,
    "sheets of two rounds swapped": swapped_sheets,
    "a committee member swapped": another_member,
    "the reward halved": changed_terms(reward_per_round=50 * 10**18),
    "the penalty doubled": changed_terms(strike_penalty=50 * 10**18),
    "another token": changed_terms(token=OTHER),
    "another committee contract": changed_terms(committee=OTHER),
    "a vote and its fee removed": without_a_vote,
    "announced keys changed": other_keys(b"\7" * 32),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery__holds_by_the_rules__and_not_under_the_block_hash(
    archive: Archive, spec: JobSpec, tmp_path: Path, name: str
) -> None:
    genuine = archive.facts
    facts = forged(genuine, spec, FORGERIES[name])
    bare = audit(replace(facts, proof=None, transactions=()), Unsealed(archive))  # type: ignore[arg-type]
    assert bare.exit_code == 3 and not bare.wrong, "by the rules it holds"
    if name == "nothing":
        assert audit(facts, archive).exit_code == 0
        return
    for signed in (genuine.transactions, ()):
        path = tmp_path / "job-1.hansa"
        write_archive(path, replace(facts, transactions=signed), [], archive)
        report, told = audit_archive(path)
        assert report.exit_code == 1
        assert told is not None and told.at.hash == genuine.at.hash
        if not signed:
            assert str(report.wrong[0]).startswith(("Federation's _", "Vault's _"))


def test_forgery__models_swapped_for_constants(archive: Archive, spec: JobSpec) -> None:
    facts, files = with_constants(archive.facts, spec, archive)
    store: Any = Unsealed(archive, *files)
    bare = audit(replace(facts, proof=None, transactions=()), store)
    assert bare.exit_code == 3 and not bare.wrong, "nobody there can open the updates"
    report = audit(replace(facts, transactions=()), store)
    assert report.exit_code == 1 and "Federation's _jobs[1]" in str(report.wrong[0])


def test_forgery__chain_id_1(archive: Archive, spec: JobSpec) -> None:
    facts = forged(replace(archive.facts, chain_id=1), spec, lambda events: None)
    bare = audit(replace(facts, proof=None, transactions=()), Unsealed(archive))  # type: ignore[arg-type]
    assert bare.exit_code == 3 and not bare.wrong, "by the rules it holds"
    assert audit(facts, archive).exit_code == 1
    assert "Federation's _jobs[1]" in str(audit(replace(facts, transactions=()), archive).wrong[0])


def test_forgery__with_a_members_account__keys_changed_or_member_swapped(archive: Archive, spec: JobSpec) -> None:
    """The forger's own key stands in every opening: the member's that is given is in force in no cycle."""
    secret, mine = b"\5" * 32, b"\6" * 32
    replay = EventReplay(archive.facts)
    replay.events()
    member = replay.history.cycles[0].committee[0]
    own = forged(archive.facts, spec, other_keys(envelope.public_key(secret)))
    assert audit(own, archive, Openers({member: secret})).exit_code == 1
    bare = replace(own, proof=None, transactions=())
    with pytest.raises(FatalError, match="was in force in no cycle"):
        audit(bare, archive, Openers({member: mine}))
    with pytest.raises(FatalError, match="was never in the committee"):
        audit(bare, archive, Openers({Address(OTHER): secret}))
    swapped = replace(forged(archive.facts, spec, another_member), proof=None, transactions=())
    with pytest.raises(FatalError, match="was never in the committee"):
        audit(swapped, archive, Openers({member: mine}))
    with pytest.raises(FatalError, match="was in force in no cycle"):
        audit(archive.facts, archive, Openers({member: mine}))
