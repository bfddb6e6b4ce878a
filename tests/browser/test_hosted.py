"""The built page where somebody else serves it: below a path of a plain file server, and at an IPFS path of Kubo."""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from federations import look
from playwright.sync_api import expect
from stage_jobs import Stage
from views import Views

from hansa.cli.dashboard import PAGE, public
from hansa.devnet.kubo import start_nodes
from hansa.protocol.cid import to_cid
from hansa.protocol.types import JobId
from hansa.runtime.store import open_store

if TYPE_CHECKING:
    from playwright.sync_api import Browser


MOST_FIRST, MOST_LATER = 90_000, 12_000  # bytes of gzipped JavaScript: with the page, and what it fetches later


def files(scene: Stage) -> dict[str, bytes]:
    """What the pages below ask for, by CID: the specs of all jobs, and model 0 of the one that daemons ran."""
    session = scene.lab.session
    jobs = range(1, session.federation.job_count() + 1)
    digests = {session.federation.terms(JobId(job)).spec for job in jobs} | {scene.lab.posted.model}
    return {to_cid(digest): session.store.get(digest, limit=2**20, timeout=5.0) for digest in digests}


def built(folder: Path, scene: Stage, gateway: str) -> Path:
    """The page with a deployment.json beside it."""
    shutil.copytree(PAGE, folder)
    facts = {**public(scene.lab.session.deployment), "gateway": gateway}
    (folder / "deployment.json").write_text(json.dumps(facts))
    return folder


@contextmanager
def plain(scene: Stage, directory: Path) -> Iterator[str]:
    folder = built(directory / "people" / "hansa", scene, "./files/")
    (folder / "files").mkdir()
    for cid, data in files(scene).items():
        (folder / "files" / cid).write_bytes(data)
    handler = functools.partial(Quiet, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/people/hansa/"
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def kubo(scene: Stage, directory: Path) -> Iterator[str]:
    if shutil.which("ipfs") is None:
        pytest.skip("Kubo is not installed")
    folder = built(directory / "page", scene, "/ipfs/")
    [node] = start_nodes(directory / "nodes", ["host"]).values()
    try:
        store = open_store({"kind": "kubo", "api": node.api})
        for data in files(scene).values():
            store.put(data)
        add = ["ipfs", "add", "--recursive", "--quieter", str(folder)]
        environment = {**os.environ, "IPFS_PATH": str(node.path)}
        root = subprocess.run(add, env=environment, capture_output=True, text=True, check=True).stdout.strip()
        yield f"{(node.path / 'gateway').read_text().strip()}/ipfs/{root}/"
    finally:
        node.stop()


@pytest.mark.parametrize("host", [plain, kubo])
def test_page__below_any_path__reads_chain_and_store(browser: Browser, scene: Stage, tmp_path: Path, host: Any) -> None:
    with host(scene, tmp_path) as address:
        opened = Views(browser, address, scene.url)
        view = opened.new()
        view.open("#/")
        view.see("Job 1")
        view.open(f"#/job/{scene.daemons}/ledger")
        view.see("The ledger adds up to what was paid")
        expect(view.page.get_by_text("equal to the vote")).to_have_count(len(look(scene.lab).rounds))
        view.open(f"#/job/{scene.daemons}")
        view.see("the same in every attempt")  # said by a script that comes later
        view.open(f"#/verify/{to_cid(scene.lab.posted.model)}")
        view.see("The bytes are those")
        assert view.page.url.startswith(address)
        opened.close()


def test_page__is_light(browser: Browser) -> None:
    """What its build allows, too: the scripts of index.html, what these import, and the rest."""
    scripts = {path.name: path.read_bytes() for path in PAGE.rglob("*.js")}
    first = set(re.findall(r"[\w-]+\.js", (PAGE / "index.html").read_text()))
    for name in list(first):
        first |= set(re.findall(r'from"\./([\w-]+\.js)"', scripts[name].decode()))
    size = {name: len(gzip.compress(script)) for name, script in scripts.items()}
    assert first and sum(size[name] for name in first) <= MOST_FIRST
    assert 0 < sum(size[name] for name in size.keys() - first) <= MOST_LATER
