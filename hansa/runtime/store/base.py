"""What a store is."""

from __future__ import annotations

from typing import Protocol

from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import TooLarge, WrongBytes
from hansa.protocol.types import Digest


class Store(Protocol):
    """Files by the digest of their CID. Every method may raise StoreUnavailable."""

    def put(self, data: bytes) -> Digest:
        """Stores and pins a file."""
        ...

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        """A file of at most `limit` bytes, within `timeout` seconds.

        Raises NotFound, TooLarge (no more than `limit` is ever held in memory), or WrongBytes where the store gave
        others than the CID names.
        """
        ...

    def has(self, digest: Digest) -> bool:
        """Whether this node holds the file itself."""
        ...

    def pin(self, digest: Digest) -> None:
        """Keeps (fetches, where need be) and serves a file."""
        ...

    def unpin(self, digest: Digest) -> None:
        """Need not be kept any more; fine if it never was."""
        ...


def checked(data: bytes, digest: Digest, limit: int) -> bytes:
    """`data`, if it is the file of this digest and no larger than `limit`."""
    if len(data) > limit:
        raise TooLarge(f"{to_cid(digest)} is larger than the {limit} bytes allowed")
    if digest_of(data) != digest:
        raise WrongBytes(f"the store gave other bytes than {to_cid(digest)}")
    return data
