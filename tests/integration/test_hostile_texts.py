"""What strangers write into a spec, a token's symbol or an RPC node's answer reaches a terminal as text alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from local_chain import furnished, started
from typer.testing import CliRunner
from worlds import World

from hansa.cli.main import app
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import JobId
from hansa.runtime.store import open_store

HOSTILE = "\x1b]0;PWNED\x07\x1b[31mEVIL\x9b31m \u202egnp [link=http://evil]x[/link] [/nope]"
HTML = "</bdi></title></style><img src=x onerror=alert(1)>"
WORDS = {"title": HOSTILE, "about": f"{HOSTILE}\n{HTML}", "metric": HOSTILE[:64]}
SPEC = JobSpec(task=HOSTILE + HTML, steps=1, model_bytes=9999, update_bytes=9999, baselines=["[/m]=0.5"], **WORDS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, JobId, JobId]]:
    """A federation whose token has a hostile symbol: a job with a hostile task, and one with a hostile field."""
    path = tmp_path_factory.mktemp("hostile")
    with started(path) as running, furnished(running, path) as world:
        store = open_store(world.deployment.store)
        fields = SPEC.model_copy(update={"task": "heart"}).model_dump() | {f"zz{HOSTILE}": 1}
        broken = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        jobs = [world.post(spec=store.put(data)) for data in (SPEC.encode(), broken)]
        world.rpc("anvil_setCode", world.deployment.token, named(HOSTILE))
        world.deployment.save(path / "deployment.json")
        yield world, *jobs


def named(symbol: str) -> str:
    """Code of a contract with 18 decimals that answers everything else with a text."""
    text = symbol.encode()
    data = (32).to_bytes(32, "big") + len(text).to_bytes(32, "big") + text + bytes(-len(text) % 32)
    start = "60003560e01c63313ce5671460{there:02x}5761{size:04x}60{data:02x}60003961{size:04x}6000f3"
    end = "5b601260005260206000f3"
    there = len(bytes.fromhex(start.format(there=0, size=0, data=0)))
    code = start.format(there=there, size=len(data), data=there + len(end) // 2) + end
    return "0x" + code + data.hex()


def said(place: World, words: str, monkeypatch: pytest.MonkeyPatch, directory: Path | None = None) -> tuple[int, str]:
    """Exit code, and everything that a command writes."""
    monkeypatch.setenv("HANSA_DIR", str(directory or place.directory))
    done = CliRunner().invoke(app, words.split())
    text = done.stdout + done.stderr
    assert [char for char in text if not (char.isprintable() or char == "\n")] == [], text
    return done.exit_code, text


@pytest.mark.parametrize("command", ["job show", "top"])
def test_hostile_task_and_symbol__are_shown_as_text(
    place: tuple[World, JobId, JobId], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(place[0], f"{command} {place[1]}", monkeypatch)
    assert code == 0, text
    assert text.count("\\u{1b}]0;PWNED\\u{7}") >= 2, "the task, and the symbol"
    assert "EVIL" in text and "\\u{5b}link=http:/" in text, "as text, however short"


def test_hostile_task_and_symbol__in_an_audit_and_its_report(
    place: tuple[World, JobId, JobId], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "report.html"
    code, text = said(place[0], f"audit {place[1]} --report {page}", monkeypatch)
    assert code == 3, "the job has not ended"
    html = page.read_text()
    assert [char for char in html if not (char.isprintable() or char == "\n")] == []
    for shown in (text, html):
        assert shown.count("\\u{1b}]0;PWNED\\u{7}") >= 2, "the task, and the symbol"
    assert "<img" not in html and "&lt;img src=x onerror=alert(1)&gt;" in html


def test_job_list__with_a_hostile_symbol(place: tuple[World, JobId, JobId], monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = said(place[0], "job list", monkeypatch)
    assert (code, "\\u{1b}]0;PWNED" in text) == (0, True)


@pytest.mark.parametrize("command", ["audit", "job show"])
def test_hostile_field_of_a_spec__is_named_as_text(
    place: tuple[World, JobId, JobId], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(place[0], f"{command} {place[2]}", monkeypatch)
    assert code == 1, text
    assert "zz\\u{1b}]0;PWNED" in text


@contextmanager
def refusing(message: str) -> Iterator[str]:
    """A node that refuses everything with a message."""

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            error = {"jsonrpc": "2.0", "error": {"code": -32000, "message": message}}
            told = (
                [error | {"id": each["id"]} for each in asked]
                if isinstance(asked, list)
                else error | {"id": asked["id"]}
            )
            data = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("command", ["doctor", "job list"])
def test_hostile_rpc_error__is_told_as_text(
    place: tuple[World, JobId, JobId], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refusing(HOSTILE) as url:
        place[0].deployment.model_copy(update={"rpc": [url]}).save(tmp_path / "deployment.json")
        code, text = said(place[0], command, monkeypatch, tmp_path)
    assert code == 1, text
    assert "\\u{1b}]0;PWNED" in text
