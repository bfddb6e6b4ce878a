"""Content-addressed stores: files by CID, checked against it whoever returned them."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.errors import FatalError
from protocol.store.base import Store
from protocol.store.local import LocalStore

__all__ = ["LocalStore", "Store", "open_store"]


def open_store(config: Mapping[str, str]) -> Store:
    """The store that a deployment names: {'kind': 'local', 'path': …} or {'kind': 'kubo', 'api': …}."""
    match dict(config):
        case {"kind": "local", "path": path}:
            return LocalStore(path)
        case {"kind": "kubo", "api": api}:
            from protocol.store.kubo import KuboStore

            return KuboStore(api)
    raise FatalError(f"{dict(config)} is no store", next_step="name kind `local` with a path, or `kubo` with an api")
