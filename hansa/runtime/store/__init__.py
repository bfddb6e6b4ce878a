"""Content-addressed stores: files by CID, checked against it whoever returned them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hansa.protocol.errors import FatalError
from hansa.runtime.secrets import STORE_SECRETS, Secrets, require_given_by_name
from hansa.runtime.store.base import Store
from hansa.runtime.store.local import LocalStore

__all__ = ["LocalStore", "Store", "open_store"]

ENVIRONMENT = Secrets()


def open_store(
    config: Mapping[str, str], expand: Callable[[str], str] = ENVIRONMENT.expand, peers: Sequence[str] = ()
) -> Store:
    """The store that a deployment names: {'kind': 'local', 'path': …} or {'kind': 'kubo', 'api': …}, which may have
    'auth', 'pinning' and 'pinning_token' too.

    auth: what the node's API.Authorizations ask for, `basic:NAME:PASSWORD` or `bearer:TOKEN`; pinning: the address of a
    pinning service, and its token. Both secrets stand behind a ${NAME} that `expand` knows. peers: the other parties'
    Kubo nodes.
    """
    require_given_by_name(config)
    match dict(config):
        case {"kind": "local", "path": path}:
            return LocalStore(path)
        case {"kind": "kubo", "api": api, **rest}:
            from hansa.runtime.store.kubo import KuboStore

            node = KuboStore(expand(api), _expanded(rest.get("auth"), expand), peers)
            if (service := rest.get("pinning")) is None:
                return node
            from hansa.runtime.store.kept import KeptStore
            from hansa.runtime.store.pinning import PinningService

            token = _expanded(rest.get("pinning_token"), expand)
            if token is None:
                raise FatalError(
                    "the store names a pinning service, and no pinning_token",
                    next_step='write "pinning_token": "${NAME}" beside it, and NAME=… into secrets.env',
                )
            return KeptStore(node, PinningService(expand(service), token))
    shown = {name: "…" if name in STORE_SECRETS else value for name, value in config.items()}
    raise FatalError(f"{shown} is no store", next_step="name kind `local` with a path, or `kubo` with an api")


def _expanded(secret: str | None, expand: Callable[[str], str]) -> str | None:
    return None if secret is None else expand(secret)
