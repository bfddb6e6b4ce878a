"""Wake-ups: a WebSocket's `newHeads`, listened to by a thread, so that nobody sleeps through a block."""

from __future__ import annotations

import json
import threading
import time

from hansa.runtime.http import checked_url

HELLO = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
LONGEST_PAUSE = 30.0  # seconds between attempts to connect


class HeadSubscription:
    """Rings for each new block while `alive`. It only wakes: what is true is asked for by RPC.

    FatalError where `url` can't be an address.
    """

    def __init__(self, url: str | None) -> None:
        self.alive = False
        self.rings = 0
        self._url = url
        if url is not None:
            checked_url(url, ("ws", "wss"), "a WebSocket address")
        self._rung = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self, after: int, timeout: float) -> bool:
        """Whether it has rung since `rings` was `after`; waits up to `timeout` seconds. Starts listening at first."""
        if self._url is not None and self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._listen, name="new heads", daemon=True)
            self._thread.start()
        end = time.monotonic() + timeout
        with self._rung:
            while self.rings == after and (left := end - time.monotonic()) > 0:
                self._rung.wait(left)
            return self.rings != after

    def close(self) -> None:
        self._closed.set()

    def ring(self) -> None:
        with self._rung:
            self.rings += 1
            self._rung.notify_all()

    def _listen(self) -> None:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        assert self._url is not None
        pause = 0.5
        while not self._closed.is_set():
            try:
                with connect(self._url, open_timeout=5, close_timeout=1, max_size=2**22, proxy=None) as socket:
                    socket.send(HELLO)
                    while not self._closed.is_set():
                        try:
                            message = socket.recv(timeout=1.0)
                        except TimeoutError:
                            continue
                        if not self.alive and '"error"' in str(message):
                            break
                        pause = 0.5
                        self.alive = True
                        self.ring()
            except (OSError, WebSocketException, ValueError):
                pass
            self.alive = False
            self._closed.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
