"""What a daemon tells its operators: metrics, health, and how it answers."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, StoreUnavailable
from hansa.protocol.types import Digest
from hansa.runtime import metrics as module
from hansa.runtime.log import open_log
from hansa.runtime.metrics import Metrics
from hansa.runtime.metrics_server import MetricsServer, parse_address
from hansa.runtime.store.counted import WatchedStore
from hansa.runtime.store.local import LocalStore

DOCS = Path(__file__).resolve().parents[3] / "docs"


def metric_names(metrics: Metrics) -> set[str]:
    """As Prometheus stores them; without the times at which counters were made."""
    names = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    return {name for name in names if not name.endswith("_created")}


def look(metrics: Metrics) -> None:
    metrics.seen(job=7, round_=2, phase=3, deadline=99, block=41, timestamp=90)


@pytest.fixture
def served() -> Iterator[tuple[Metrics, MetricsServer]]:
    metrics = Metrics()
    server = MetricsServer("127.0.0.1:0", metrics)
    yield metrics, server
    server.close()


def get(server: MetricsServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{server.address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_docs__list_exactly_what_there_is() -> None:
    text = (DOCS / "operations.md").read_text()
    assert set(re.findall(r"^\| `(hansa_\w+)`", text, re.M)) == metric_names(Metrics())
    assert set(re.findall(r"hansa_\w+", text)) == metric_names(Metrics()), "alerts name what exists"


def test_grafana__shows_every_metric_and_no_other() -> None:
    board = json.loads((DOCS / "grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert set(re.findall(r"hansa_\w+", " ".join(asked))) == metric_names(Metrics())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_grafana__asks_the_source_that_its_reader_chooses() -> None:
    board = json.loads((DOCS / "grafana.json").read_text())
    known = {(v["query"], f"${{{v['name']}}}") for v in board["templating"]["list"] if v["type"] == "datasource"}
    assert [kind for kind, _ in known] == ["prometheus"]
    for panel in board["panels"]:
        assert panel["targets"], panel["title"]
        for asked in (panel, *panel["targets"]):
            source = asked.get("datasource", panel["datasource"])
            assert (source["type"], source["uid"]) in known, panel["title"]


def test_health__during_long_work__lasts_to_the_end_of_the_phase(
    served: tuple[Metrics, MetricsServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, server = served
    look(metrics)
    monkeypatch.setattr(module, "STALE_SECONDS", -1.0)
    with metrics.working("training", int(time.time()) + 60):
        status, text = get(server, "/healthz")
        assert status == 200 and json.loads(text)["doing"] == "training"
    assert get(server, "/healthz")[0] == 503
    with metrics.working("training", int(time.time()) - 60):
        assert get(server, "/healthz")[0] == 503, "the phase is over"
    assert metrics.registry.get_sample_value("hansa_training_seconds_total") > 0


class Failing(LocalStore):
    def get(self, digest: Digest, *, limit: int, timeout: float) -> bytes:
        raise StoreUnavailable("the store does not answer")


def test_store__counts_bytes_and_failures__and_logs_the_cid(tmp_path: Path) -> None:
    metrics, log = Metrics(), tmp_path / "log"
    logger = open_log(log, job=7)
    store = WatchedStore(LocalStore(tmp_path / "store"), metrics, logger)
    digest = store.put(b"12345")
    assert store.get(digest, limit=10, timeout=1.0) == b"12345"
    with pytest.raises(StoreUnavailable):
        WatchedStore(Failing(tmp_path / "other"), metrics, logger).get(digest, limit=10, timeout=1.0)
    values = [
        metrics.registry.get_sample_value(f"hansa_store_{name}_total")
        for name in ("put_bytes", "got_bytes", "failures")
    ]
    assert values == [5, 5, 1]
    [line] = [json.loads(text) for text in log.read_text().splitlines()]
    assert (line["event"], line["cid"], line["job"]) == ("fetched", to_cid(digest), 7)


def test_metrics__are_what_the_daemon_saw(served: tuple[Metrics, MetricsServer]) -> None:
    metrics, server = served
    look(metrics)
    metrics.gas.inc(37_000)
    status, text = get(server, "/metrics")
    assert status == 200
    assert {"hansa_job 7.0", "hansa_block 41.0", "hansa_gas_used_total 37000.0"} <= set(text.splitlines())


def test_health__before_a_look__after_one__and_when_that_is_long_ago(
    served: tuple[Metrics, MetricsServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, server = served
    assert get(server, "/healthz")[0] == 503
    look(metrics)
    status, text = get(server, "/healthz")
    assert status == 200 and json.loads(text)["healthy"] is True
    metrics.failed("no RPC server gave an answer")
    monkeypatch.setattr(module, "STALE_SECONDS", -1.0)
    status, text = get(server, "/healthz")
    assert status == 503 and json.loads(text)["cause"] == "no RPC server gave an answer"
    assert get(server, "/")[0] == 404


def test_port__that_is_taken__is_one_sentence(served: tuple[Metrics, MetricsServer]) -> None:
    with pytest.raises(FatalError, match="can't be listened on.*another port"):
        MetricsServer(served[1].address, Metrics())


@pytest.mark.parametrize("where", ["9464", ":9464", "localhost:", "localhost:x", "localhost:65536", ""])
def test_address__that_is_none__is_refused(where: str) -> None:
    with pytest.raises(FatalError, match="127.0.0.1:9464"):
        parse_address(where)
