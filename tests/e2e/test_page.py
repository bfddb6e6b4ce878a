"""What the page says of a job on a running chain, number for number what the command line says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hansa.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
VITEST = ROOT / "dashboard" / "node_modules" / "vitest" / "vitest.mjs"
SECONDS = 240


SAID = ("validator", "verdict", "gain", "news")


def answered(directory: Path, *words: str) -> Any:
    """What a command says, in this process."""
    done = CliRunner().invoke(app, [*words, "--json", "--dir", str(directory)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def directory(kept_demo: tuple[Path, str]) -> Path:
    if not VITEST.is_file() or not shutil.which("node"):
        pytest.skip("the page's tools are not installed: npm ci in dashboard/")
    return kept_demo[0]


@pytest.fixture(scope="module")
def read(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page's reader says, by what `hansa dashboard` serves."""
    path = tmp_path_factory.mktemp("view") / "view.json"
    serve = [sys.executable, "-c", SERVE, str(directory)]
    with subprocess.Popen(serve, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            page = server.stdout.readline().strip()
            environment = {**os.environ, "HANSA_PAGE": page, "HANSA_VIEW": str(path)}
            command = ["node", str(VITEST), "run", "test/live.test.ts"]
            done = subprocess.run(command, cwd=ROOT / "dashboard", env=environment, capture_output=True, text=True,
                                  timeout=SECONDS, check=False)  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            server.terminate()
    found: dict[str, Any] = json.loads(path.read_text())
    return found


SERVE = """
import sys
from pathlib import Path
from hansa.cli.dashboard import serve
from hansa.runtime.chain.deployment import Deployment
with serve(Deployment.load(Path(sys.argv[1]) / "deployment.json"), 0) as server:
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
"""


def test_page__has_the_sums_of_job_show(directory: Path, read: dict[str, Any]) -> None:
    view, shown = read["view"], answered(directory, "job", "show", "1")
    assert view["phase"] == shown["state"]["phase"]
    for mine, theirs in zip(view["trainers"], shown["trainers"], strict=True):
        assert {name: mine[name] for name in theirs} == theirs
    for mine, theirs in zip(view["validators"], shown["validators"], strict=True):
        assert {name: mine[name] for name in theirs} == theirs
    assert {name: view["books"][name] for name in shown["books"]} == shown["books"]
    models = [cycle["outcome"].get("model") for cycle in view["cycles"]]
    assert models == [cycle.get("model") for cycle in shown["cycles"]] and all(models)


def test_page__explains_pay_as_wallet_why_does(directory: Path, read: dict[str, Any]) -> None:
    for number in range(1, 5):
        why = answered(directory, "wallet", "why", f"trainer-{number}")
        assert len(why["rounds"]) == 3
        for line, round_ in zip(why["rounds"], read["view"]["rounds"], strict=True):
            cell = next(cell for cell in round_["cells"] if cell["trainer"] == why["address"])
            assert (cell["pay"], cell["reputation"]) == (line["pay"], line["reputation"])
            assert cell["record"] == line["record"] and cell["update"]["verdict"] == line["verdict"]
            opinions = [{**o, "gain": int(o["gain"]), "news": int(o["news"])} for o in cell["update"]["opinions"]]
            said = [{name: line_[name] for name in SAID} for line_ in line["by_validator"]]
            assert [{name: o[name] for name in SAID} for o in opinions] == said
            names = ("gain", "news", "p")
            assert [cell["share"][name] for name in names] == [line["share"][name] for name in names]
            assert (
                cell["share"]["counted"] == str(line["share"]["counted"]) and round_["agrees"] is line["root_matches"]
            )


def test_page__sees_every_claim_that_was_paid(directory: Path, read: dict[str, Any]) -> None:
    view = read["view"]
    assert view["trainers"] and all(t["claimed"] == t["earned"] and not t["claimable"] for t in view["trainers"])
    for account in read["accounts"]:
        shown = answered(directory, "wallet", "show", account["address"])
        assert account["tokens"][0]["balance"] == shown["balance"] and account["native"] == shown["coins"]
