"""A member's inbox, its measurements, kept models and ledgers, against those who would spoil them."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import structlog

from aggregator import measure as measuring
from aggregator.inbox import Inbox
from aggregator.passes import FETCHES
from hansa.protocol import envelope
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import SpoiltModel, StoreUnavailable
from hansa.protocol.model import Model, Update, initial_model
from hansa.protocol.tally import Judgement
from hansa.protocol.types import Address, Code, CycleId, Digest, JobId, Place, Round, Seat
from hansa.protocol.verdict import CycleKeys
from hansa.runtime.model_chain import ModelChain
from hansa.runtime.store.local import LocalStore

JOB, CYCLE = JobId(7), CycleId(2**40 + 2)
PLACE = Place(31337, Address("0x" + "fe" * 20), JOB, CYCLE)
SECRET = b"\x01" * 32
KEYS = (envelope.public_key(SECRET),)
MODEL = initial_model({"w": np.ones(4, np.float32)}, 8)
BASE = digest_of(MODEL.encode())
CYCLE_KEYS = CycleKeys(PLACE, BASE, MODEL, KEYS, Seat(0), SECRET)


def trainer(index: int) -> Address:
    return Address("0x" + f"{index + 1:040x}")


def sealed(index: int, values: list[int]) -> bytes:
    data = Update({"w": np.array(values, np.int8)}, JOB, CYCLE, trainer(index)).encode()
    ctx = envelope.context(PLACE, trainer(index), BASE)
    return envelope.seal(data, bytes([index]) * 32, ctx, KEYS)


def inbox_of(store: Any, digests: list[Digest]) -> Inbox:
    updates = tuple(SimpleNamespace(trainer=trainer(i), digest=digest) for i, digest in enumerate(digests))
    return Inbox(cast(Any, SimpleNamespace(updates=updates)), CYCLE_KEYS, store, 10_000, structlog.stdlib.get_logger())


class SlowStore(LocalStore):
    """Answers once as many ask as may ask at a time; its clock is a second later then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.seconds = 0.0
        self.asked: list[Digest] = []
        self._all = threading.Barrier(FETCHES, action=self._pass, timeout=60)

    def _pass(self) -> None:
        self.seconds += 1

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        self.asked.append(digest)
        self._all.wait()
        return super().get(digest, limit=limit, timeout=timeout)


def test_fetch__many_that_never_come__hold_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SlowStore(tmp_path)
    monkeypatch.setattr("aggregator.passes.PASS_SECONDS", 1.5)
    monkeypatch.setattr("aggregator.passes.time", SimpleNamespace(monotonic=lambda: store.seconds))
    missing = 5 * FETCHES - 1
    digests = [Digest(bytes([i + 1]) * 32) for i in range(missing)] + [store.put(sealed(missing, [1, 2, 3, 4]))]
    inbox = inbox_of(store, digests)
    assert not inbox.fetch()
    assert set(store.asked) == set(digests[: 2 * FETCHES]), "in a pass of a second and a half, two of a second"
    for _ in range(2):
        assert not inbox.fetch()
    assert set(store.asked) == set(digests), "those asked for least often come first"
    codes = [item.code for item in inbox.verdicts([])]
    assert codes == [Code.UNREACHABLE] * missing + [Code.OK]


def test_counted__an_update_of_zeros_called_ok__is_not_voted_for(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    inbox = inbox_of(store, [store.put(sealed(0, [0, 0, 0, 0])), store.put(sealed(1, [1, 2, 3, 4]))])
    assert inbox.fetch()
    ledger = SimpleNamespace(judgements=[Judgement(Code.OK), Judgement(Code.OK)])
    assert inbox.counted(cast(Any, ledger)) is None
    ledger = SimpleNamespace(judgements=[Judgement(Code.ZERO), Judgement(Code.OK)])
    counted = inbox.counted(cast(Any, ledger))
    assert counted is not None and list(counted) == [1]


@pytest.mark.parametrize("slopes", [(np.inf, -np.inf), (1e308, 1e308), (np.nan, 1.0)])
def test_measure__slopes_that_are_not_finite__are_worth_nothing(slopes: tuple[float, float]) -> None:
    model = initial_model({"a": np.ones(2, np.float32), "b": np.ones(2, np.float32)}, 8)
    gradient = {name: np.full(2, slope) for name, slope in zip("ab", slopes, strict=True)}
    task = SimpleNamespace(gradient=lambda params, data: (0.0, gradient))
    updates = [{"a": np.array([127, 127], np.int8), "b": np.array([127, 127], np.int8)}]
    with np.errstate(all="ignore"):
        found = measuring.measure(cast(Any, task), cast(Any, None), model, [], updates, [1])
    assert found == [measuring.Measurement(0, 0, finite=False)]


class Pins(LocalStore):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.held: set[Digest] = set()

    def pin(self, digest: Digest) -> None:
        self.held.add(digest)

    def unpin(self, digest: Digest) -> None:
        self.held.discard(digest)


@pytest.mark.parametrize(
    ("keep", "expected"), [(1, {0, 6}), (3, {0, 4, 5, 6}), (5, {0, 2, 3, 4, 5, 6}), (None, set(range(7)))]
)
def test_models__as_many_as_asked_for_stay_pinned(tmp_path: Path, keep: int | None, expected: set[int]) -> None:
    store = Pins(tmp_path)
    digests = [store.put(MODEL.encode())]
    for number in range(1, 7):
        model = Model({"w": np.full(4, number, np.float32)}, JOB, number, digests[-1], 8, (8,))
        digests.append(store.put(model.encode()))
    models = ModelChain(store, JOB, digests[0], 10_000, keep)
    models.follow(digests[1:])
    for number, digest in enumerate(digests):
        model = models.load(digest, Round(number))
        assert models.load(digest, Round(number)) is model
        models.previous(model)
    assert {digests.index(digest) for digest in store.held} == expected


def chain_of(store: LocalStore, count: int) -> list[Digest]:
    digests = [store.put(MODEL.encode())]
    for number in range(1, count + 1):
        model = Model({"w": np.full(4, number, np.float32)}, JOB, number, digests[-1], 8, (8,))
        digests.append(store.put(model.encode()))
    return digests


def test_models__earlier__are_the_last_three_and_the_first(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digests = chain_of(store, 6)
    models = ModelChain(store, JOB, digests[0], 10_000, 3)
    models.follow(digests[1:])
    loaded = [models.load(digest, Round(number)) for number, digest in enumerate(digests)]
    shown = [[before.round for before in models.earlier(model)] for model in loaded]
    assert shown == [[], [0], [1, 0], [2, 1, 0], [3, 2, 1, 0], [4, 3, 2, 0], [5, 4, 3, 0]]


def test_models__of_who_needs_the_newest_alone__are_held_one_at_a_time(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digests = chain_of(store, 2)
    models = ModelChain(store, JOB, digests[0], 10_000, 3)
    models.cached = 1
    models.follow(digests[1:])
    loaded = [models.load(digest, Round(number)) for number, digest in enumerate(digests)]
    assert models.load(digests[2], Round(2)) is loaded[2]
    again = models.load(digests[0], Round(0))
    assert again is not loaded[0] and again.encode() == loaded[0].encode()


def test_models__one_that_follows_another_than_the_chains__is_spoilt(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digests = chain_of(store, 2)
    stray = store.put(Model({"w": np.full(4, 9, np.float32)}, JOB, 1, digests[0], 8, (8,)).encode())
    voted = store.put(Model({"w": np.full(4, 3, np.float32)}, JOB, 2, stray, 8, (8,)).encode())
    models = ModelChain(store, JOB, digests[0], 10_000, 3)
    models.follow([digests[1], voted])
    with pytest.raises(SpoiltModel) as caught:
        models.load(voted, Round(2))
    assert f"does not follow model 1 of the job, {to_cid(digests[1])}" in str(caught.value)
    models.follow(digests[1:])
    assert models.load(digests[2], Round(2)).parent == digests[1]
    models.follow([stray, digests[2]])
    with pytest.raises(SpoiltModel, match="model 2"):
        models.load(digests[2], Round(2))  # though it is held from before the reorganisation


@pytest.mark.parametrize(("lost", "shown"), [([0], [3, 2, 1]), ([1, 2], [3, 0]), ([0, 1, 2], [3])])
def test_models__older_ones_out_of_reach__the_last_one_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: list[int], shown: list[int]
) -> None:
    store = LocalStore(tmp_path)
    digests = chain_of(store, 4)
    restarted = ModelChain(store, JOB, digests[0], 10_000, 3)
    restarted.follow(digests[1:])
    newest, real = restarted.load(digests[4], Round(4)), store.get

    def get(digest: Digest, **options: Any) -> bytes:
        if digest in [digests[number] for number in lost]:
            raise StoreUnavailable("store")
        return real(digest, **options)

    monkeypatch.setattr(store, "get", get)
    assert [before.round for before in restarted.earlier(newest)] == shown


def test_measure__along_what_earlier_models_show__is_no_news() -> None:
    def at(x: float, y: float) -> Model:
        return initial_model({"w": np.array([x, y, 0], np.float32)}, 8)

    slope = {"w": np.array([-1.0, -1.0, -1.0])}
    task = SimpleNamespace(gradient=lambda params, data: (0.0, slope))
    updates = [{"w": np.array(row, np.int8)} for row in ([100, 0, 0], [0, 100, 0], [0, 0, 100])]
    model, previous, first = at(1, 1), at(0, 1), at(0, 0)

    def news(earlier: list[Model]) -> list[bool]:
        found = measuring.measure(cast(Any, task), cast(Any, None), model, earlier, updates, [1, 1, 1])
        assert all(each.gain > 0 and each.news in (0, each.gain) for each in found)
        return [each.news > 0 for each in found]

    assert news([]) == [True, True, True]
    assert news([previous]) == [False, True, True]
    assert news([previous, first]) == [False, False, True]
    assert news([previous, previous]) == [False, True, True], "the same way twice"
