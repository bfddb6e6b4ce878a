"""One look at a job is one request, and tells what asking step by step tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from proxies import Proxy, failing, over
from worlds import World

from hansa.protocol.types import JobId, Phase
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.rpc import Request
from hansa.runtime.follower import JobFollower
from hansa.runtime.store import open_store


class Followed:
    """A job that alice follows through a node of one's own; `asked`: its requests, each a list of methods."""

    def __init__(self, world: World, node: Proxy, job: JobId, monkeypatch: pytest.MonkeyPatch) -> None:
        chain = over(world, node.url)
        self.world, self.node, self.job = world, node, job
        self.federation = Federation(chain, world.deployment)
        self.follower = JobFollower(self.federation, open_store(world.deployment.store), job)
        self.follower.trainer = self.follower.member = world.address("alice")
        self.asked: list[list[str]] = []
        self.follower.look()
        self.follower.history()
        (endpoint,), ask = chain.rpc.endpoints, chain.rpc.endpoints[0].ask

        def counted(batch: Sequence[Request]) -> list[Any]:
            self.asked.append([method for method, _ in batch])
            return ask(batch)

        monkeypatch.setattr(endpoint, "ask", counted)

    def look(self) -> int:
        """How many requests a look takes, with the history; it tells what the contracts say at its head."""
        self.asked.clear()
        follower, alice = self.follower, self.world.address("alice")
        state = follower.look()
        history = follower.history()
        took = len(self.asked)
        world = self.world.federation
        assert state == world.state(self.job, follower.head)
        assert follower.own == world.trainer(self.job, alice, follower.head)
        assert follower.key == world.announced_key(alice, follower.head)
        assert len(history.cycles) == (state.cycle != 0)
        assert sum(len(cycle.updates) for cycle in history.cycles) == state.submitted
        return took


@pytest.fixture
def followed(world: World, node: Proxy, monkeypatch: pytest.MonkeyPatch) -> Followed:
    job = world.post(submit_time=300)
    world.enrol(job)
    return Followed(world, node, job, monkeypatch)


def test_look__is_one_request__whatever_happened_since(followed: Followed) -> None:
    world, job = followed.world, followed.job
    world.do("sponsor", world.federation.open_call(job))
    assert followed.look() == 1
    world.do("alice", world.federation.announce_key_call(b"\x07" * 32))
    world.submit(job)
    assert followed.look() == 1
    assert followed.follower.own.counter == 1 and followed.follower.key == b"\x07" * 32
    followed.world.rpc("evm_mine")
    assert followed.look() == 1


def test_look__past_the_end_of_a_phase__sees_the_phase_of_now(followed: Followed) -> None:
    world, job = followed.world, followed.job
    world.do("sponsor", world.federation.open_call(job))
    world.submit(job, "alice")
    assert followed.look() == 1 and followed.follower.state.phase == Phase.SUBMIT
    world.pass_time(400)
    assert followed.look() <= 2, "the time of the new head is known with the second request"
    assert followed.follower.state.phase == Phase.LAPSED


def test_look__where_the_node_refuses_events__asks_for_them_by_themselves(followed: Followed) -> None:
    world, refused = followed.world, list[bool]()

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] == "eth_getLogs" and not refused:
            refused.append(True)
            return failing(-32000, "invalid block range params")
        return None

    followed.node.answer = answer
    world.do("sponsor", world.federation.open_call(followed.job))
    assert followed.look() <= 3 and refused


def test_look__where_the_head_moves_on_meanwhile__asks_again(followed: Followed) -> None:
    world, mined = followed.world, list[bool]()

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] == "eth_call" and not mined:
            mined.append(True)
            world.rpc("evm_mine")
        return None

    followed.node.answer = answer
    assert followed.look() == 2 and mined


@pytest.mark.parametrize("method", ["eth_call", "eth_getBlockByNumber"])
def test_look__that_is_answered_with_nonsense__is_made_step_by_step(followed: Followed, method: str) -> None:
    world, lied = followed.world, list[bool]()

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] == method and not lied:
            lied.append(True)
            return {"jsonrpc": "2.0", "result": "0x1234"}
        return None

    world.do("sponsor", world.federation.open_call(followed.job))
    followed.node.answer = answer
    assert followed.look() > 1 and lied
