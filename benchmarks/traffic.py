"""A daemon whose requests to the chain are counted."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hansa.devnet.roles import Role, play
from hansa.runtime.http import Reply
from hansa.runtime.poster import Poster

EVERY = 0.5  # seconds between two notes


@dataclass
class Traffic:
    """Until now. calls: in all requests; sent, received: bytes of their bodies."""

    requests: int = 0
    calls: int = 0
    sent: int = 0
    received: int = 0


def play_counted(role: Role, out: Path) -> None:
    """Runs the daemon until its job is over; notes its traffic in `out` as JSON now and then."""
    found, last = Traffic(), 0.0
    post = Poster.post

    def counted(self: Poster, data: bytes, *, seconds: float) -> Reply:
        nonlocal last
        reply = post(self, data, seconds=seconds)
        found.requests += 1
        found.calls += data.count(b'"jsonrpc"')
        found.sent += len(data)
        found.received += len(reply.body)
        if (now := time.monotonic()) > last + EVERY:
            last = now
            _note(found, out)
        return reply

    patched: Any = Poster
    patched.post = counted
    play(role)
    _note(found, out)


def _note(found: Traffic, out: Path) -> None:
    part = out.with_suffix(".part")
    part.write_text(json.dumps(asdict(found)))
    part.replace(out)
