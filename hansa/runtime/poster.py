"""Sends JSON to one address, over a connection that is kept: what a daemon does most."""

from __future__ import annotations

import http.client
import select
import urllib.request
import zlib
from http.cookiejar import CookieJar

from hansa.runtime.http import CHUNK, Cap, Reply, TooManyBytes, WholeResponse
from hansa.runtime.route import Route

USUAL = {
    "Content-Type": "application/json",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "hansa",
    "Connection": "keep-alive",
}


class Poster:
    """A thread that finds the connection in use by another, whose answer is late, opens one of its own.

    direct: no proxy and no .netrc. most: bytes of one answer, packed or not.
    """

    def __init__(self, url: str, *, direct: bool, most: int) -> None:
        self._route = Route.of(url, direct=direct)
        self._cap = Cap(most)
        self._idle: list[http.client.HTTPConnection] = []
        self._cookies = CookieJar()  # by which a balancer keeps its clients apart
        self._asked = urllib.request.Request(url)  # as which a cookie is looked for
        head = [f"POST {self._route.target} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in {**USUAL, **self._route.headers}.items()]
        self._head = "\r\n".join(head).encode("latin-1")

    def post(self, data: bytes, *, seconds: float) -> Reply:
        """Redirects aren't followed. Raises ConnectTimeout, TimeoutError where no whole answer comes in `seconds`,
        TooManyBytes, ValueError for one that can't be unpacked, or another OSError or HTTPException."""
        connection = self._connection()
        sock = connection.sock
        try:
            sock.settimeout(seconds)
            sock.sendall(b"%b\r\nContent-Length: %d\r\n%b\r\n%b" % (self._head, len(data), self._known(), data))
            response = WholeResponse(self._cap, sock, method="POST")
            try:
                response.begin()
                reply = Reply(response.status, response.headers, self._body(response))
            finally:
                response.close()
        except BaseException:
            connection.close()
            raise
        if "Set-Cookie" in reply.headers:
            self._cookies.extract_cookies(response, self._asked)
        if response.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return reply

    def _connection(self) -> http.client.HTTPConnection:
        """The one that is kept, unless its server has closed it."""
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if not _is_readable(kept.sock.fileno()):
                return kept
            kept.close()
        return self._route.connect()

    def _known(self) -> bytes:
        """The header with the server's cookies, where it has given any."""
        if not len(self._cookies):
            return b""
        asked = urllib.request.Request(self._asked.full_url)
        self._cookies.add_cookie_header(asked)
        found = asked.get_header("Cookie")
        return b"" if found is None else b"Cookie: %b\r\n" % found.encode("latin-1")

    def _body(self, response: WholeResponse) -> bytes:
        packed = response.headers.get("Content-Encoding", "identity").lower()
        if packed not in ("identity", "gzip", "deflate"):
            raise ValueError(f"an answer packed as {packed}, which was not asked for")
        unpacker = None if packed == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 32)
        body = bytearray()
        while chunk := response.read(CHUNK):
            try:
                body += chunk if unpacker is None else unpacker.decompress(chunk, self._cap.size + 1 - len(body))
            except zlib.error as error:
                raise ValueError(f"an answer that is not packed as {packed}") from error
            if len(body) > self._cap.size:
                raise TooManyBytes(f"more than {self._cap.size} bytes")
        if response.length:
            raise http.client.IncompleteRead(bytes(body[-1:]), response.length)
        return bytes(body)


def _is_readable(descriptor: int) -> bool:
    """Of a connection on which nothing is awaited: whether it was closed, or can't be trusted."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
