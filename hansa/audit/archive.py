"""A finished job in one file that anybody can audit without chain or store: `job-N.hansa`.

`hansa-job-1\\n` | the files, one after another | the manifest, canonical JSON | its length, u64 | SHA-256 of magic,
manifest and length. The manifest holds the deployment, the raw events and the contracts' raw answers, and names each
file by CID and size, so no byte is outside of what is checked: files have CIDs, everything else that digest. The same
facts and files always give the same archive.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from eth_utils.address import is_checksum_address

from hansa.audit.evidence import Evidence
from hansa.audit.report import Finding, Wrong
from hansa.protocol.cid import from_cid, to_cid
from hansa.protocol.errors import FatalError, HansaError, NotFound
from hansa.protocol.types import Address, BlockNumber, Digest, JobId, Timestamp
from hansa.runtime.chain.client import Block, Log
from hansa.runtime.files import unwritable
from hansa.runtime.store import Store
from hansa.runtime.store.base import checked

MAGIC: Final = b"hansa-job-1\n"
FOOTER: Final = 8 + 32
MOST_MANIFEST: Final = 2**30
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")
_FIELDS = {
    "chain_id", "federation", "vault", "job", "at", "blocks", "headers", "receipts", "events", "answers", "files",
}  # fmt: skip


@dataclass(frozen=True)
class FileEntry:
    """Where a file is."""

    offset: int
    size: int


class Archive:
    """An open archive: `facts`, and its files as a store that can't be written to."""

    def __init__(self, file: BinaryIO, evidence: Evidence, entries: Mapping[Digest, FileEntry], seal: bytes) -> None:
        self._file = file
        self.evidence = evidence
        self.entries = entries
        self.seal = seal
        self.read: set[Digest] = set()

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Raises Wrong for a file that is no archive, or not as it was written; FatalError if it can't be read."""
        try:
            file = path.open("rb")
        except OSError as error:
            raise FatalError(f"{path} can't be read", cause=error.strerror) from error
        try:
            manifest, seal, end = _manifest(file)
            evidence, entries = _parse(manifest, end)
        except BaseException:
            file.close()
            raise
        return cls(file, evidence, entries, seal)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    # --- as a store

    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        entry = self.entries.get(digest)
        if entry is None:
            raise NotFound(f"{to_cid(digest)} is not in the archive")
        self.read.add(digest)
        self._file.seek(entry.offset)
        return checked(self._file.read(min(entry.size, limit + 1)), digest, limit)

    def has(self, digest: Digest) -> bool:
        return digest in self.entries

    def put(self, data: bytes) -> Digest:
        raise FatalError("an archive can't be written to")

    def pin(self, digest: Digest) -> None:
        return

    def unpin(self, digest: Digest) -> None:
        return


def write_archive(path: Path, evidence: Evidence, digests: Sequence[tuple[Digest, int]], store: Store) -> list[Digest]:
    """Writes an archive, whole or not at all. Returns the files that the store does not have.

    digests: the job's files in order, each with the largest size that its job allows.
    """
    missing: list[Digest] = []
    files: list[tuple[str, int]] = []
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as out:
            out.write(MAGIC)
            for digest, limit in digests:
                try:
                    data = store.get(digest, limit=limit, timeout=30.0)
                except HansaError:
                    missing.append(digest)
                    continue
                out.write(data)
                files.append((to_cid(digest), len(data)))
            manifest = _canonical(_document(evidence, files))
            length = len(manifest).to_bytes(8, "big")
            out.write(manifest + length + hashlib.sha256(MAGIC + manifest + length).digest())
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return missing


def _document(evidence: Evidence, files: Sequence[tuple[str, int]]) -> dict[str, Any]:
    return {
        "chain_id": evidence.chain_id,
        "federation": evidence.federation,
        "vault": evidence.vault,
        "job": evidence.job,
        "at": _row(evidence.at),
        "blocks": [_row(block) for _, block in sorted(evidence.blocks.items())],
        "headers": [[number, _hex(data)] for number, data in sorted(evidence.headers.items())],
        "receipts": [[number, [_hex(item) for item in data]] for number, data in sorted(evidence.receipts.items())],
        "events": [
            [log.block, log.index, log.address, [_hex(t) for t in log.topics], _hex(log.data)] for log in evidence.logs
        ],  # fmt: skip
        "answers": [[_hex(key), _hex(data)] for key, data in sorted(evidence.answers.items())],
        "files": [list(item) for item in files],
    }


def _row(block: Block) -> list[Any]:
    return [block.number, block.timestamp, _hex(block.hash), _hex(block.parent)]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


# --- reading


def _manifest(file: BinaryIO) -> tuple[bytes, bytes, int]:
    """The manifest's bytes, the digest at the end, and where the files end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(len(MAGIC))
    if head != MAGIC or size < len(MAGIC) + FOOTER:
        raise Wrong(Finding("the file's beginning", repr(MAGIC), repr(head)))
    file.seek(size - FOOTER)
    length, seal = file.read(8), file.read(32)
    end = size - FOOTER - int.from_bytes(length, "big")
    if end < len(MAGIC) or size - end > MOST_MANIFEST:
        raise Wrong(Finding("the manifest's length", "one that fits the file", str(int.from_bytes(length, "big"))))
    file.seek(end)
    manifest = file.read(size - FOOTER - end)
    found = hashlib.sha256(MAGIC + manifest + length).digest()
    if found != seal:
        raise Wrong(Finding("the archive's digest (deployment, events, answers)", _hex(seal), _hex(found)))
    return manifest, seal, end


def _parse(manifest: bytes, end: int) -> tuple[Evidence, dict[Digest, FileEntry]]:
    try:
        document = json.loads(manifest)
        if not isinstance(document, dict) or set(document) != _FIELDS or _canonical(document) != manifest:
            raise ValueError("its JSON is not canonical, or has other fields")
        evidence = Evidence(
            chain_id=_number(document["chain_id"]),
            federation=_address(document["federation"]),
            vault=_address(document["vault"]),
            job=JobId(_number(document["job"])),
            at=_block(document["at"]),
            logs=tuple(_log(*row) for row in document["events"]),
            blocks={block.number: block for block in map(_block, document["blocks"])},
            answers={_octets(key): _octets(data) for key, data in document["answers"]},
            headers={_number(number): _octets(data) for number, data in document["headers"]},
            receipts={_number(number): tuple(map(_octets, data)) for number, data in document["receipts"]},
        )
        entries = _entries(document["files"], end)
        if _canonical(_document(evidence, [(to_cid(d), e.size) for d, e in entries.items()])) != manifest:
            raise ValueError("something in it is there twice, or out of order")
    except (ValueError, TypeError, KeyError, RecursionError, HansaError) as error:
        raise Wrong(Finding("the archive's manifest", "one that makes sense", f"{error}")) from error
    return evidence, entries


def _entries(rows: Sequence[Any], end: int) -> dict[Digest, FileEntry]:
    entries: dict[Digest, FileEntry] = {}
    offset = len(MAGIC)
    for cid, size in rows:
        entries[from_cid(cid)] = FileEntry(offset, _number(size))
        offset += size
    if offset != end:
        raise ValueError(f"its files end at byte {offset}, the archive's at {end}")
    return entries


def _log(block: Any, index: Any, address: Any, topics: Any, data: Any) -> Log:
    if len(_octets(address)) != 20:
        raise ValueError(f"{address} is no address")
    return Log(
        BlockNumber(_number(block)), _number(index), address, tuple(_octets(t, 32) for t in topics), _octets(data)
    )


def _block(row: Any) -> Block:
    number, timestamp, own, parent = row
    return Block(BlockNumber(_number(number)), Timestamp(_number(timestamp)), _octets(own, 32), _octets(parent, 32))


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**256:
        raise ValueError(f"{value!r:.60} is no number")
    return value


def _octets(value: Any, size: int | None = None) -> bytes:
    if not isinstance(value, str) or not _HEX.fullmatch(value) or (size is not None and len(value) != 2 + 2 * size):
        raise ValueError(f"{value!r:.60} is not hexadecimal of that length")
    return bytes.fromhex(value[2:])


def _address(value: Any) -> Address:
    if not isinstance(value, str) or not is_checksum_address(value):
        raise ValueError(f"{value!r:.60} is no address")
    return Address(value)
