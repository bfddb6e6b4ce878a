"""A job whose Kubo nodes collect their garbage in every phase, and one of which dies and starts again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from federations import Observed, Undisturbed, federation, finish, models

from hansa.devnet import kubo
from hansa.devnet.kubo import find_ipfs
from hansa.protocol.errors import FatalError, StoreUnavailable
from hansa.protocol.types import Phase
from hansa.runtime.store.kubo import KuboStore

ROUNDS = 3
LONG = {"enrol": 900} | dict.fromkeys(("open", "submit", "score", "reveal", "vote", "finalize"), 300)
SECONDS = 1800.0
MORTAL = "validator-2"


@pytest.mark.slow
def test_garbage_is_collected_in_every_phase__a_node_starts_again__same_models(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    try:
        find_ipfs()
    except FatalError as error:
        pytest.skip(str(error))
    with federation(tmp_path, LONG, rounds=ROUNDS, store="kubo") as lab:
        lab.start_all()
        seen: list[tuple[int, Phase]] = []
        died = False

        def over() -> bool:
            nonlocal died
            state = lab.state()
            if (state.round, state.phase) not in seen:
                seen.append((state.round, state.phase))
                for node in lab.nodes.values():
                    KuboStore(node.api)._client.repo.gc(quiet=True)
            if not died and (state.round, state.phase) >= (2, Phase.SCORE):
                died = True
                start_again(lab, MORTAL)
            return state.phase.is_over

        lab.wait_until(over, SECONDS, "the end")
        view = finish(lab, SECONDS)
        assert died and view.state.phase == Phase.COMPLETED
        assert models(view) == undisturbed.models[:ROUNDS]


def start_again(lab: Observed, name: str) -> None:
    """SIGKILL for a node; it comes back at the same port, as an operator's does."""
    node = lab.nodes[name]
    config = json.loads((node.path / "config").read_text())
    config["Addresses"]["API"] = node.api
    (node.path / "config").write_text(json.dumps(config))
    node.process.kill()
    node.process.wait()
    with pytest.raises(StoreUnavailable):
        node.call("id")
    lab.nodes[name] = again = kubo._start(find_ipfs(), node.path, orphan=False)
    kubo._wait_until_up(again)
    for other in lab.nodes.values():
        if other is not again:
            again.call("swarm/connect", arg=other.peer)
