"""Decoders of files on a party's own disk, which others may have written: keys, deployments, journals, data."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from eth_account import Account

from benchmarks.fuzzing.chain import ARCHIVE
from benchmarks.fuzzing.mutate import json_text, octets
from benchmarks.fuzzing.shapes import either, gzipped, repaired
from benchmarks.fuzzing.target import Target
from client.committee_keys import read_pinned_keys
from client.guard_file import GuardFile
from client.privacy.accountant import Cost
from client.privacy.budget import Noise
from client.privacy.ledger import Budget, PrivacyLedger, Release
from hansa.audit.archive import FOOTER, MAGIC, Archive, _seal
from hansa.audit.openers import read_keys
from hansa.audit.report import Wrong
from hansa.devnet.chain_file import ChainFile
from hansa.devnet.folder import MARK, Devnet
from hansa.protocol import content_keys, envelope
from hansa.protocol.errors import BadKey, FatalError, HansaError, NotFound, TransientError, WrongBytes
from hansa.protocol.masked.guard import Guarded
from hansa.protocol.types import Address, Digest
from hansa.runtime import deploy_progress, secrets
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.journal import Journal
from hansa.runtime.journal import _seal as seal_entry
from hansa.runtime.key_ring import KeyRing
from hansa.runtime.keystore import Keyfile
from hansa.runtime.log import open_log
from hansa.runtime.transactions.strict_rlp import BadRlp
from hansa.tasks.fashion.pictures import read_pictures
from hansa.tasks.images import MAGIC_IMAGES, MAGIC_LABELS, read_idx
from hansa.tasks.loading import _only_task
from hansa.tasks.rows import number, read_lines, read_table, rows_of
from hansa.tasks.traffic import _read as read_counts

WHO: Final = Address("0x" + "22" * 20)
PASSWORD: Final = "a password"
SOME: Final = bytes(range(8))
RELEASE: Final = Release("31337/0x", 7, WHO, b"\1" * 32)
NOISE: Final = Noise("row", 1, 2.0, 2.0)
BUDGET: Final = Budget(3.0, 1e-5, "row, 1 steps, clip 1.0, None colluders")


@cache
def folder() -> Path:
    """Of this process, in memory where there is a place for that."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="hansa-fuzz-", dir=memory if memory.is_dir() else None))


def _in_file(name: str, read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """A decoder of a file as one of its bytes."""

    def decode(data: bytes) -> Any:
        path = folder() / name
        for beside in (path, *(path.with_name(name + end) for end in ("-wal", "-shm", "-journal"))):
            beside.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return read(path)

    return decode


def _made(name: str, write: Callable[[Path], Any]) -> Callable[[], Iterable[bytes]]:
    """A file's bytes once something has written it."""

    def seeds() -> Iterable[bytes]:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / name
            write(path)
            return [path.read_bytes()]

    return seeds


def _keystores() -> Iterable[bytes]:
    for kdf, cost in (("scrypt", 2), ("pbkdf2", 1)):
        yield json.dumps(Account.encrypt(b"\1" * 32, PASSWORD, kdf=kdf, iterations=cost)).encode()


def _deployments() -> Iterable[bytes]:
    places = dict.fromkeys(("federation", "vault", "token", "admission"), WHO)
    small: dict[str, Any] = {
        "name": "n",
        "chain_id": 31337,
        "rpc": ["http://127.0.0.1:8545"],
        "first_block": 3,
        "store": {"kind": "local", "path": "x"},
        **places,
    }
    more: dict[str, Any] = {"ws": "ws://x", "committee": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "gateway": "https://x/ipfs/", "explorer": "https://x.org/a",
            "confirmations": "finalized", "allowed": {"tokens": [WHO], "tasks": ["a:B"]}}  # fmt: skip
    return [
        json.dumps(one).encode()
        for one in (small, {**small, **more}, {**small, "confirmations": 5, "rpc": ["https://${KEY}.x/"]})
    ]


def _told_deployment(found: Deployment) -> str:
    committee = found.committee or "null"
    return " ".join(
        [
            str(found.chain_id),
            found.federation,
            found.vault,
            found.token,
            found.admission,
            committee,
            str(found.first_block),
            str(len(found.rpc)),
        ]
    )


def _read_journal(path: Path) -> Any:
    with Journal(path, open_log()) as journal:
        value = journal.recall(("decided", 1, b"\2"))
        if value is not None:
            journal.replace(("decided", 1, b"\2"), value)
        return value, journal.sent()


def _write_journal(path: Path) -> None:
    with Journal(path, open_log()) as journal:
        journal.remember(("decided", 1, b"\2"), lambda: {"a": [1, None, b"x"], "$": "y"})
        journal.add_sent(b"\3" * 32, 4, ("decided", 1), {"raw": b"\4"})
        journal._db.execute("PRAGMA journal_mode = DELETE")


JOURNAL_SEEDS: Final = [b'{"a":1}', b'{"b":{"$bytes":"0102"}}', b"[]"]


@cache
def _open_journal() -> Journal:
    return Journal(folder() / "entries", open_log())


def _entry(data: bytes) -> Any:
    """An entry whose seal is right, whoever wrote it."""
    journal, name = _open_journal(), "entry"
    text = data.decode("utf-8", "replace")
    return journal._unsealed(name, (text, seal_entry(name, text)))


def _write_ledger(path: Path) -> None:
    with PrivacyLedger(path) as ledger:
        ledger.charge([SOME, b"\7" * 8], RELEASE, lambda spent, others: NOISE, BUDGET)
        ledger.give([SOME], RELEASE, NOISE, BUDGET)
        ledger._db.execute("PRAGMA journal_mode = DELETE")


def _read_ledger(path: Path) -> Any:
    with PrivacyLedger(path) as ledger:
        return ledger.standing(RELEASE.place, 7, WHO), ledger.spent([SOME]), ledger.count()


def _rows_of_ledger(data: bytes) -> Any:
    """data: JSON of a release's and a family's values, whatever SQLite holds in their places."""
    said = _objects(data)
    path = folder() / "rows.sqlite"
    for beside in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        beside.unlink(missing_ok=True)
    path.write_bytes(_ledger_bytes())
    with (
        contextlib.closing(sqlite3.connect(path)) as database,
        contextlib.suppress(sqlite3.Error, UnicodeEncodeError, OverflowError),
        database,
    ):
        for table in ("releases", "families", "rows"):
            values = said.get(table)
            for column, value in (values if isinstance(values, dict) else {}).items():
                if str(column).isidentifier() and isinstance(value, str | int | float | bytes | None):
                    database.execute(f"UPDATE {table} SET {column} = ?", (value,))
    with PrivacyLedger(path) as ledger:
        standing, spent = ledger.standing(RELEASE.place, 7, WHO), ledger.spent([SOME])
        ledger.charge([SOME], RELEASE, lambda spent, others: NOISE, BUDGET)
        return standing, spent


@cache
def _ledger_bytes() -> bytes:
    return next(iter(_made("privacy.sqlite", _write_ledger)()))


def _objects(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _guard(path: Path) -> Any:
    guard = GuardFile(path)
    guard.add(Guarded("w2", Digest(bytes(32)), "here"), WHO)
    return guard.known("w", "there", WHO)


def _ring(path: Path) -> Any:
    ring = KeyRing(path, b"\1" * 32)
    try:
        return [ring.secret_of(public) for public in ring.made()], ring.make()
    finally:
        ring.close()


def _write_ring(path: Path) -> None:
    ring = KeyRing(path, b"\1" * 32)
    ring.make()
    ring._run("PRAGMA journal_mode = DELETE")
    ring.close()


def _reseal(data: bytes) -> bytes:
    """An archive with its digest made again."""
    if len(data) < len(MAGIC) + FOOTER:
        return data
    lengths = data[-FOOTER:][:16]
    end = len(data) - FOOTER - sum(int.from_bytes(lengths[at : at + 8], "big") for at in (0, 8))
    return data[:-32] + _seal(data[max(end, 0) : -FOOTER], lengths)


def _read_archive(path: Path) -> Any:
    with Archive.open(path) as archive:
        found = [bytes(archive.get(digest, limit=2**20, timeout=1.0)) for digest in archive.entries]
        return found, list(archive.facts.events), list(archive.facts.transactions)


def _archives() -> Iterable[bytes]:
    with Archive.open(ARCHIVE) as archive:
        facts = archive.facts.encode()
    parts = (b"", facts), (hashlib.sha256(b"x").digest() + (3).to_bytes(8, "big"), facts)
    for index, told in parts:
        body = MAGIC + (b"abc" if index else b"") + index + told
        yield _reseal(body + len(index).to_bytes(8, "big") + len(told).to_bytes(8, "big") + bytes(32))


CSV: Final = [
    b"a,b,yes\n1.5,-2,1\n3,4e5,0\n",
    b'\xef\xbb\xbfa,"b",yes\r\n"1",2,0\r\n',
    b"yes,a,b,c\n0,1,2,x\n\n1,.5,+6.,y\n",
]


def _csv(path: Path) -> Any:
    rows = rows_of(
        read_lines(path, ["a", "b", "yes"]),
        lambda line: [number(line, "a"), number(line, "b", whole=True)],
        "yes",
        ["a", "b", "yes"],
    )
    return rows, read_table(path, ["b", "a"])


def _counts() -> Iterable[bytes]:
    hours = "".join(f"{hour},{hour % 7},\n" for hour in range(3))
    return [("hour,north,south\n" + hours).encode(), ("hour,n\n" + "".join(f"{h},{h}\n" for h in range(200))).encode()]


def _idx(magic: bytes, *sides: int) -> bytes:
    return magic + b"".join(side.to_bytes(4, "big") for side in sides) + bytes(int(np.prod(sides)))


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    side = (28).to_bytes(4, "big")
    lines = b"".join(bytes([line % 5]) + bytes(range(28)) for line in range(28))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", side + side + b"\x08\0\0\0\0")
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def _npy() -> bytes:
    file = BytesIO()
    np.lib.format.write_array(file, np.zeros((1, 28, 28), np.uint8))
    return file.getvalue()


def _labels(path: Path) -> Any:
    try:
        return read_idx(path, MAGIC_LABELS)
    except (ValueError, OSError, EOFError, zlib.error) as error:  # what `read_rows` takes for a file that is none
        raise FatalError(f"{path} is no idx file", cause=error) from error


def _progress(path: Path) -> Any:
    return deploy_progress._read(path)


FATAL = (FatalError,)
FILES = (FatalError, TransientError)
TARGETS: Final = (
    Target("keystore", "a key file", _in_file("key.json", lambda path: (Keyfile.address(path), Keyfile.load(path, PASSWORD))), (BadKey,), _keystores, "key",
           json_text),
    Target("deployment", "deployment.json", _in_file("deployment.json", Deployment.load), FATAL, _deployments, "deployment", json_text, told=_told_deployment),
    Target("pinned-keys", "pinned keys", _in_file("pinned.json", read_pinned_keys), FATAL,
           lambda: [json.dumps({WHO: "0x" + envelope.public_key(b"\1" * 32).hex()}).encode()], "--pin-keys", json_text),
    Target("key-file", "a file of published content keys", _in_file("keys.json", read_keys), FATAL,
           lambda: [content_keys.encode_keys({Digest(b"\1" * 32): b"\2" * 32})], "content keys", json_text),
    Target("deploying", "a deployment under way", _in_file("deploying.json", _progress), FATAL,
           lambda: [json.dumps({"chain_id": 1, "account": WHO, "first_block": 2, "id": "ab", "contracts": {"Vault": WHO}}).encode()], "deploying", json_text),
    Target("chain-file", "a local chain's processes", _in_file("chain.json", lambda path: ChainFile.load(path.parent)), (),
           lambda: [b'{"url": "http://127.0.0.1:1", "pids": [1, 2], "owner": 0}'], mutate=json_text),
    Target("devnet", "a local chain's mark", _in_file(MARK, lambda path: Devnet.load(path.parent)), FATAL,
           lambda: [b'{"maker": "up", "trainers": 2, "validators": 1, "gas_limit": 5, "url": "u", "federation": null, "chain": "anvil", "store": "local"}'],
           "can't be read", json_text),
    Target("secrets", "secrets.env", _in_file("secrets.env", secrets._read), FATAL, lambda: [b"A=b\nexport C = 'd'\n# no\n"], "secrets.env"),
    Target("archive", "an archive", _in_file("job.hansa", _read_archive), (Wrong, FatalError, WrongBytes, NotFound, BadRlp), _archives,
           mutate=either(repaired(_reseal), octets)),
    Target("journal", "a journal", _in_file("a.journal", _read_journal), FILES, _made("a.journal", _write_journal), "journal"),
    Target("journal-entry", "a journal's entry, sealed", _entry, FATAL, lambda: JOURNAL_SEEDS, "journal", json_text),
    Target("privacy-file", "privacy.sqlite", _in_file("privacy.sqlite", _read_ledger), FILES, _made("privacy.sqlite", _write_ledger), "privacy.sqlite"),
    Target("privacy-rows", "rows of privacy.sqlite", _rows_of_ledger, FILES,
           lambda: [json.dumps({"releases": {"noise": NOISE.encode(), "terms": "t", "given": 0}, "families": {"row": 1.5}, "rows": {}}).encode()],
           "rows.sqlite", json_text),
    Target("noise", "a release's noise", Noise.decode, FATAL, lambda: [NOISE.encode().encode()], "noise", json_text),
    Target("guard-file", "the guard's file", _in_file("guard.sqlite", _guard), FILES, _made("guard.sqlite", lambda path: GuardFile(path).add(Guarded("w", Digest(bytes(32)), "o"), WHO)), "guard.sqlite"),
    Target("key-ring", "the file of X25519 secrets", _in_file("ring.sqlite", _ring), FILES, _made("ring.sqlite", _write_ring), "ring.sqlite"),
    Target("csv", "a CSV file of rows", _in_file("rows.csv", _csv), FATAL, lambda: CSV, "rows.csv|data file"),
    Target("counts", "a CSV file of counts", _in_file("counts.csv", read_counts), FATAL, _counts, "counts.csv"),
    Target("idx", "an idx file", _in_file("labels", _labels), FATAL, lambda: [_idx(MAGIC_LABELS, 5)], "labels"),
    Target("idx-packed", "a packed idx file", _in_file("labels.gz", _labels), FATAL, lambda: [gzip.compress(_idx(MAGIC_LABELS, 5), 1, mtime=0)], "labels.gz", gzipped),
    Target("pictures", "pictures", _in_file("some.png", read_pictures), FATAL, lambda: [_png()], "some.png"),
    Target("pictures-npy", "pictures as numpy writes them", _in_file("some.npy", read_pictures), FATAL, lambda: [_npy()], "some.npy"),
    Target("pictures-idx", "pictures in an idx file", _in_file("some.idx", read_pictures), FATAL, lambda: [_idx(MAGIC_IMAGES, 1, 28, 28)], "some.idx"),
    Target("task-file", "a task's Python file", _in_file("task.py", _only_task), FATAL,
           lambda: [b"class A:\n    def train(self):\n        pass\n", b"class _A: ...\nclass B: ...\nx = [1, (2, {3: 4})]\n"], "task file"),
)  # fmt: skip

_ = (Cost, HansaError)
