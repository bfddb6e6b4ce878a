"""RELEASE of a member that has not the model that updates start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_release import KEYS, MEMBERS, PLACE, SECRETS, Member, cycle_of, put_updates

from hansa.protocol import release as files
from hansa.protocol.errors import HansaError, NotFound, SpoiltModel
from hansa.protocol.shared_verdict import LACKS
from hansa.protocol.types import Seat


@pytest.mark.parametrize("error", [NotFound("model 3"), SpoiltModel("model 3")])
def test_release__without_the_model__lacks_every_update_and_is_not_absent(tmp_path: Path, error: HansaError) -> None:
    """Whoever keeps a model back would have every honest member's stake burnt where RELEASE lapses."""
    one = Member(tmp_path, 0)
    put_updates(one)

    def fail() -> Any:
        raise error

    one.follower.base = fail  # type: ignore[method-assign]
    if not isinstance(error, SpoiltModel):
        one.release()
        assert one.sent == [] and one.desk.alarm.awaited == 70
    one.now = 70
    one.release()
    [(step, seat, digest)] = one.sent
    assert (step, seat) == ("release", 0)
    ctx = files.context(PLACE, MEMBERS[0], cycle_of().updates_acc)
    assert files.read(one.desk.journal.blob(digest), ctx, Seat(1), SECRETS[1], KEYS, 2) == (LACKS, LACKS)
