"""How daemons of a federation on one machine begin."""

from __future__ import annotations

import pytest

from hansa.devnet import roles
from hansa.protocol.errors import FatalError, StoreUnavailable, WrongBytes


def test_begun__while_store_or_chain_fail__tries_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(roles.time, "sleep", pauses.append)
    errors = [StoreUnavailable("the store sleeps"), WrongBytes("the store gave other bytes")]

    def make() -> str:
        if errors:
            raise errors.pop(0)
        return "a daemon"

    assert roles.begun(make) == "a daemon"
    assert len(pauses) == 2 and all(0 < pause < 2 for pause in pauses)
    assert capsys.readouterr().err.count("will try again") == 2


def test_begun__what_no_other_try_cures__ends_it() -> None:
    def make() -> None:
        raise FatalError("the key is another's")

    with pytest.raises(FatalError):
        roles.begun(make)
