"""Whether a trainer is still admitted, asked once a block, and told once a change."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desks import GivenJob, desk_of
from structlog.testing import capture_logs

from client.standing import Standing
from hansa.protocol.errors import FatalError


class Admission:
    """What the admission says, and how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.says, self.asked, self.cause = True, 0, "it is revoked"
        monkeypatch.setattr("client.standing.admits", self.admits)
        monkeypatch.setattr("client.standing.refusal", lambda *of: FatalError("job 1", cause=self.cause))

    def admits(self, *of: Any, at: Any) -> bool:
        self.asked += 1
        return self.says


def standing(path: Path, recheck: bool) -> tuple[Standing, GivenJob]:
    follower = GivenJob(path, context=SimpleNamespace(terms=SimpleNamespace(recheck_admission=recheck)))
    follower.head = cast(Any, SimpleNamespace(hash=b"1"))
    return Standing(desk_of(path, follower)), follower


def test_standing__where_the_terms_do_not_ask_again__is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = Admission(monkeypatch)
    admission.says = False
    assert standing(tmp_path, recheck=False)[0].is_admitted() and not admission.asked


def test_standing__is_asked_once_a_block_and_told_once_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = Admission(monkeypatch)
    found, follower = standing(tmp_path, recheck=True)
    with capture_logs() as told:
        for number, says in enumerate((True, False, False, True)):
            follower.head = cast(Any, SimpleNamespace(hash=bytes([number])))
            admission.says = says
            assert [found.is_admitted(), found.is_admitted()] == [says, says]
        assert admission.asked == 4
    assert [line["event"] for line in told] == ["not admitted any more", "admitted again"]
    assert told[0]["reason"] == "job 1: it is revoked"


def test_standing__another_reason__is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(monkeypatch)
    admission.says = False
    found, follower = standing(tmp_path, recheck=True)
    with capture_logs() as told:
        for number, cause in enumerate(("it is revoked", "it has expired")):
            follower.head, admission.cause = cast(Any, SimpleNamespace(hash=bytes([number]))), cause
            assert not found.is_admitted()
    assert len(told) == 2
