from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_chain import furnished, started
from proxies import Proxy, proxy
from worlds import World

from hansa.devnet.anvil import Anvil
from hansa.protocol.types import JobId


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Anvil]:
    with started(tmp_path) as running:
        yield running


@pytest.fixture
def world(anvil: Anvil, tmp_path: Path) -> Iterator[World]:
    with furnished(anvil, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def world_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, JobId]]:
    """A world for reading alone, with a job of one finalised round."""
    path = tmp_path_factory.mktemp("world")
    with started(path) as running, furnished(running, path) as made:
        job = made.post()
        made.enrol(job)
        made.round(job)
        yield made, job


@pytest.fixture
def node(world: World) -> Iterator[Proxy]:
    with proxy(world.anvil.url) as running:
        yield running


@pytest.fixture
def node_once(world_once: tuple[World, JobId]) -> Iterator[tuple[Proxy, World, JobId]]:
    with proxy(world_once[0].anvil.url) as running:
        yield running, *world_once
