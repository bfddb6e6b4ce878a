"""Whether a deployment could be used as it is asked for: looked at before anything is paid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from hansa.protocol.errors import FatalError
from hansa.protocol.text import escape_untrusted, redact
from hansa.protocol.types import Address
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Confirmations, Deployment, checksummed, peer, site
from hansa.runtime.chain.dialects import check_confirmations
from hansa.runtime.session import read_token
from hansa.runtime.store import open_store

NOBODY = Address("0x" + "00" * 20)
LONGEST_NAME = 80  # characters
PROBE = b"hansa doctor"  # the file that a store is tried with
WS_SECONDS = 5.0


def draft(
    rpc: Sequence[str],
    *,
    name: str,
    store: dict[str, str],
    ws: str | None = None,
    explorer: str | None = None,
    confirmations: Confirmations = 0,
    folder: Path | None = None,
    peers: Sequence[str] = (),
) -> Deployment:
    """A deployment whose contracts are to come. FatalError names the option that is wrong, or that holds a secret.

    folder: where its secrets.env is.
    """
    if not name.strip() or len(name) > LONGEST_NAME or escape_untrusted(name) != name:
        raise FatalError(f"--name {name!r} is no name", next_step=f"use up to {LONGEST_NAME} characters that are seen")
    if explorer is not None:
        explorer = _checked_explorer(explorer)
    made = Deployment(
        name=name,
        peers=_checked_peers(peers),
        chain_id=1,
        rpc=list(rpc),
        ws=ws,
        federation=NOBODY,
        vault=NOBODY,
        token=NOBODY,
        admission=NOBODY,
        first_block=0,
        store=store,
        explorer=explorer,
        confirmations=confirmations,
    )
    made.require_no_secrets()
    return made.with_secrets_of(folder)


def checked_chain(found: Deployment, token: str | None) -> tuple[Chain, Address | None]:
    """The chain of a draft, and the token to use. FatalError, ChainUnavailable or StoreUnavailable say what is wrong
    with an endpoint, the store or the token."""
    chain = Chain([found.expanded(url) for url in found.rpc], None)
    chain.rpc.check_all()
    check_confirmations(chain, found.confirmations)
    if found.ws is not None:
        _check_ws(found.expanded(found.ws))
    store = open_store(found.store, found.expanded, found.peers)
    if store.get(store.put(PROBE), limit=len(PROBE), timeout=10.0) != PROBE:
        raise FatalError("the store gives back other bytes than it was given", next_step="name another with --store")
    return chain, None if token is None else _checked_token(chain, token)


def _checked_peers(peers: Sequence[str]) -> list[str]:
    try:
        return [peer(each) for each in peers]
    except ValueError as error:
        raise FatalError("--peer is no address of a Kubo node", cause=error) from error


def _checked_explorer(explorer: str) -> str:
    try:
        return site(explorer)
    except ValueError as error:
        raise FatalError(f"--explorer {redact(explorer)} can't be linked to", cause=error) from error


def _checked_token(chain: Chain, token: str) -> Address:
    try:
        address = checksummed(token)
    except ValueError as error:
        raise FatalError(f"--token {token} is not an address", cause=error) from error
    read_token(chain, address)
    return address


def _check_ws(url: str) -> None:
    """That a WebSocket answers there: one that doesn't would never wake anybody up."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0:
            raise ValueError("it starts with neither ws:// nor wss://")
        connect(url, open_timeout=WS_SECONDS, close_timeout=1, proxy=None).close()
    except (OSError, WebSocketException, ValueError) as error:
        raise FatalError(
            f"--ws {url} does not answer", cause=type(error).__name__, next_step="correct it, or leave it out"
        ) from error
