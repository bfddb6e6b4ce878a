"""What is claimed, measured, the peer beside it: `python -m benchmarks NAME [--quick] [--json FILE]`.

The real functions without the chain. A figure is never an assertion: tests run these only to see that they run.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # numpy reads it when it is imported
