"""Wake-ups: a WebSocket's `newHeads`, listened to by a thread, so that nobody sleeps through a block."""

from __future__ import annotations

import json
import threading

HELLO = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
LONGEST_PAUSE = 30.0  # seconds between attempts to connect


class Alarm:
    """An event that rings for each new block while `alive`. It only wakes: what it says is asked for again by RPC."""

    def __init__(self, url: str | None) -> None:
        self.alive = False
        self._url = url
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self, timeout: float) -> bool:
        """Whether it rang within `timeout` seconds. Starts listening when first called."""
        if self._url is not None and self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._listen, name="new heads", daemon=True)
            self._thread.start()
        if not self._rung.wait(timeout):
            return False
        self._rung.clear()
        return True

    def ring(self) -> None:
        """Wakes whoever waits now; safe in a signal handler."""
        self._rung.set()

    def close(self) -> None:
        self._closed.set()
        self.ring()

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
                        if '"error"' in str(message) and not self.alive:
                            break
                        pause = 0.5
                        self.alive = True
                        self._rung.set()
            except (OSError, WebSocketException, TimeoutError, ValueError):
                pass
            self.alive = False
            self._closed.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
