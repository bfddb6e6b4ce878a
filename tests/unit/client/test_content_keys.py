"""The content keys of a trainer's updates, after a job that publishes them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desks import JOB, ME, GivenJob, desk_of

from client.publish import ContentKeys
from hansa.protocol.content_keys import decode_keys
from hansa.protocol.errors import StoreUnavailable
from hansa.protocol.types import CycleId, Digest, Phase
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import Submitted
from hansa.runtime.store.local import LocalStore
from hansa.runtime.transactions.sender import Mined, Refused

KEY = b"\x07" * 32


def ended(path: Path, sent: list[Any]) -> tuple[Desk, Digest]:
    """A trainer's desk after a job of one cycle with its update in; its store's folder is `path`/store."""
    digest = Digest(b"\x01" * 32)
    cycle = SimpleNamespace(cycle=CycleId(3), seed=b"third", outcome=None, updates=(Submitted(ME, digest),))
    context = SimpleNamespace(spec=SimpleNamespace(publish_keys=True))
    follower = GivenJob(path, [cycle], context, deep=(CycleId(3), Phase.COMPLETED))
    follower.state = cast(Any, SimpleNamespace(cycle=CycleId(3), phase=Phase.COMPLETED))
    follower.federation = cast(Any, SimpleNamespace(publish_keys_call=lambda job, digest: digest))

    def send(call: Any, *key: Any) -> Mined:
        sent.append((call, *key))
        return Mined(cast(Any, {}))

    desk = desk_of(path, follower, send)
    desk.journal.remember((JOB, b"third", "update"), lambda: {"digest": digest, "key": KEY})
    return desk, digest


def test_content_keys__are_published_and_named_on_chain_once(tmp_path: Path) -> None:
    sent: list[Any] = []
    desk, digest = ended(tmp_path, sent)
    keys = ContentKeys(desk)
    assert keys.publish() and keys.publish()
    [(file, step)] = sent
    assert step == "keys"
    assert decode_keys(desk.follower.store.get(file, limit=1000, timeout=1)) == {digest: KEY}


def test_content_keys__while_the_store_fails__are_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    desk, _ = ended(tmp_path, sent)
    keys = ContentKeys(desk)

    def fail(self: LocalStore, data: bytes) -> Digest:
        raise StoreUnavailable("the store sleeps")

    with monkeypatch.context() as patched, pytest.raises(StoreUnavailable):
        patched.setattr(LocalStore, "put", fail)
        keys.publish()
    assert not sent
    assert keys.publish() and len(sent) == 1


def test_content_keys__that_nobody_sends__are_told_of__and_hold_no_pay_up(
    tmp_path: Path,
) -> None:
    desk, _ = ended(tmp_path, [])
    no_coin = Refused(ContractError("NoCoin", {"account": ME}), simulated=True)
    desk.send = lambda call, *key: no_coin  # type: ignore[method-assign]
    told: list[str] = []

    def warn(event: str, reason: str, file: str) -> None:
        told.append(f"{event}: {reason}")

    desk.log = cast(Any, SimpleNamespace(info=lambda *of, **more: None, warning=warn))
    assert ContentKeys(desk).publish()
    assert told == [f"content keys not published: {ME} has no coin, and no relay sends that"]
