from __future__ import annotations

import shutil

import pytest
from hosts import refused


@pytest.fixture(scope="session", autouse=True)
def needs_namespaces() -> None:
    """Skips where hosts can't be made."""
    if (why := refused()) is not None:
        pytest.skip(why)
    for program in ("ipfs",):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")


@pytest.fixture
def needs_geth() -> None:
    if shutil.which("geth") is None:
        pytest.skip("geth is not on PATH")
