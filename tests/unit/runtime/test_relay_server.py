"""What strangers can do to a relay's server by asking too much, or too slowly."""

from __future__ import annotations

import socket
import time
from concurrent.futures import Future
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from hansa.runtime.relay import server as serving
from hansa.runtime.relay.messages import RelayAnswer
from hansa.runtime.relay.server import RelayServer


def test_server__asked_faster_than_it_answers__lets_its_owner_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator's own steps wait for it: whoever floods it must not keep it from them."""
    monkeypatch.setattr(serving, "WORK_SECONDS", 0.0)
    woken, answered = list[int](), list[int]()
    relay = RelayServer("127.0.0.1:0", cast(Any, None), lambda: woken.append(1))

    def ask() -> None:
        relay._waiting.put_nowait((cast(Any, None), Future()))

    def answer(act: object) -> RelayAnswer:
        answered.append(1)
        assert len(answered) < 9, "it answers for ever"
        ask()
        return RelayAnswer(200)

    try:
        ask()
        ask()
        relay.serve(answer)
        assert (len(answered), len(woken)) == (1, 1), "it is looked after again at once"
        relay.serve(answer)
        assert (len(answered), len(woken)) == (2, 2)
    finally:
        relay.close()


def test_server__asked_once__waits_no_longer_than_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the answer took all of that time."""
    relay = RelayServer("127.0.0.1:0", cast(Any, None))
    try:
        relay._waiting.put_nowait((cast(Any, None), Future()))
        relay.serve(lambda act: (time.sleep(0.05), RelayAnswer(200))[1], 0.01)
        relay.serve(lambda act: RelayAnswer(200), 0.01)
    finally:
        relay.close()


def test_connection__whose_bytes_trickle_in__is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte is in time; the whole is not."""
    monkeypatch.setattr(serving, "WHOLE_SECONDS", 0.2)
    relay = RelayServer("127.0.0.1:0", cast(Any, None))
    place = urlsplit(relay.url)
    end = time.monotonic() + 30
    try:
        with socket.create_connection((str(place.hostname), cast(int, place.port)), timeout=30) as client:
            client.sendall(b"POST / HTTP/1.1\r\n")
            with pytest.raises(OSError):  # it is closed at the other end
                while time.monotonic() < end:
                    client.sendall(b"X")
                    time.sleep(0.05)
    finally:
        relay.close()
