"""When a chain's blocks came, as its WebSocket tells."""

from __future__ import annotations

import json
import threading
import time
from typing import Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from hansa.runtime.chain.heads import HELLO


class Heads:
    """Listens while it is entered. came: seconds of this machine's monotonic clock, by a block's number."""

    def __init__(self, url: str) -> None:
        self.came: dict[int, float] = {}
        self._socket = connect(url, max_size=2**22, proxy=None)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._socket.send(HELLO)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join()

    def _listen(self) -> None:
        try:
            for message in self._socket:
                head = json.loads(message).get("params", {}).get("result")
                if head is not None:
                    self.came.setdefault(int(head["number"], 16), time.monotonic())
        except WebSocketException:  # the chain is over
            return
