"""Archives of strangers: what is in them is what was written, and they say which version they are of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from hansa.audit.archive import MAGIC, Archive, _seal, write_archive
from hansa.audit.facts import Facts, read_facts
from hansa.audit.proof.header import header_bytes
from hansa.audit.proof.state import StateProof
from hansa.audit.report import Wrong
from hansa.protocol.cid import digest_of
from hansa.protocol.errors import FatalError, NotFound, TooLarge
from hansa.protocol.types import Address, BlockNumber, JobId, Timestamp
from hansa.runtime.chain.client import Block, Log
from hansa.runtime.store import LocalStore
from hansa.runtime.transactions.strict_rlp import BadRlp, Item, encode, number_bytes

FEDERATION, VAULT, LIBRARY = (Address("0x" + digits * 20) for digits in ("11", "22", "33"))
AT = Block(BlockNumber(9), Timestamp(1000), b"\7" * 32, b"\6" * 32)
TOPICS = (b"\1" * 32, b"\2" * 32)
FACTS = Facts(
    chain_id=5,
    federation=FEDERATION,
    vault=VAULT,
    library=LIBRARY,
    job=JobId(3),
    at=AT,
    proof=None,
    events=[
        Log(BlockNumber(7), 0, FEDERATION, TOPICS, b""),
        Log(BlockNumber(8), 1, VAULT, TOPICS[:1], b"data" * 20),
    ],
    transactions=[b"\x02raw", b"\xc0"],
)
FILES = [b"a model", b"", b"an update" * 100]


def header() -> bytes:
    names = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom",
             "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce")  # fmt: skip
    fields: list[Item] = [bytes([number]) * 32 for number, _ in enumerate(names)]
    fields[7:12] = [b"", b"\x09", b"\1", b"\1", number_bytes(1000)]
    return encode(fields)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "store").mkdir()
    made = LocalStore(tmp_path / "store")
    for data in FILES:
        made.put(data)
    return made


@pytest.fixture
def written(store: LocalStore, tmp_path: Path) -> Path:
    path = tmp_path / "job-3.hansa"
    assert write_archive(path, FACTS, [(digest_of(data), 10_000) for data in FILES], store) == []
    return path


def same(one: Facts, other: Facts) -> bool:
    return one.encode() == other.encode()


# --- there and back


def test_archive__holds_what_was_written(written: Path) -> None:
    with Archive.open(written) as archive:
        facts = archive.facts
        assert (facts.chain_id, facts.federation, facts.vault, facts.job, facts.at) == (5, FEDERATION, VAULT, 3, AT)
        assert facts.library == LIBRARY
        assert facts.proof is None
        assert list(facts.events) == list(facts.events) == FACTS.events and len(facts.events) == 2
        assert list(facts.transactions) == FACTS.transactions
        assert same(facts, FACTS)
        assert list(archive.entries) == sorted(digest_of(data) for data in FILES)
        for data in FILES:
            assert archive.get(digest_of(data), limit=1000, timeout=0) == data and archive.has(digest_of(data))
        with pytest.raises(TooLarge):
            archive.get(digest_of(FILES[2]), limit=899, timeout=0)
        with pytest.raises(NotFound):
            archive.get(digest_of(b"another"), limit=10, timeout=0)


def test_facts__with_a_proof__name_its_block() -> None:
    proof = StateProof(header(), (b"a" * 40, b"b" * 40))
    facts = read_facts(replace(FACTS, proof=proof).encode())
    assert facts.at == Block(BlockNumber(9), Timestamp(1000), keccak(header()), bytes(32))
    assert facts.proof is not None and facts.proof.header == header() and list(facts.proof.nodes) == list(proof.nodes)
    assert header_bytes({}) is None


def test_archive__is_deterministic__in_whatever_order_its_files_are_named(
    written: Path, store: LocalStore, tmp_path: Path
) -> None:
    again = tmp_path / "again.hansa"
    write_archive(again, FACTS, [(digest_of(data), 10_000) for data in reversed(FILES)], store)
    assert again.read_bytes() == written.read_bytes()


def test_archive__of_a_store_without_a_file__says_which(store: LocalStore, tmp_path: Path) -> None:
    lost, path = digest_of(b"lost"), tmp_path / "job.hansa"
    assert write_archive(path, FACTS, [(lost, 10), (digest_of(FILES[0]), 10)], store) == [lost]
    with Archive.open(path) as archive:
        assert list(archive.entries) == [digest_of(FILES[0])]


# --- changed


def test_archive__any_byte_flipped__is_found(written: Path) -> None:
    whole = written.read_bytes()
    files = sum(map(len, FILES))
    for place in range(len(whole)):
        written.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        if len(MAGIC) <= place < len(MAGIC) + files:
            with Archive.open(written) as archive, pytest.raises(Exception, match="Qm"):
                for digest in archive.entries:
                    archive.get(digest, limit=10_000, timeout=0)
        else:
            with pytest.raises((Wrong, FatalError)):
                Archive.open(written)


@pytest.mark.parametrize("end", [0, 5, 12, 60, -1])
def test_archive__cut_short__is_found(written: Path, end: int) -> None:
    written.write_bytes(written.read_bytes()[:end])
    with pytest.raises(Wrong):
        Archive.open(written)


@pytest.mark.parametrize(
    ("head", "said"),
    [(b"hansa-job-1\n", "version 1.*proves nothing.*--export"), (b"hansa-job-3\n", "version 3.*newer.*update Hansa")],
)
def test_archive__of_another_version__is_refused_by_name(written: Path, head: bytes, said: str) -> None:
    written.write_bytes(head + written.read_bytes()[len(MAGIC) :])
    with pytest.raises(FatalError, match=said):
        Archive.open(written)


def sealed(path: Path, index: bytes, facts: bytes, files: bytes = b"") -> Path:
    """An archive with whatever in it, and a digest that is right."""
    lengths = len(index).to_bytes(8, "big") + len(facts).to_bytes(8, "big")
    path.write_bytes(MAGIC + files + index + facts + lengths + _seal(index, facts, lengths))
    return path


def row(data: bytes, size: int | None = None) -> bytes:
    return digest_of(data) + (len(data) if size is None else size).to_bytes(8, "big")


ONE, OTHER = sorted((b"one", b"two"), key=digest_of)


@pytest.mark.parametrize(
    "index",
    [
        row(OTHER) + row(ONE),
        row(ONE) + row(ONE),
        row(ONE),
        row(ONE) + row(OTHER, 4),
        row(ONE, 2**63) + row(OTHER, 2**63),
        row(ONE) + row(OTHER) + row(OTHER, 2**64 - 1),
        row(ONE) + row(OTHER)[:-1],
        b"",
    ],
)
def test_index__that_does_not_fit_its_files__is_refused(tmp_path: Path, index: bytes) -> None:
    with pytest.raises(Wrong):
        Archive.open(sealed(tmp_path / "job.hansa", index, FACTS.encode(), ONE + OTHER))
    Archive.open(sealed(tmp_path / "job.hansa", row(ONE) + row(OTHER), FACTS.encode(), ONE + OTHER))


EVENT: list[Item] = [b"\7", b"", b"\1" * 32, b""]


def parts(**changes: Item) -> list[Item]:
    own: dict[str, Item] = {
        "chain": b"\5", "federation": b"\x11" * 20, "vault": b"\x22" * 20, "library": b"\x33" * 20,
        "job": b"\3",
        "at": [b"\x09", b"\x0a", b"\7" * 32, b"\6" * 32], "nodes": [], "events": [EVENT], "transactions": [],
    }  # fmt: skip
    return list((own | changes).values())


ODD_FACTS: dict[str, bytes] = {
    "nothing": b"",
    "a string": encode(b"facts"),
    "a part less": encode(parts()[:-1]),
    "a part more": encode([*parts(), b""]),
    "a padded number": encode(parts(chain=b"\0\5")),
    "a large job": encode(parts(job=b"\1" * 33)),
    "a short address": encode(parts(vault=b"\1" * 19)),
    "a list of addresses": encode(parts(vault=[b"\1" * 20])),
    "a long address": encode(parts(library=b"\1" * 21)),
    "no header": encode(parts(at=b"header")),
    "a short hash": encode(parts(at=[b"\x09", b"\x0a", b"\7" * 31, b"\6" * 32])),
    "no parent": encode(parts(at=[b"\x09", b"\x0a", b"\7" * 32])),
    "nodes of no state": encode(parts(nodes=[b"a" * 40])),
    "no list of events": encode(parts(events=b"")),
    "bytes after it": encode(parts()) + b"\0",
}
ODD_EVENTS: dict[str, Item] = {
    "no list": b"event",
    "a part less": EVENT[:-1],
    "a part more": [*EVENT, b""],
    "a third contract": [*EVENT[:1], b"\2", *EVENT[2:]],
    "no topic": [*EVENT[:2], b"", b""],
    "half a topic": [*EVENT[:2], b"\1" * 48, b""],
    "five topics": [*EVENT[:2], b"\1" * 160, b""],
    "a padded block": [b"\0\7", *EVENT[1:]],
    "a late block": [b"\xff" * 8, *EVENT[1:]],
    "a list of data": [*EVENT[:3], [b""]],
    "data of no end": [*EVENT[:3], b"\1" * (2**16 + 1)],
}


@pytest.mark.parametrize("facts", ODD_FACTS.values(), ids=ODD_FACTS)
def test_facts__that_are_none__are_refused(tmp_path: Path, facts: bytes) -> None:
    with pytest.raises(Wrong):
        Archive.open(sealed(tmp_path / "job.hansa", b"", facts))


@pytest.mark.parametrize("event", ODD_EVENTS.values(), ids=ODD_EVENTS)
def test_event__that_is_none__is_refused_when_it_is_read(event: Item) -> None:
    assert list(read_facts(encode(parts())).events)
    facts = read_facts(encode(parts(events=[EVENT, event])))
    with pytest.raises(BadRlp):
        list(facts.events)


@pytest.mark.parametrize("part", ["nodes", "transactions"])
def test_parts__too_long_or_lists__are_refused_when_they_are_read(part: str) -> None:
    for item in ([b"a"], b"a" * (2**21 + 1)):
        facts = read_facts(encode(parts(at=header(), **{part: [item]})))
        assert facts.proof is not None
        with pytest.raises(BadRlp):
            list(facts.proof.nodes if part == "nodes" else facts.transactions)
