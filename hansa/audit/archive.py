"""A finished job in one file that anybody can audit without chain or store: `job-N.hansa`.

`hansa-job-2\\n` | the files, by digest | the index: digest (32 bytes) and size (8) of each file | the facts, RLP |
bytes of index and facts (8 each) | SHA-256 of all but the files. No byte is outside of what is checked: files have
digests, everything else that SHA-256; what the facts say is proven from one block's hash (`hansa.audit.facts`). The
same facts and files always give the same archive.

What is read of strangers takes no more memory than it has bytes: nothing is parsed into objects but what is looked at.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from hansa.audit.facts import Facts, read_facts
from hansa.audit.report import Finding, Wrong
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, HansaError, NotFound
from hansa.protocol.types import Digest
from hansa.runtime.files import unwritable
from hansa.runtime.store import Store
from hansa.runtime.store.base import checked
from hansa.runtime.transactions.strict_rlp import BadRlp

KIND: Final = b"hansa-job-"
MAGIC: Final = KIND + b"2\n"
FOOTER: Final = 8 + 8 + 32
ROW: Final = 32 + 8  # bytes of a file in the index
MOST: Final = 2**30  # bytes of index and facts


@dataclass(frozen=True)
class FileEntry:
    """Where a file is."""

    offset: int
    size: int


class FileIndex(Mapping[Digest, FileEntry]):
    """The files of an archive, ascending by digest, as they stand in it."""

    def __init__(self, rows: bytes, end: int) -> None:
        """Wrong where the rows are out of order, or their files don't fill the archive up to `end`."""
        self._rows, self._offsets = rows, array("Q")
        offset, last = len(MAGIC), b""
        for at in range(0, len(rows), ROW):
            digest, size = rows[at : at + 32], rows[at + 32 : at + ROW]
            if digest <= last:
                raise Wrong(Finding("files of the archive", "each once, in order", to_cid(Digest(digest))))
            self._offsets.append(offset)
            offset, last = offset + int.from_bytes(size, "big"), digest
            if offset > end:
                break
        if offset != end:
            raise Wrong(Finding("the end of the archive's files", str(end), str(offset)))
        self._offsets.append(offset)

    def __len__(self) -> int:
        return len(self._rows) // ROW

    def __iter__(self) -> Iterator[Digest]:
        return map(self._digest, range(len(self)))

    def __getitem__(self, digest: Digest) -> FileEntry:
        place = bisect_left(range(len(self)), digest, key=self._digest)
        if place == len(self) or self._digest(place) != digest:
            raise KeyError(digest)
        offset, end = self._offsets[place : place + 2]
        return FileEntry(offset, end - offset)

    def _digest(self, place: int) -> Digest:
        return Digest(self._rows[ROW * place : ROW * place + 32])


class Archive:
    """An open archive: its facts, and its files as a store that can't be written to."""

    def __init__(self, file: BinaryIO, facts: Facts, entries: FileIndex) -> None:
        self._file = file
        self.facts = facts
        self.entries = entries
        self.read: set[Digest] = set()

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Raises Wrong for a file that is no archive, or not as it was written; FatalError if it can't be read, or is
        of another version."""
        try:
            file = path.open("rb")
        except OSError as error:
            raise FatalError(f"{path} can't be read", cause=error.strerror) from error
        try:
            _check_version(path, file.read(len(MAGIC)))
            index, facts = _tail(file)
            return cls(file, facts, index)
        except BaseException:
            file.close()
            raise

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
        return self._read(digest, entry, limit)

    def check(self, digest: Digest, entry: FileEntry) -> None:
        """WrongBytes where a file is not what its digest names."""
        self._read(digest, entry, entry.size)

    def _read(self, digest: Digest, entry: FileEntry, limit: int) -> bytes:
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


def _check_version(path: Path, head: bytes) -> None:
    if head == MAGIC:
        return
    version = head.removeprefix(KIND)
    if head.startswith(KIND) and version[:-1].isdigit():
        older = version == b"1\n"
        raise FatalError(
            f"{path} is an archive of version {version[:-1].decode()}; this is read as version 2 alone",
            cause="it proves nothing: nothing binds it to a block" if older else "a newer Hansa wrote it",
            next_step="write it anew from the chain with `hansa audit JOB --export FILE`" if older else "update Hansa",
        )
    raise Wrong(Finding("the file's beginning", repr(MAGIC), repr(head)))


def _tail(file: BinaryIO) -> tuple[FileIndex, Facts]:
    """Index and facts, as they were written."""
    size = file.seek(0, os.SEEK_END)
    if size < len(MAGIC) + FOOTER:
        raise Wrong(Finding("the archive's length", "a whole archive's", str(size)))
    file.seek(size - FOOTER)
    footer = file.read(FOOTER)
    lengths = [int.from_bytes(footer[at : at + 8], "big") for at in (0, 8)]
    end = size - FOOTER - sum(lengths)
    if end < len(MAGIC) or sum(lengths) > MOST or lengths[0] % ROW:
        raise Wrong(Finding("lengths of index and facts", "such that fit the file", f"{lengths[0]} and {lengths[1]}"))
    file.seek(end)
    index, facts = map(file.read, lengths)
    found = _seal(index, facts, footer[:16])
    if found != footer[16:]:
        said = ("0x" + footer[16:].hex(), "0x" + found.hex())
        raise Wrong(Finding("the archive's digest (index and facts)", *said))
    try:
        return FileIndex(index, end), read_facts(facts)
    except BadRlp as error:
        raise Wrong(Finding("the archive's facts", "those of a job", str(error))) from error


def _seal(*parts: bytes) -> bytes:
    digest = hashlib.sha256(MAGIC)
    for part in parts:
        digest.update(part)
    return digest.digest()


def write_archive(path: Path, facts: Facts, digests: Sequence[tuple[Digest, int]], store: Store) -> list[Digest]:
    """Writes an archive, whole or not at all. Returns the files that the store does not have.

    digests: the job's files, each with the largest size that its job allows.
    """
    missing: list[Digest] = []
    index = bytearray()
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as out:
            out.write(MAGIC)
            for digest, limit in sorted(digests):
                try:
                    data = store.get(digest, limit=limit, timeout=30.0)
                except HansaError:
                    missing.append(digest)
                    continue
                out.write(data)
                index += digest + len(data).to_bytes(8, "big")
            encoded = facts.encode()
            lengths = len(index).to_bytes(8, "big") + len(encoded).to_bytes(8, "big")
            out.write(bytes(index) + encoded + lengths + _seal(bytes(index), encoded, lengths))
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return missing
