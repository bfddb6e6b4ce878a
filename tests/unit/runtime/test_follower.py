"""How a job is followed: what is asked again, and what is not needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from desks import GivenJob

from hansa.protocol.errors import HistoryMismatch
from hansa.runtime import follower as module
from hansa.runtime.history.records import JobHistory


class Mixing(GivenJob):
    """Its node mixes blocks so many times."""

    mixed = 0
    looks = 0

    def look(self) -> None:  # type: ignore[override]
        self.looks += 1

    def history(self) -> JobHistory:
        if self.looks <= self.mixed:
            raise HistoryMismatch("the job moved on while it was read")
        return super().history()


@pytest.mark.parametrize(("mixed", "looks"), [(0, 1), (4, 5), (9, 5)])
def test_read__a_node_that_mixes_blocks__is_asked_again_a_few_times(
    mixed: int, looks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_PAUSE", 0.0)
    follower = Mixing(tmp_path)
    follower.mixed = mixed
    if mixed < looks:
        assert follower.read().cycles == ()
    else:
        with pytest.raises(HistoryMismatch):
            follower.read()
    assert follower.looks == looks
