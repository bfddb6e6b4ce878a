"""Content-addressed stores: files by CID, checked against it whoever returned them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hansa.protocol.errors import FatalError
from hansa.protocol.text import PLACEHOLDER
from hansa.runtime.secrets import Secrets
from hansa.runtime.store.base import Store
from hansa.runtime.store.local import LocalStore

__all__ = ["LocalStore", "Store", "open_store"]

ENVIRONMENT = Secrets()


def open_store(
    config: Mapping[str, str], expand: Callable[[str], str] = ENVIRONMENT.expand, peers: Sequence[str] = ()
) -> Store:
    """The store that a deployment names: {'kind': 'local', 'path': …} or {'kind': 'kubo', 'api': …, 'auth': …}.

    auth: what the node's API.Authorizations ask for, `basic:NAME:PASSWORD` or `bearer:TOKEN`, behind a ${NAME} that
    `expand` knows. peers: the other parties' Kubo nodes.
    """
    match dict(config):
        case {"kind": "local", "path": path}:
            return LocalStore(path)
        case {"kind": "kubo", "api": api, **rest}:
            from hansa.runtime.store.kubo import KuboStore

            return KuboStore(expand(api), _given_by_name(rest.get("auth"), expand), peers)
    shown = {name: "…" if name == "auth" else value for name, value in config.items()}
    raise FatalError(f"{shown} is no store", next_step="name kind `local` with a path, or `kubo` with an api")


def _given_by_name(auth: str | None, expand: Callable[[str], str]) -> str | None:
    if auth is None:
        return None
    if not PLACEHOLDER.search(auth):
        raise FatalError(
            "the store's auth stands in deployment.json itself",
            next_step="write ${NAME} in its place, and set NAME in the environment or in secrets.env",
        )
    return expand(auth)
