"""A Kubo node as the store, through its HTTP API."""

from __future__ import annotations

import base64
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ipfshttpclient
import requests
from ipfshttpclient.exceptions import ConnectionError as NoConnection
from ipfshttpclient.exceptions import Error, ErrorResponse, StatusError
from ipfshttpclient.exceptions import TimeoutError as TimedOut

from hansa.protocol.cid import digest_of, from_cid, to_cid
from hansa.protocol.errors import FatalError, Malformed, NotFound, StoreUnavailable, TooLarge, WrongBytes
from hansa.protocol.text import is_digits, redact
from hansa.protocol.types import Digest
from hansa.runtime.http import Cap, causes, is_too_large
from hansa.runtime.store.base import checked
from hansa.runtime.store.bounded import bound
from hansa.runtime.store.peers import Peers

warnings.filterwarnings("ignore", "The 'strict' parameter is no longer needed", FutureWarning)  # of its urllib3

PROFILE = {
    "cid-version": "0",
    "hash": "sha2-256",
    "raw-leaves": "false",
    "chunker": "size-262144",
    "max-file-links": "174",
    "trickle": "false",
    "inline": "false",
    "pin": "true",
}
"""What makes a file's CID, said each time: a node may have other defaults."""
ADD_SECONDS = 120.0
PIN_SECONDS = 30.0
NODE_SECONDS = 10.0
ANSWER_BYTES = 2**20  # of an answer that is no file; of a file's, beside the file


LEAST_VERSION = (0, 35)  # from which a node knows all of PROFILE


@dataclass(frozen=True)
class NodeFacts:
    """A node's version, the bytes of its repository and how many it may have."""

    version: str
    used: int
    most: int

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.partition("-")[0].split(".") if is_digits(part, 9))


class KuboStore:
    """`api`: its multiaddress, as in /ip4/127.0.0.1/tcp/5001. Not by `connect()`, which refuses every Kubo from 0.8.

    auth: `basic:NAME:PASSWORD` or `bearer:TOKEN`, as in the node's API.Authorizations.
    peers: multiaddresses of nodes that this one is kept connected to.
    Every answer ends within its time, headers too, and within a cap of bytes; packed ones aren't asked for, nor read.
    """

    def __init__(self, api: str, auth: str | None = None, peers: Sequence[str] = ()) -> None:
        self.api = redact(api)
        self._has_auth = auth is not None
        self._cap = Cap(ANSWER_BYTES)
        headers = {"Accept-Encoding": "identity", **({} if auth is None else {"Authorization": authorization(auth)})}
        try:
            if api.split() != [api]:
                raise ValueError("there is a space in it")
            self._client: Any = ipfshttpclient.Client(api, headers=headers, session=True)
        except Exception as error:  # the library has no common root for what it makes of an address
            raise FatalError(
                f"{self.api!r} is not a Kubo API address",
                cause=error,
                next_step="write it like /ip4/127.0.0.1/tcp/5001",
            ) from error
        session: requests.Session = self._client._client._session
        session.hooks["response"].append(_refuse_packed)
        bound(session, self._cap)
        self.peers = Peers(peers, self._ask, (Error, OSError, ValueError, TypeError, KeyError, IndexError))

    def _ask(self, path: str, *arguments: str, timeout: float) -> Any:
        return self._client._client.request(path, arguments, decoder="json", timeout=timeout)[0]

    def put(self, data: bytes) -> Digest:
        expected = digest_of(data)
        try:
            with self._errors(to_cid(expected)):
                answer = self._client.add_bytes(data, opts=dict(PROFILE), timeout=ADD_SECONDS)
        except NotFound as error:
            raise StoreUnavailable(
                f"Kubo at {self.api} did not take {to_cid(expected)}",
                cause=error.cause,
                next_step="look at its disk, and at `ipfs repo stat`",
            ) from error
        try:
            added = from_cid(str(answer))
        except Malformed as error:
            raise WrongBytes(f"Kubo at {self.api} answered an add with nonsense", cause=error) from error
        if added != expected:
            raise WrongBytes(
                f"Kubo at {self.api} stored {to_cid(expected)} as {to_cid(added)}",
                cause="it cuts files in another way, and doesn't know the options that say how",
                next_step="update it, or run `ipfs config profile apply unixfs-v0-2015` there and start it again",
            )
        return expected

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        cid = to_cid(digest)
        data = bytearray()
        end = time.monotonic() + timeout
        self._cap.size = limit + ANSWER_BYTES
        try:
            with self._errors(cid):
                for chunk in self._client.cat(cid, length=limit + 1, stream=True, timeout=timeout):
                    data += chunk
                    if len(data) > limit:
                        break
        except StoreUnavailable as error:
            if is_too_large(error):
                raise TooLarge(f"{cid} is larger than the {limit} bytes allowed") from error
            if time.monotonic() < end:
                raise
            raise NotFound(f"{cid} did not arrive", cause=f"{len(data)} bytes in {timeout:.0f} s") from error
        finally:
            self._cap.size = ANSWER_BYTES
        if len(data) > limit:
            raise TooLarge(f"{cid} is larger than the {limit} bytes allowed")
        return checked(bytes(data), digest, limit)

    def has(self, digest: Digest) -> bool:
        try:
            with self._errors(to_cid(digest)):
                self._client.block.stat(to_cid(digest), opts={"offline": "true"}, timeout=NODE_SECONDS)
        except NotFound:
            return False
        return True

    def pin(self, digest: Digest) -> None:
        with self._errors(to_cid(digest)):
            self._client.pin.add(to_cid(digest), timeout=PIN_SECONDS)

    def unpin(self, digest: Digest) -> None:
        try:
            with self._errors(to_cid(digest)):
                self._client.pin.rm(to_cid(digest), timeout=NODE_SECONDS)
        except NotFound:
            return

    def addresses(self) -> list[str]:
        """Where others reach the node, as far as it knows."""
        with self._errors("its addresses"):
            return [str(each) for each in self._ask("/id", timeout=NODE_SECONDS)["Addresses"] or ()]

    def facts(self) -> NodeFacts:
        with self._errors("its facts"):
            version = str(self._ask("/version", timeout=NODE_SECONDS)["Version"])
            stat = self._ask("/repo/stat", timeout=NODE_SECONDS)
            return NodeFacts(version, int(stat["RepoSize"]), int(stat["StorageMax"]))

    def reached(self) -> dict[str, bool]:
        """By address of another party's node, whether there is a connection."""
        with self._errors("its peers"):
            return self.peers.connected()

    @contextmanager
    def _errors(self, cid: str) -> Iterator[None]:
        self.peers.meet()
        try:
            with self._missing():
                yield
        except TimedOut as error:
            raise NotFound(f"{cid} did not arrive", cause="no node that is reached has it") from error
        except ErrorResponse as error:
            raise NotFound(f"Kubo at {self.api} has no {cid}", cause=error) from error
        except NoConnection as error:
            raise StoreUnavailable(
                f"no Kubo node answers at {self.api}", cause=type(error).__name__, next_step="start it: ipfs daemon"
            ) from error
        except StatusError as error:
            raise self._refusal(error) from error
        except (Error, OSError, ValueError, TypeError, KeyError) as error:
            raise StoreUnavailable(f"Kubo at {self.api} answered nonsense", cause=error) from error

    @contextmanager
    def _missing(self) -> Iterator[None]:
        """What fails may want a connection: the next call asks for them."""
        try:
            yield
        except Exception:
            self.peers.missed()
            raise

    def _refusal(self, error: Exception) -> StoreUnavailable:
        """What a status means that no call of the API has by itself."""
        responses = [getattr(cause, "response", None) for cause in causes(error)]
        status = next((response.status_code for response in responses if response is not None), 0)
        if status in (401, 403):
            compare = "compare them with API.Authorizations of its configuration, AllowedPaths too"
            name = 'write "auth": "${NAME}" into the store of deployment.json, and NAME=basic:… into secrets.env'
            return StoreUnavailable(
                f"Kubo at {self.api} refuses {'these credentials' if self._has_auth else 'who gives no credentials'}",
                cause=f"status {status}",
                next_step=compare if self._has_auth else name,
            )
        if status in (404, 405):
            return StoreUnavailable(
                f"no Kubo API answers at {self.api}",
                cause=f"status {status}, as of a gateway's port",
                next_step="name the API's address, /ip4/127.0.0.1/tcp/5001 by default: `ipfs config Addresses.API`",
            )
        return StoreUnavailable(f"Kubo at {self.api} answered nonsense", cause=error)


def authorization(auth: str) -> str:
    """The HTTP header that says it."""
    kind, _, secret = auth.partition(":")
    if kind == "bearer" and secret:
        return f"Bearer {secret}"
    if kind == "basic" and ":" in secret:
        return f"Basic {base64.b64encode(secret.encode('utf-8', 'surrogateescape')).decode()}"
    raise FatalError(
        "the store's auth is of no kind that Kubo has", next_step="write basic:NAME:PASSWORD or bearer:TOKEN"
    )


def _refuse_packed(response: requests.Response, **options: Any) -> None:
    packed = response.headers.get("Content-Encoding", "identity")
    if packed != "identity":
        raise requests.exceptions.ContentDecodingError(f"{packed} was not asked for")
