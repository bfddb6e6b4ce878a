"""Content-addressed stores: files by CID, checked against it whoever returned them."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.protocol.errors import FatalError
from hansa.runtime.store.base import Store
from hansa.runtime.store.local import LocalStore

__all__ = ["LocalStore", "Store", "open_store"]


def open_store(config: Mapping[str, str]) -> Store:
    """The store that a deployment names: {'kind': 'local', 'path': …} or {'kind': 'kubo', 'api': …}."""
    match dict(config):
        case {"kind": "local", "path": path}:
            return LocalStore(path)
        case {"kind": "kubo", "api": api}:
            from hansa.runtime.store.kubo import KuboStore

            return KuboStore(api)
    raise FatalError(f"{dict(config)} is no store", next_step="name kind `local` with a path, or `kubo` with an api")
