"""Decoders of files on a party's own disk, which others may have written: keys, deployments, journals, archives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from benchmarks.fuzzing.files import in_file
from benchmarks.fuzzing.mutate import json_text, octets
from benchmarks.fuzzing.recorded import ARCHIVE
from benchmarks.fuzzing.shapes import either, repaired
from benchmarks.fuzzing.target import Target
from client.committee_keys import read_pinned_keys
from hansa.audit.archive import FOOTER, MAGIC, Archive, _seal
from hansa.audit.openers import read_keys
from hansa.audit.report import Wrong
from hansa.devnet.chain_file import ChainFile
from hansa.devnet.folder import MARK, Devnet
from hansa.protocol import content_keys, envelope
from hansa.protocol.errors import BadKey, FatalError, NotFound, TransientError, WrongBytes
from hansa.protocol.types import Address, Digest
from hansa.runtime import deploy_progress, secrets
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.keystore import Keyfile
from hansa.runtime.transactions.strict_rlp import BadRlp

PASSWORD: Final = "a password"
WHO: Final = Address("0x" + "22" * 20)


def _keystores() -> Iterable[bytes]:
    yield json.dumps(Account.encrypt(b"\1" * 32, PASSWORD, kdf="scrypt", iterations=2)).encode()
    yield json.dumps(Account.encrypt(b"\1" * 32, PASSWORD, kdf="pbkdf2", iterations=1)).encode()


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
    more: dict[str, Any] = {
        "ws": "ws://x",
        "committee": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "gateway": "https://x/ipfs/",
        "explorer": "https://x.org/a",
        "confirmations": "finalized",
        "allowed": {"tokens": [WHO], "tasks": ["a:B"]},
    }
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


FATAL = (FatalError,)


FILES = (FatalError, TransientError)


TARGETS: Final = (
    Target(
        "keystore",
        "a key file",
        in_file("key.json", lambda path: (Keyfile.address(path), Keyfile.load(path, PASSWORD))),
        (BadKey,),
        _keystores,
        "key",
        json_text,
    ),
    Target(
        "deployment",
        "deployment.json",
        in_file("deployment.json", Deployment.load),
        FATAL,
        _deployments,
        "deployment",
        json_text,
        told=_told_deployment,
    ),
    Target(
        "pinned-keys",
        "pinned keys",
        in_file("pinned.json", read_pinned_keys),
        FATAL,
        lambda: [json.dumps({WHO: "0x" + envelope.public_key(b"\1" * 32).hex()}).encode()],
        "--pin-keys",
        json_text,
    ),
    Target(
        "key-file",
        "a file of published content keys",
        in_file("keys.json", read_keys),
        FATAL,
        lambda: [content_keys.encode_keys({Digest(b"\1" * 32): b"\2" * 32})],
        "content keys",
        json_text,
    ),
    Target(
        "deploying",
        "a deployment under way",
        in_file("deploying.json", deploy_progress._read),
        FATAL,
        lambda: [
            json.dumps(
                {"chain_id": 1, "account": WHO, "first_block": 2, "id": "ab", "contracts": {"Vault": WHO}}
            ).encode()
        ],
        "deploying",
        json_text,
    ),
    Target(
        "chain-file",
        "a local chain's processes",
        in_file("chain.json", lambda path: ChainFile.load(path.parent)),
        (),
        lambda: [b'{"url": "http://127.0.0.1:1", "pids": [1, 2], "owner": 0}'],
        mutate=json_text,
    ),
    Target(
        "devnet",
        "a local chain's mark",
        in_file(MARK, lambda path: Devnet.load(path.parent)),
        FATAL,
        lambda: [json.dumps(asdict(Devnet("up", 2, 1, 5, "http://127.0.0.1:1"))).encode()],
        "can't be read",
        json_text,
    ),
    Target(
        "secrets",
        "secrets.env",
        in_file("secrets.env", secrets._read),
        FATAL,
        lambda: [b"A=b\nexport C = 'd'\n# no\n"],
        "secrets.env",
    ),
    Target(
        "archive",
        "an archive",
        in_file("job.hansa", _read_archive),
        (Wrong, FatalError, WrongBytes, NotFound, BadRlp),
        _archives,
        mutate=either(repaired(_reseal), octets),
    ),
)
