"""A node that syncs from nothing names heads from before the contracts, or before a job: nobody ends by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from proxies import Proxy, over
from worlds import World

from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.types import Phase
from hansa.runtime.chain import client
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.follower import JobFollower


def at_block(node: Proxy, number: int) -> Callable[[], None]:
    """From now on this is the node's latest block; what is returned ends that."""

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        if "latest" not in request["params"]:
            return None
        return node.forward({**request, "params": [hex(number) if p == "latest" else p for p in request["params"]]})

    def end() -> None:
        node.answer = lambda request: None

    node.answer = answer
    return end


def test_a_node_that_syncs_from_nothing__ends_nobody__who_has_seen_the_contracts(
    world: World, node: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BEHIND_SECONDS", 0.3)
    first, job = world.chain.head().number, world.post()
    several, alone = (Chain(urls, first_block=first) for urls in ([node.url, world.anvil.url], [node.url]))
    followers = [JobFollower(Federation(chain, world.deployment), cast(Any, None), job) for chain in (several, alone)]
    assert all(follower.look().phase == Phase.ENROL for follower in followers)
    caught_up = at_block(node, 0)
    for _ in range(2):
        several.distrust()
        assert followers[0].look().phase == Phase.ENROL, "another endpoint is asked"
    for _ in range(2):
        alone.floor.distrust()
        with pytest.raises(ChainUnavailable, match=rf"at block 0: block {first} is known: it lags"):
            followers[1].look()
    caught_up()
    assert followers[1].look().phase == Phase.ENROL


def test_a_node_that_is_not_at_a_job_s_posting_yet__ends_nobody_who_has_seen_it(world: World, node: Proxy) -> None:
    before = world.chain.head().number
    job, chain = world.post(), over(world, node.url)
    follower = JobFollower(Federation(chain, world.deployment), cast(Any, None), job)
    assert follower.look().phase == Phase.ENROL
    caught_up = at_block(node, before)
    chain.floor.forget(is_reset=False)
    with pytest.raises(ChainUnavailable, match=rf"a node is at block {before}: job {job} came with a later one"):
        follower.look()
    assert follower.state.phase == Phase.ENROL
    caught_up()
    assert follower.look().phase == Phase.ENROL


def test_distrust__goes_back_no_further_than_all_agreed(world: World, node: Proxy) -> None:
    job, chain = world.post(), over(world, node.url, world.anvil.url)
    federation, head = Federation(chain, world.deployment), chain.head()
    chain.floor.saw(10**6)  # as a liar would have it
    assert federation.witnessed(job, head, federation.state(job, head)).agreed
    chain.distrust()
    assert chain.floor.known == head.number
