"""What only benchmarks need, from where it does not disturb Hansa's own pins.

Flower wants older versions of packages that Hansa pins, so it may live in a folder of its own, which is looked at
last: `pip install --target build/bench 'flwr[simulation]==1.41.0' matplotlib==3.11.2 scikit-learn==1.9.1`.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("HANSA_BENCH") or Path(__file__).parents[1] / "build" / "bench")
INSTALL = "pip install --target build/bench 'flwr[simulation]==1.41.0' matplotlib==3.11.2 scikit-learn==1.9.1"


def offered(module: str) -> Any | None:
    """The module, or None where it is not installed."""
    if FOLDER.is_dir() and str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
