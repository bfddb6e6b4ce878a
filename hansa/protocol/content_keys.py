"""The file in which content keys are published at a job's end: one JSON object, CIDs of sealed updates to keys."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hansa.protocol.cid import from_cid, to_cid
from hansa.protocol.errors import Malformed
from hansa.protocol.types import Digest

KEY_BYTES = 32
ENTRY_ROOM = 128  # bytes of an entry: a CID of 46 letters, 64 hexadecimal digits, quotes, some spaces


def encode_keys(keys: Mapping[Digest, bytes]) -> bytes:
    """Canonical JSON: sorted, without spaces."""
    document = {to_cid(digest): key.hex() for digest, key in keys.items()}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def decode_keys(data: bytes) -> dict[Digest, bytes]:
    """Raises Malformed. A key is worth nothing before it has opened its update."""
    try:
        document = json.loads(data)
        found = {from_cid(cid): bytes.fromhex(key) for cid, key in document.items()}
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise Malformed("file of content keys", cause=str(error)) from error
    short = next((digest for digest, key in found.items() if len(key) != KEY_BYTES), None)
    if short is not None:
        raise Malformed("file of content keys", cause=f"the key of {to_cid(short)} has not {KEY_BYTES} bytes")
    return found


def keys_limit(updates: int) -> int:
    """The largest file, in bytes, that so many keys need."""
    return ENTRY_ROOM * (updates + 1)
