"""What a daemon keeps, does without, and says at its start."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from desks import GivenJob, desk_of
from nodes import chain_of

from aggregator import serve
from aggregator import validator as validators
from aggregator.validator import Validator
from client import publish
from hansa.cli import daemon_options
from hansa.cli.wallet.claim import ClaimedView, show
from hansa.cli.wallet.owed import OwedView
from hansa.protocol.cid import digest_of
from hansa.protocol.errors import ChainUnavailable, FatalError, Malformed, SpoiltModel, WrongChain
from hansa.protocol.types import Address, CycleId, JobId, Phase, Round
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import Finalized
from hansa.runtime.model_chain import Abstention, ModelChain
from hansa.runtime.store.kubo import KuboStore
from hansa.runtime.store.local import LocalStore

FIRST = digest_of(b"model 0")


def finalized(round_: int) -> Finalized:
    return Finalized(
        Round(round_), digest_of(f"model {round_}".encode()), bytes(32), 0, 1, bytes(32), *cast(Any, (9, 5))
    )


def desk_after(path: Path, cycles: int) -> Desk:
    """After so many finalised cycles and in one more."""
    done = [SimpleNamespace(cycle=CycleId(n), seed=b"seed %d" % n, outcome=finalized(n)) for n in range(1, cycles + 1)]
    open_now = SimpleNamespace(cycle=CycleId(cycles + 1), seed=b"seed %d" % (cycles + 1), outcome=None)
    context = SimpleNamespace(terms=SimpleNamespace(model=FIRST))
    return desk_of(path, GivenJob(path, [*done, open_now], context))


def test_trainers_journal__does_not_grow_with_the_rounds_and_keeps_every_content_key(tmp_path: Path) -> None:
    rounds = 6
    desk = desk_after(tmp_path, rounds)
    journal = desk.journal
    bases = [FIRST, *(finalized(number).model for number in range(1, rounds + 1))]
    blobs = []
    for number, base in enumerate(bases, 1):
        integers, update = journal.put_blob(b"integers %d" % number), journal.put_blob(b"update %d" % number)
        journal.remember((1, "integers", base), lambda found=integers: {"integers": found})  # type: ignore[misc]
        journal.remember((1, b"seed %d" % number, "update"), lambda found=update: {"digest": found, "key": bytes(32)})  # type: ignore[misc]
        blobs.append((integers, update))
    before = journal.size()
    desk.tidy(CycleId(rounds + 1), publish.files_needed(desk))
    held = [(journal.has_blob(integers), journal.has_blob(update)) for integers, update in blobs]
    assert held == [(False, False)] * 5 + [(True, True)] * 2
    assert journal.size() < before
    known = [journal.recall((1, b"seed %d" % number, "update")) for number in range(1, rounds + 2)]
    assert all(entry is not None and entry["key"] == bytes(32) for entry in known)


def test_trainers_journal__keeps_the_integers_that_a_retry_sends_again(tmp_path: Path) -> None:
    desk = desk_after(tmp_path, 0)
    integers = desk.journal.put_blob(b"integers")
    desk.journal.remember((1, "integers", FIRST), lambda: {"integers": integers})
    failed = [SimpleNamespace(cycle=CycleId(number), seed=b"seed", outcome=None) for number in range(1, 5)]
    cast(GivenJob, desk.follower).cycles = failed
    desk.tidy(CycleId(4), publish.files_needed(desk))
    assert desk.journal.has_blob(integers)


def test_store__need_not_keep_updates_of_old_rounds__where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = [1, 2, 2, 3, 4, 5]  # the second in two cycles
    updates = [[SimpleNamespace(digest=digest_of(b"%d %d" % (n, place))) for place in range(2)] for n in range(6)]
    cycles = [SimpleNamespace(round=round_, updates=updates[n], cycle=CycleId(n)) for n, round_ in enumerate(rounds)]
    unpinned: list[bytes] = []
    monkeypatch.setattr(LocalStore, "unpin", lambda store, digest: unpinned.append(digest))
    desk = desk_of(tmp_path, GivenJob(tmp_path, cycles))
    desk.tidy(CycleId(5), set())
    assert unpinned == [], "all are kept by default"
    desk.keep_updates = 2
    desk.tidy(CycleId(6), set())
    assert unpinned == [update.digest for each in updates[:3] for update in each], "rounds 1 and 2"
    desk.tidy(CycleId(7), set())
    assert len(unpinned) == 6, "once"


def test_members_journal__keeps_its_last_models(tmp_path: Path) -> None:
    desk = desk_after(tmp_path, 5)
    models = [desk.journal.put_blob(f"model {number}".encode()) for number in range(1, 6)]
    failed = desk.journal.put_blob(b"the model of a cycle that failed")
    desk.tidy(CycleId(6), serve.files_needed(desk))
    assert [desk.journal.has_blob(model) for model in models] == [False, False, False, True, True]
    assert not desk.journal.has_blob(failed)


def test_tidy__once_a_cycle(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.tidy(CycleId(1), set())
    digest = desk.journal.put_blob(b"made in this cycle")
    desk.tidy(CycleId(1), set())
    assert desk.journal.has_blob(digest)


def test_models__one_that_a_committee_voted_and_nobody_can_use__is_told_from_the_sponsors(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    junk = store.put(b"no model")
    chain = ModelChain(store, JobId(1), junk, 1000)
    with pytest.raises(SpoiltModel, match="model 2 of job 1"):
        chain.load(junk, Round(2))
    with pytest.raises(Malformed) as caught:
        chain.load(junk, Round(0))
    assert not isinstance(caught.value, SpoiltModel), "before a bond is paid a bad model ends the daemon"


def test_spoilt_model__is_said_once_a_round_and_ends_nothing() -> None:
    with structlog.testing.capture_logs() as told:
        abstention = Abstention(structlog.get_logger())
        for round_ in (2, 2, 3):
            with abstention.if_spoilt(Round(round_)):
                raise SpoiltModel("model 1 of job 1 can't be used")
    assert [line["log_level"] for line in told] == ["error", "error"]


class Enrolling(GivenJob):
    def look(self) -> Any:
        return SimpleNamespace(phase=Phase.ENROL, seat_of=lambda member: None)


def test_member__whose_validation_rows_cannot_be_read__says_so_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(seat: int, seats: int) -> None:
        raise OSError("rows.csv is gone")

    context = SimpleNamespace(
        spec=SimpleNamespace(task="mine", model_bytes=1, validation="dealt"),
        terms=SimpleNamespace(seats=3, model=FIRST),
        check_allowed=lambda *asked: None,
        check_claim_time=lambda least: None,
    )
    desk = desk_of(tmp_path, Enrolling(tmp_path, context=context))
    monkeypatch.setattr(Desk, "open", lambda *asked: desk)
    task = SimpleNamespace(validation=broken, model=dict)
    monkeypatch.setattr(validators, "load_task_of", lambda *args, **options: task)
    config = SimpleNamespace(
        deployment=SimpleNamespace(allowed=SimpleNamespace(tasks=[])),
        allow=(),
        task_file=None,
        device="cpu",
        threads=None,
        min_claim=0,
        max_bytes=1,
        keep_models=None,
        validation=None,
    )
    with pytest.raises(FatalError, match=r"reading the validation rows of seat 0.*rows\.csv is gone"):
        Validator(cast(Any, config))


# --- a chain that is not there yet


def test_await_chain__waits_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks: list[int] = []

    def head() -> None:
        looks.append(1)
        if len(looks) < 4:
            raise ChainUnavailable("http://127.0.0.1:1 does not answer")

    monkeypatch.setattr(daemon_options.time, "sleep", lambda seconds: None)
    daemon_options.await_chain(cast(Any, SimpleNamespace(chain=SimpleNamespace(head=head))))
    assert len(looks) == 4
    assert capsys.readouterr().err.count("does not answer") == 1


@pytest.mark.parametrize(
    ("answer", "error"), [({"eth_chainId": "0x2"}, WrongChain), ({"eth_chainId": "nonsense"}, ChainUnavailable)]
)
def test_await_chain__another_chain_or_nonsense__ends_at_once(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, str], error: type[Exception]
) -> None:
    monkeypatch.setattr(daemon_options.time, "sleep", lambda seconds: pytest.fail("it waited"))
    chain = chain_of(lambda method, params: answer.get(method))
    with pytest.raises(error):
        daemon_options.await_chain(cast(Any, SimpleNamespace(chain=chain)))


def test_await_store__of_a_node_that_is_down__waits_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    node, pauses = KuboStore("/ip4/127.0.0.1/tcp/1"), list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            monkeypatch.setattr(node, "has", lambda digest: False)  # it has started; the spec is still elsewhere

    monkeypatch.setattr(daemon_options.time, "sleep", pause)
    federation = SimpleNamespace(terms=lambda job: SimpleNamespace(spec=digest_of(b"spec")))
    daemon_options.await_store(cast(Any, SimpleNamespace(federation=federation, store=node)), 1)
    assert len(pauses) == 3
    assert capsys.readouterr().err.count("no Kubo node answers at /ip4/127.0.0.1/tcp/1") == 1


# --- a claim in a lapsed phase


@pytest.mark.parametrize(("phase", "told"), [("LAPSED", True), ("SCORE", False)])
def test_claim__in_a_lapsed_phase__says_what_helps(phase: str, told: bool) -> None:
    said: list[str] = []
    row = OwedView(7, phase, Address("0x"), 0, [], 0, 0, 0, {}, expired=False, misvoted_rounds=[])
    session = SimpleNamespace(token=lambda address: SimpleNamespace(text=str))
    view = ClaimedView(Address("0xa"), [row], 0, [])
    show(cast(Any, SimpleNamespace(print=said.append)), view, cast(Any, session), {})
    assert any("hansa job stop 7" in line for line in said) is told
