from __future__ import annotations

import pytest
from federations import Undisturbed, run_undisturbed


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What four honest trainers and three honest validators come to with the seed that every test has."""
    return run_undisturbed(tmp_path_factory.mktemp("undisturbed"))
