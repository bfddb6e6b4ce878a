"""A session of `requests` whose every response ends within its time and its bytes."""

from __future__ import annotations

import functools
from typing import Any

import requests

from hansa.runtime.http import Cap, WholeResponse


def bound(session: requests.Session, cap: Cap) -> None:
    """Every response to `session` ends within its read timeout, and within `cap` bytes."""

    def bounded(manager: Any) -> Any:
        manager.pool_classes_by_scheme = {
            scheme: _pool(pool, cap) for scheme, pool in manager.pool_classes_by_scheme.items()
        }
        return manager

    for adapter in {id(one): one for one in session.adapters.values()}.values():
        given: Any = adapter
        bounded(given.poolmanager)
        proxied = given.proxy_manager_for
        given.proxy_manager_for = lambda *arguments, proxied=proxied, **named: bounded(proxied(*arguments, **named))


def _pool(pool: Any, cap: Cap) -> Any:
    answers = {"response_class": functools.partial(WholeResponse, cap)}
    return type(pool.__name__, (pool,), {"ConnectionCls": type("Bounded", (pool.ConnectionCls,), answers)})
