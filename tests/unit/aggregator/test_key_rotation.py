"""A member's encryption keys: which is announced when, and when a secret is deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from desks import ME, GivenJob, desk_of
from records import STATE

from aggregator.keys import FOREVER, ROTATING, Keys
from hansa.protocol import envelope
from hansa.protocol.hashes import make_cycle
from hansa.protocol.types import CycleId, JobId, Phase, Round
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.structs import JobState
from hansa.runtime.key_ring import KeyRing

OWN = b"\x05" * 32
OWN_PUBLIC = envelope.public_key(OWN)
STRANGE = envelope.public_key(b"\x06" * 32)


class Chain:
    """The key in force, jobs with a cycle each, and how deep: `deep` is what was so `confirmations` blocks ago."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        self.deep_key: bytes | None = None
        self.jobs: dict[JobId, JobState] = {}
        self.opened: dict[tuple[JobId, CycleId], bytes] = {}  # with which key of this member
        self.rounds: dict[tuple[JobId, CycleId], int] = {}
        self.number, self.confirmations, self.first_block = 0, 0, 1
        self.masked: set[JobId] = set()
        self.told: list[JobId] = []  # jobs whose cycle's opening is hidden
        self.deep_jobs: dict[JobId, JobState] | None = None

    def latest(self) -> Any:
        self.number += 1
        return SimpleNamespace(number=self.number, hash=bytes([self.number]))

    def block(self, number: int) -> Any:
        return SimpleNamespace(number=number, hash=bytes([number]))

    def close(self) -> None:
        return

    def logs(self, address: Any, topics: list[bytes], start: int, end: Any) -> list[Any]:
        assert topics[0] == artifact("Federation").event("CycleOpened").topic and end == "deep"
        wanted = [int.from_bytes(topic, "big") for topic in topics[1:]]
        return [
            SimpleNamespace(topics=topics, data={"cycle": cycle, "round": self.rounds[job, cycle], "keys": [key]})
            for (job, cycle), key in self.opened.items()
            if [job, cycle][: len(wanted)] == wanted and job not in self.told
        ]


class Member:
    def __init__(self, path: Path, *, rotates: bool = True) -> None:
        self.chain, self.sent = Chain(), list[bytes]()
        follower = cast(Any, GivenJob(path))
        follower.federation = SimpleNamespace(
            chain=self.chain,
            address="federation",
            announced_key=lambda who, at=None: self.chain.deep_key if at == "deep" else self.chain.key,
            announce_key_call=lambda key: key,
            job_count=lambda: len(self.chain.jobs),
            terms=lambda job: SimpleNamespace(attest_time=60 if job in self.chain.masked else 0),
            states=lambda jobs, at: [(self.chain.deep_jobs or self.chain.jobs)[job] for job in jobs],
        )
        follower.deep = lambda: (self.chain.deep_jobs or self.chain.jobs)[JobId(1)]
        follower.deep_block = lambda: "deep"
        self.follower, self.path = follower, path
        self.desk = desk_of(path, follower, lambda call, *key: self.sent.append(call))
        self.at(1, Phase.ENROL)
        self.rotates = rotates
        self.begin()

    def begin(self) -> None:
        """As after a restart."""
        self.ring = KeyRing(self.path / "keys.sqlite", OWN)
        self.keys = Keys(self.desk, self.ring, OWN, rotates=self.rotates)

    def at(self, counter: int, phase: Phase, job: int = 1, key: bytes | None = None, round_: int = 1) -> None:
        """Brings a job to a phase of a cycle, opened with a key of this member's."""
        cycle = CycleId(0) if phase == Phase.ENROL else make_cycle(bytes([job]) * 32, counter, True)
        committee = () if phase == Phase.ENROL else (ME,)
        state = replace(STATE, phase=phase, cycle=cycle, committee=committee, round=Round(round_))
        self.chain.jobs[JobId(job)] = state
        if key is not None:
            self.chain.opened[JobId(job), cycle] = key
            self.chain.rounds.setdefault((JobId(job), cycle), round_)
            if job == 1:
                self.follower.cycles = [SimpleNamespace(cycle=cycle, keys=(key,))]
        if job == 1:
            self.follower.state = state

    def look(self) -> None:
        """One look; what is announced is mined at once, and deep."""
        self.follower.key = self.chain.key
        self.keys.keep_announced()
        if self.sent:
            self.chain.key = self.chain.deep_key = self.sent[-1]
        self.keys.forget()


@pytest.fixture
def member(tmp_path: Path) -> Member:
    return Member(tmp_path)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of this test carry what they say in place of their data."""
    event = artifact("Federation").event("CycleOpened")
    monkeypatch.setattr(type(event), "decode", lambda self, topics, data: data)


def round_(member: Member, counter: int) -> bytes:
    """A cycle from its opening to the next OPEN; the key that it was opened with."""
    key = member.chain.key
    assert key is not None
    for phase in (Phase.SUBMIT, Phase.SCORE, Phase.OPEN):
        member.at(counter, phase, key=key)
        member.look()
    return key


def test_rotating__a_new_key_is_announced_as_soon_as_a_cycle_has_opened_with_the_last(
    member: Member, decoded: None
) -> None:
    for _ in range(3):
        member.look()
    assert len(member.sent) == 1 and member.sent[0] != OWN_PUBLIC
    first = round_(member, 1)
    assert len(member.sent) == 2
    second = round_(member, 2)
    assert member.sent[:2] == [first, second] and len(member.sent) == 3
    assert len(set(member.sent)) == 3


def test_rotating__a_key_that_was_made_and_not_announced__is_taken_after_a_restart(member: Member) -> None:
    made = member.ring.make()
    member.begin()
    member.look()
    assert member.sent == [made]


def test_rotating__opens_with_the_key_of_the_cycle(member: Member, decoded: None) -> None:
    member.look()
    key = member.chain.key
    member.at(1, Phase.SUBMIT, key=key)
    member.look()
    assert envelope.public_key(member.keys.secret_for(key)) == key
    assert member.keys.secret_for(STRANGE) == OWN, "none of its own: it knows that it can't open then"


def test_deleted__once_the_cycle_is_over_and_another_key_in_force(member: Member, decoded: None) -> None:
    member.look()
    key = member.chain.key
    for phase in (Phase.SUBMIT, Phase.SCORE, Phase.LAPSED):
        member.at(1, phase, key=key)
        member.look()
        assert key in member.ring.made(), phase
    member.at(1, Phase.OPEN, key=key)
    member.look()
    assert key not in member.ring.made() and member.ring.made() == [member.chain.key]


def test_deleted__not_before_the_end_is_deep(member: Member, decoded: None) -> None:
    member.look()
    key = member.chain.key
    member.at(1, Phase.SUBMIT, key=key)
    member.look()
    member.chain.deep_jobs = dict(member.chain.jobs)
    member.at(1, Phase.OPEN, key=key)
    member.look()
    assert key in member.ring.made()
    member.chain.deep_jobs = None
    member.look()
    assert key not in member.ring.made()


def test_member__stays_until_the_end_is_deep(member: Member, decoded: None, tmp_path: Path) -> None:
    member.look()
    member.follower.is_settled, member.follower.head = lambda: False, SimpleNamespace(timestamp=7)
    assert not member.keys.have_gone() and member.desk.alarm.awaited == 7
    member.follower.is_settled = lambda: True
    assert member.keys.have_gone()


def test_deleted__not_while_the_old_key_is_in_force_some_blocks_ago(member: Member, decoded: None) -> None:
    member.look()
    key = member.chain.key
    member.at(1, Phase.SUBMIT, key=key)
    member.keys.keep_announced()
    member.chain.key = member.sent[-1]
    member.at(1, Phase.OPEN, key=key)
    member.keys.forget()
    assert key in member.ring.made()


def test_deleted__not_before_the_model_after_a_masked_set__whichever_job_looks(member: Member, decoded: None) -> None:
    """Job 2 is masked: its first attempt fails after its set may have been fixed, its second one has another key."""
    member.chain.masked.add(JobId(2))
    member.look()
    key = member.chain.key
    member.at(1, Phase.SUBMIT, key=key)
    member.at(5, Phase.RELEASE, job=2, key=key)
    member.look()
    member.at(5, Phase.OPEN, job=2, key=key)
    other = member.chain.key
    assert other not in (None, key)
    member.at(6, Phase.SCORE, job=2, key=other)
    round_(member, 1)
    round_(member, 2)
    assert {key, other} <= set(member.ring.made()), "both attempts are over one model"
    member.begin()
    round_(member, 3)
    assert {key, other} <= set(member.ring.made()), "after a restart too"
    member.at(6, Phase.OPEN, job=2, key=other, round_=2)
    round_(member, 4)
    assert not {key, other} & set(member.ring.made())


def test_deleted__not_while_another_job_of_the_account_needs_it(member: Member, decoded: None) -> None:
    member.look()
    key = member.chain.key
    member.at(1, Phase.SUBMIT, key=key)
    member.at(5, Phase.SCORE, job=2, key=key)
    member.look()
    member.at(1, Phase.OPEN, key=key)
    member.look()
    assert key in member.ring.made()
    member.at(5, Phase.COMPLETED, job=2, key=key)
    round_(member, 2)
    assert key not in member.ring.made()


def test_deleted__not_where_a_node_hides_a_cycle(member: Member, decoded: None) -> None:
    member.look()
    key = member.chain.key
    member.at(1, Phase.SUBMIT, key=key)
    member.at(5, Phase.SCORE, job=2, key=key)
    member.chain.told = [JobId(2)]
    member.look()
    member.at(1, Phase.OPEN, key=key)
    member.look()
    assert key in member.ring.made()


def test_not_rotating__the_accounts_own_key_is_announced_once(tmp_path: Path, decoded: None) -> None:
    member = Member(tmp_path, rotates=False)
    member.look()
    round_(member, 1)
    assert member.sent == [OWN_PUBLIC] and member.ring.made() == []


def test_not_rotating__a_strangers_key_is_replaced_and_one_of_the_ring_stays(tmp_path: Path) -> None:
    member = Member(tmp_path, rotates=False)
    member.chain.key = STRANGE
    with structlog.testing.capture_logs() as told:
        member.look()
    assert member.sent == [OWN_PUBLIC]
    assert [line["log_level"] for line in told] == ["warning"]
    member.begin()
    member.chain.key = member.ring.make()
    member.look()
    assert member.sent == [OWN_PUBLIC], "another daemon of the account rotates"


@pytest.mark.parametrize(("rotates", "said"), [(True, ROTATING), (False, FOREVER)])
def test_start__says_what_becomes_of_old_updates(tmp_path: Path, rotates: bool, said: str) -> None:
    with structlog.testing.capture_logs() as told:
        Member(tmp_path, rotates=rotates)
    assert [line["event"] for line in told] == [said]
