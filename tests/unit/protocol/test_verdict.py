"""A member's verdict on what a trainer sent: hostile bytes of every kind, and retries of failed cycles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hansa.protocol import envelope, tensors
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.model import Update, initial_model
from hansa.protocol.types import Address, Code, CycleId, JobId, Place, Seat
from hansa.protocol.verdict import Attempt, CycleKeys, Judged, judge, mark_duplicates, retried_place
from hansa.runtime.store.local import LocalStore

CHAIN, JOB, CYCLE, FAILED = 31337, JobId(7), CycleId(2**40 + 2), CycleId(2**40)
FEDERATION, ALICE, BOB = (Address("0x" + digits * 20) for digits in ("fe", "a1", "b0"))
SECRETS = [bytes([seat + 1]) * 32 for seat in range(3)]
KEYS = tuple(envelope.public_key(secret) for secret in SECRETS)
KEY, OTHER_KEY = b"\x07" * 32, b"\x08" * 32
MODEL = initial_model({"b": np.zeros(2, np.float32), "w": np.ones((3, 2), np.float32)}, 8)
BASE = digest_of(MODEL.encode())
VALUES = {"b": np.array([1, -2], np.int8), "w": np.array([[3, 4], [-127, 127], [0, 5]], np.int8)}


def opening(seat: int = 0, keys: tuple[bytes | None, ...] = KEYS) -> CycleKeys:
    return CycleKeys(Place(CHAIN, FEDERATION, JOB, CYCLE), BASE, MODEL, keys, Seat(seat), SECRETS[seat])


def update(values: dict[str, np.ndarray] = VALUES, **changes: object) -> Update:
    return replace(Update(values, JOB, CYCLE, ALICE), **changes)  # type: ignore[arg-type]


def sealed(data: bytes, *, cycle: CycleId = CYCLE, trainer: Address = ALICE, key: bytes = KEY) -> bytes:
    ctx = envelope.context(Place(CHAIN, FEDERATION, JOB, cycle), trainer, BASE)
    return envelope.seal(data, key, ctx, KEYS)


def by_every_seat(data: bytes, trainer: Address = ALICE) -> set[Code]:
    return {judge(data, trainer, opening(seat)).code for seat in range(len(KEYS))}


def test_judge__good_update__is_ok_for_every_member() -> None:
    assert by_every_seat(sealed(update().encode())) == {Code.OK}
    read = judge(sealed(update().encode()), ALICE, opening()).update
    assert read is not None and np.array_equal(read.tensors["w"], VALUES["w"])


def test_judge__zeros() -> None:
    assert by_every_seat(sealed(update({n: np.zeros_like(v) for n, v in VALUES.items()}).encode())) == {Code.ZERO}


MALFORMED: dict[str, Callable[[], bytes]] = {
    "another's envelope": lambda: sealed(update(trainer=BOB).encode(), trainer=BOB),
    "another's update in an envelope of its own": lambda: sealed(update(trainer=BOB).encode()),
    "an envelope of another cycle": lambda: sealed(update(cycle=FAILED).encode(), cycle=FAILED),
    "an update of another cycle": lambda: sealed(update(cycle=FAILED).encode()),
    "an update of another job": lambda: sealed(update(job=8).encode()),
    "a tensor of another shape": lambda: sealed(update({**VALUES, "w": VALUES["w"].T.copy()}).encode()),
    "a tensor too few": lambda: sealed(update({"b": VALUES["b"]}).encode()),
    "a tensor too many": lambda: sealed(update({**VALUES, "x": VALUES["b"]}).encode()),
    "a number out of range": lambda: sealed(update({**VALUES, "b": np.array([-128, 1], np.int8)}).encode()),
    "int16 where int8 is asked for": lambda: sealed(
        update({n: v.astype(np.int16) for n, v in VALUES.items()}).encode()
    ),
    "floats": lambda: sealed(
        tensors.encode(
            {n: v.astype(np.float32) for n, v in VALUES.items()},
            {"cycle": str(CYCLE), "job": str(JOB), "trainer": ALICE},
        )
    ),
    "metadata more than asked for": lambda: sealed(
        tensors.encode(VALUES, {"cycle": str(CYCLE), "job": str(JOB), "trainer": ALICE, "x": "y"})
    ),
    "half of a retry": lambda: sealed(
        tensors.encode(VALUES, {"cycle": str(CYCLE), "job": str(JOB), "trainer": ALICE, "retry_key": "00" * 32})
    ),
    "a byte after the update": lambda: sealed(update().encode() + b" "),
    "a byte after the envelope": lambda: sealed(update().encode()) + b" ",
    "a pickle": lambda: sealed(b"\x80\x04cos\nsystem\n(S'false'\ntR."),
    "nothing sealed": lambda: sealed(b""),
    "nothing": lambda: b"",
    "an update that is not sealed": lambda: update().encode(),
    "noise": lambda: bytes(range(256)) * 9,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_judge__malformed__for_every_member_alike(name: str) -> None:
    assert by_every_seat(MALFORMED[name]()) == {Code.MALFORMED}


@pytest.mark.parametrize("seat", range(3))
def test_judge__one_wrong_box__is_malformed_for_every_member(seat: int) -> None:
    data = bytearray(sealed(update().encode()))
    data[6 + 1 + 192 + 32 + 32 + 48 * seat + 5] ^= 1
    assert by_every_seat(bytes(data)) == {Code.MALFORMED}


def test_judge__any_byte_changed__is_malformed_for_every_member() -> None:
    good = sealed(update().encode())
    for place in range(0, len(good), 17):
        data = bytearray(good)
        data[place] ^= 0x40
        assert by_every_seat(bytes(data)) == {Code.MALFORMED}, place


@pytest.mark.parametrize("known", [None, KEYS[1]], ids=["no key announced", "another key in force"])
def test_judge__member_without_a_usable_key__can_say_nothing_of_the_trainer(known: bytes | None) -> None:
    for data in (sealed(update().encode()), b"noise"):
        assert judge(data, ALICE, opening(0, (known, *KEYS[1:]))).code == Code.UNREACHABLE


# --- retries


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def attempt(store: LocalStore, values: dict[str, np.ndarray] = VALUES, place: int = 4, **changes: object) -> Attempt:
    """Alice's update of the failed cycle, published."""
    digest = store.put(sealed(update(values, cycle=FAILED).encode(), cycle=FAILED))
    return replace(Attempt(ALICE, digest, FAILED, KEYS, place), **changes)  # type: ignore[arg-type]


def place_of(store: LocalStore, made: Attempt, sent: Update | None = None, limit: int = 10_000) -> int | None:
    retry = sent or update(retry_cid=to_cid(made.digest), retry_key=KEY)
    return retried_place(retry, [made], opening(), lambda digest: store.get(digest, limit=limit, timeout=5))


def test_retry__same_integers__keeps_its_place(store: LocalStore) -> None:
    assert place_of(store, attempt(store)) == 4


def test_retry__not_said_to_be_one__has_no_place(store: LocalStore) -> None:
    assert place_of(store, attempt(store), update()) is None


def test_retry__one_integer_differs__has_no_place(store: LocalStore) -> None:
    assert place_of(store, attempt(store, {**VALUES, "b": np.array([1, -3], np.int8)})) is None


def test_retry__wrong_key__has_no_place(store: LocalStore) -> None:
    made = attempt(store)
    assert place_of(store, made, update(retry_cid=to_cid(made.digest), retry_key=OTHER_KEY)) is None


def test_retry__of_what_another_sent__has_no_place(store: LocalStore) -> None:
    assert place_of(store, attempt(store, trainer=BOB)) is None


def test_retry__of_what_was_never_submitted__has_no_place(store: LocalStore) -> None:
    made = attempt(store)
    assert (
        retried_place(
            update(retry_cid=to_cid(made.digest), retry_key=KEY),
            [],
            opening(),
            lambda digest: store.get(digest, limit=10_000, timeout=5),
        )
        is None
    )


def test_retry__bytes_are_gone_or_too_large__has_no_place(store: LocalStore, tmp_path: Path) -> None:
    made = attempt(store)
    assert place_of(store, made, limit=100) is None
    assert place_of(LocalStore(tmp_path / "empty"), made) is None


def test_retry__cid_is_none__is_malformed_before_anything_is_fetched() -> None:
    assert by_every_seat(sealed(update(retry_cid="Qm", retry_key=KEY).encode())) == {Code.MALFORMED}


# --- duplicates


MANY = {"b": np.array([12, -34], np.int8), "w": np.arange(-20, 100, 8, np.int8).reshape(5, 3)}
DIFFERENT = {"b": np.array([100, 90], np.int8), "w": np.full((5, 3), -30, np.int8)}


def judged(scale: int = 1, *, code: Code = Code.OK, values: dict[str, np.ndarray] = MANY) -> Judged:
    return Judged(code, update({name: (array // scale).astype(np.int8) for name, array in values.items()}), "")


def codes(items: list[Judged], places: dict[int, int] | None = None) -> list[Code]:
    return [item.code for item in mark_duplicates(items, places or {}, MODEL.k)]


def test_duplicates__later_one_is_it() -> None:
    assert codes([judged(), judged(2), judged(values=DIFFERENT)]) == [Code.OK, Code.DUPLICATE, Code.OK]


def test_duplicates__each__says_of_which_and_how_alike() -> None:
    marked = mark_duplicates([judged(values=DIFFERENT), judged(), judged(2)], {}, MODEL.k)
    assert [item.repeats for item in marked[:2]] == [None, None]
    assert marked[2].repeats is not None and marked[2].repeats.place == 1
    assert 0.99 < marked[2].repeats.cosine / 10**9 <= 1


def test_duplicates__of_one_that_is_not_ok__are_none() -> None:
    assert codes([judged(code=Code.MALFORMED), judged()]) == [Code.MALFORMED, Code.OK]


def test_duplicates__a_retry_comes_before_what_is_new() -> None:
    assert codes([judged(), judged()], {1: 9}) == [Code.DUPLICATE, Code.OK]


def test_duplicates__retries_stand_as_their_attempts_stood() -> None:
    assert codes([judged(), judged()], {0: 5, 1: 2}) == [Code.DUPLICATE, Code.OK]
    assert codes([judged(), judged()], {0: 2, 1: 5}) == [Code.OK, Code.DUPLICATE]
