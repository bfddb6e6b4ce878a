"""Who holds a port of this machine."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from hansa.runtime.ports import listener, why_taken

TAKEN = OSError(errno.EADDRINUSE, "Address already in use")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux alone tells")
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_listener__is_named_with_its_process(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as held:
        try:
            held.bind((host, 0))
        except OSError:
            pytest.skip(f"there is no {host}")
        held.listen()
        port = held.getsockname()[1]
        assert f"(process {os.getpid()})" in str(listener(port))
        assert why_taken(port, TAKEN).startswith("Address already in use, by ")
    assert listener(port) is None


def test_why__where_it_is_not_known_who() -> None:
    assert why_taken(1, TAKEN) == "Address already in use"
    assert why_taken(1, OSError(errno.EACCES, "Permission denied")) == "Permission denied"
