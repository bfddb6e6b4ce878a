"""Two daemons of one account, in turn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hansa.protocol.errors import ChainUnavailable
from hansa.runtime.pair import Pair


class Fake:
    """A daemon that does what it is told to, call by call."""

    def __init__(self, *says: Any) -> None:
        self.says, self.failures, self.closed = list(says), 0, 0
        self.desk = SimpleNamespace(sender=SimpleNamespace(peers=()))
        self.pause = 1.0

    def once(self) -> bool:
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return bool(said)

    def note_failure(self, error: Exception, failures: int) -> float:
        self.failures = failures
        return 60.0

    def close(self) -> None:
        self.closed += 1


def pair_of(*daemons: Any) -> Pair:
    return Pair(list(daemons))


def test_pair__ends_when_both_are_done():
    one, other = Fake(False, True, True), Fake(True, False, True)
    pair = pair_of(one, other)
    assert [pair.once() for _ in range(3)] == [False, False, True]


def test_pair__knows_of_each_others_transactions():
    one, other = Fake(), Fake()
    pair_of(one, other)
    assert one.desk.sender.peers == other.desk.sender.peers == [one.desk.sender, other.desk.sender]


def test_pair__failure_of_one__leaves_the_other_alone():
    one, other = Fake(ChainUnavailable("no chain")), Fake(True, True)
    pair = pair_of(one, other)
    assert [pair.once(), pair.once()] == [False, False]
    assert (one.failures, other.says) == (1, []), "one rests, the other goes on"


def test_pair__closes_both():
    one, other = Fake(), Fake()
    pair_of(one, other).close()
    assert (one.closed, other.closed) == (1, 1)
