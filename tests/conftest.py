"""Shared by all tests. Under brownie: the chain from node_modules, on a port of its own."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("hansa", deadline=None)  # a busy machine is no failure
settings.load_profile("hansa")

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # `nohup make test &`: whoever is started would ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["PATH"] = f"{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"
    if config.pluginmanager.hasplugin("pytest-brownie"):
        from brownie._config import CONFIG

        port = free_port()
        for network in CONFIG.networks.values():
            if "cmd" in network:
                network["cmd_settings"]["port"] = port


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes share the tests, those that share what they read stay together: a file's, and all of the
    browser."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.split("::", 1)[0]

    return ByFile(config, log)


def free_port() -> int:
    """A TCP port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
