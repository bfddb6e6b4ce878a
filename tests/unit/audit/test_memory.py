"""Reading an archive of a stranger takes no more memory than three times its size, whatever is in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from test_archive_file import EVENT, header, parts, sealed

from hansa.audit.archive import FOOTER, ROW, Archive
from hansa.runtime.transactions.strict_rlp import Item, decode, encode

JOB = Path(__file__).parents[2] / "vectors" / "job-1.hansa"
LARGE = 8 * 10**6  # bytes
READING = """
import sys
from pathlib import Path
from hansa.audit.run import audit_archive
from hansa.runtime.chain.abi import artifact
def held(name):
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status[name].split()[0])
for name in ("Federation", "Vault", "Terms"): artifact(name)
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
before = held("VmRSS")
report, _ = audit_archive(Path(sys.argv[1]))
print(report.exit_code, held("VmHWM") - before)
print(str(report.wrong[0])[:200] if report.wrong else "holds")
"""


def listed(item: bytes, count: int) -> bytes:
    """The RLP of a list of so many times one item, made without making them."""
    body = len(item) * count
    width = (body.bit_length() + 7) // 8
    return bytes([0xF7 + width]) + body.to_bytes(width, "big") + item * count


def packed(**changes: bytes) -> bytes:
    names = ("chain", "federation", "vault", "library", "job", "at", "nodes", "events", "transactions")
    return joined([changes.get(name, encode(part)) for name, part in zip(names, parts(at=header()), strict=True)])


def joined(items: list[bytes]) -> bytes:
    """The RLP of a list of what is RLP already."""
    body = b"".join(items)
    width = (len(body).bit_length() + 7) // 8
    return bytes([0xF7 + width]) + len(body).to_bytes(width, "big") + body


def of(item: Item, size: int = LARGE) -> bytes:
    encoded = encode(item)
    return listed(encoded, size // len(encoded))


def small_nodes() -> bytes:
    """The shortest that are, ascending."""
    least = 2**255
    nodes = b"".join(b"\xa0" + number.to_bytes(32, "big") for number in range(least, least + LARGE // 33))
    return listed(nodes, 1)


def job(**changes: bytes) -> bytes:
    """The recorded job's facts, whose events lead to their end, with other parts."""
    with Archive.open(JOB) as archive:
        own = decode(archive.facts.encode(), 3)
    assert isinstance(own, list)
    names = ("chain", "federation", "vault", "library", "job", "at", "nodes", "events", "transactions")
    return joined([changes.get(name, encode(part)) for name, part in zip(names, own, strict=True)])


def bomb() -> bytes:
    """A signed bundle whose calls are all the same megabyte."""
    count = 20_000
    head = [32, count, *[32 * count] * count, 2**20]
    data = bytes.fromhex("ac9650d8") + b"".join(word.to_bytes(32, "big") for word in head) + bytes(2**20)
    return of(encode([b"\1", b"\1", b"\1", b"\x11" * 20, b"", data, b"\x1b", b"\1" * 32, b"\1" * 32]))


with Archive.open(JOB) as recorded:
    SENT: Item = next(iter(recorded.facts.transactions))

HOSTILE: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "lists of nothing": lambda: (b"", b"\xc0" * LARGE),
    "a list of lists of nothing": lambda: (b"", of([])),
    "events of nothing": lambda: (b"", packed(events=of([]))),
    "events": lambda: (b"", packed(events=of(EVENT))),
    "nodes": lambda: (b"", packed(nodes=small_nodes())),
    "one node": lambda: (b"", packed(nodes=listed(encode(b"a" * LARGE), 1))),
    "transactions of a byte": lambda: (b"", packed(transactions=of(b"\1"))),
    "bundles": lambda: (b"", packed(transactions=bomb())),
    "lists within lists": lambda: (b"", packed(transactions=b"\xc1" * LARGE)),
    "files of nothing": lambda: (bytes(ROW) * (LARGE // ROW), b""),
    "a job and nodes": lambda: (b"", job(nodes=small_nodes())),
    "a job and transactions": lambda: (b"", job(transactions=of(SENT))),
    "a job and files": lambda: (b"".join(i.to_bytes(32, "big") + bytes(8) for i in range(1, LARGE // ROW)), job()),
    "files": lambda: (b"".join(i.to_bytes(32, "big") + bytes(8) for i in range(1, LARGE // ROW)), packed()),
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_archive__of_a_stranger__takes_three_times_its_size_at_most(
    tmp_path: Path, made: Callable[[], tuple[bytes, bytes]]
) -> None:
    path = sealed(tmp_path / "job.hansa", *made())
    done = subprocess.run([sys.executable, "-c", READING, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    code, taken = map(int, done.stdout.splitlines()[0].split())
    assert code == 1
    assert taken <= 3 * path.stat().st_size, done.stdout
    assert path.stat().st_size > FOOTER
