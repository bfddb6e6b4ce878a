"""How tests run `hansa`."""

from __future__ import annotations

import atexit
import functools
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import warm

ROOT = Path(__file__).resolve().parents[2]
COLD = [sys.executable, "-m", "hansa.cli.main"]
"""A command as a user starts it."""


@functools.cache
def warm_command() -> list[str]:
    """The same, without its imports: what the words of a command are added to. See warm.py."""
    folder = tempfile.TemporaryDirectory(prefix="hansa-warm-")
    address = f"{folder.name}/door"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment.setdefault(name, "1")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        server = subprocess.Popen(
            [sys.executable, warm.__file__, "--serve", str(door.fileno())],
            cwd=folder.name,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[door.fileno()],
            start_new_session=True,
        )

    def stop() -> None:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
        folder.cleanup()

    atexit.register(stop)
    return [sys.executable, "-S", "-E", str(warm.__file__), address]
