"""What `hansa doctor` looks at in a store: whether it gives back what it is given, and what would stop a Kubo node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hansa.cli.deploy import store_warning
from hansa.cli.doctor.check import BAD, GOOD, WARNING, Check, Result, check
from hansa.protocol.cid import to_cid
from hansa.protocol.text import counted
from hansa.runtime.session import Session
from hansa.runtime.store.kept import KeptStore
from hansa.runtime.store.kubo import LEAST_VERSION, KuboStore
from hansa.runtime.store.pinning import FAILED, PINNED, PinningService

FULL = 0.9  # of what a node may keep: from there on `--enable-gc` collects, and without it nothing does


def store(session: Session) -> Result:
    """Whether it gives back what it was given; what of its node would stop it later."""
    folder = session.deployment.store.get("path")
    if folder is not None and not Path(folder).is_dir():
        return BAD, f"{folder} is missing; bring it back with its files, or correct the store in deployment.json"
    data = b"hansa doctor"
    digest = session.store.put(data)
    if session.store.get(digest, limit=64, timeout=10.0) != data:
        return BAD, "gives back other bytes than it was given; check its disk, or name another store"
    if (warning := store_warning(session.deployment, session.chain.rpc.local)) is not None:
        return WARNING, warning
    found = f"{session.deployment.store['kind']}, gave back {to_cid(digest)}"
    node = _node(session)
    return (GOOD, found) if node is None else _of_node(node, found)


def beside_the_store(session: Session) -> Iterator[Check]:
    """The parties' nodes, and the pinning service, where the deployment names some."""
    if (node := _node(session)) is not None and session.deployment.peers:
        yield check("peers", _peers, node)
    if isinstance(session.store, KeptStore):
        yield check("pinning", _pinning, session.store.service)


def _node(session: Session) -> KuboStore | None:
    found = session.store.within if isinstance(session.store, KeptStore) else session.store
    return found if isinstance(found, KuboStore) else None


def _of_node(node: KuboStore, found: str) -> Result:
    facts = node.facts()
    text = f"{found}; Kubo {facts.version}, {facts.used / 2**30:.1f} of {facts.most / 2**30:.1f} GB"
    if facts.numbers < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        return WARNING, f"{text}: before {least} files over 45 MB can get other CIDs; update it"
    if facts.used > FULL * facts.most:
        return WARNING, (
            f"{text}: its repository is full; start it with `ipfs daemon --enable-gc`, run `ipfs repo gc`, or raise "
            "Datastore.StorageMax of its configuration"
        )
    return GOOD, text


def _peers(node: KuboStore) -> Result:
    node.peers.meet()
    found = node.reached()
    away = [address for address, there in found.items() if not there]
    if away:
        return WARNING, (
            f"{counted(len(away), 'node')} of {len(found)} not connected: {', '.join(away)}; ask whether it runs, and "
            "whether both firewalls let its port through"
        )
    return GOOD, f"{counted(len(found), 'node')} of the other parties, all connected"


def _pinning(service: PinningService) -> Result:
    counts = service.counts()
    under_way = sum(counts.values()) - counts[PINNED] - counts[FAILED]
    text = f"{service.shown} keeps {counted(counts[PINNED], 'file')}, {under_way} under way"
    if counts[FAILED]:
        return WARNING, f"{text}, {counts[FAILED]} failed: it could not fetch them; is your node's port 4001 open?"
    return GOOD, text
