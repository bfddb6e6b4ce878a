"""What `hansa dashboard` serves, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import threading

import pytest

from hansa.cli import dashboard
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.keystore import Keyfile
from hansa.runtime.store import LocalStore

ANY = "0x" + "11" * 20


@pytest.fixture
def deployment(tmp_path):
    return Deployment(
        name="test", chain_id=31337, rpc=["http://127.0.0.1:8545"], ws="ws://127.0.0.1:8545", federation=ANY, vault=ANY,
        token=ANY, admission=ANY, first_block=1, store={"kind": "local", "path": str(tmp_path / "store")},
    )  # fmt: skip


@pytest.fixture
def server(deployment, tmp_path, monkeypatch):
    (tmp_path / "page/assets").mkdir(parents=True)
    (tmp_path / "page/index.html").write_text("<p>page</p>")
    monkeypatch.setattr(dashboard, "PAGE", tmp_path / "page")
    with dashboard.serve(deployment, 0, tmp_path / "keys") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def get(server, path, host=None):
    link = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    link.request("GET", path, headers={"Host": host or f"127.0.0.1:{server.server_port}"})
    answer = link.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_page__may_reach_the_deployments_hosts_alone(server):
    status, headers, data = get(server, "/")
    assert (status, data) == (200, b"<p>page</p>")
    assert "connect-src 'self' http://127.0.0.1:8545 ws://127.0.0.1:8545;" in headers["Content-Security-Policy"]


def test_policy__names_origins_alone(deployment):
    changed = deployment.updated(
        rpc=["https://user:word@node.test/v3/secret?key=1", "http://[::1]:8545"], gateway="https://files.test/ipfs"
    )
    policy = dashboard.policy(changed)
    assert "connect-src 'self' https://node.test http://[::1]:8545 ws://127.0.0.1:8545 https://files.test;" in policy
    assert "secret" not in policy and "word" not in policy
    assert dashboard.public(changed)["gateway"] == "https://files.test/ipfs"


@pytest.mark.parametrize("url", ["http://node.test;script-src *", "http://a b", "javascript:alert(1)", "http://"])
def test_policy__refuses_what_is_no_origin(deployment, url):
    with pytest.raises(FatalError, match="is no URL that a page can ask"):
        dashboard.policy(deployment.updated(rpc=[url]))


def test_deployment__tells_no_path_and_no_allow_list(server, tmp_path):
    fields = json.loads(get(server, "/deployment.json")[2])
    assert fields["chain_id"] == 31337 and fields["gateway"] == "/ipfs/"
    assert not {"store", "allowed"} & fields.keys() and str(tmp_path) not in json.dumps(fields)


def test_deployment__names_the_explorer__which_the_page_may_link_to_and_not_ask(deployment):
    changed = deployment.updated(explorer="https://explorer.test/net/")
    assert dashboard.public(changed)["explorer"] == "https://explorer.test/net"
    assert "explorer" not in dashboard.public(deployment) and "explorer.test" not in dashboard.policy(changed)


def test_gateway__gives_files_that_cannot_run(server, deployment):
    data = b"<script>alert(1)</script>"
    cid = to_cid(LocalStore(deployment.store["path"]).put(data))
    status, headers, body = get(server, f"/ipfs/{cid}")
    assert (status, body) == (200, data)
    assert headers["Content-Security-Policy"].startswith("sandbox") and "immutable" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Content-Type"] == "application/octet-stream"


def test_names__are_those_of_keystores_and_nothing_else(server, tmp_path):
    assert json.loads(get(server, "/names.json")[2]) == {}
    made = {
        name: Keyfile.create(tmp_path / f"keys/{name}.json", "word", light=True) for name in ("Rostock", "b\u202ec")
    }
    for name, text in (("note", '{"crypto": 1, "secret": 2}'), ("torn", "{"), ("unsaid", '{"crypto": {}}')):
        (tmp_path / f"keys/{name}.json").write_text(text)
    (tmp_path / "keys/password").write_text("word")
    status, headers, data = get(server, "/names.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(data) == {account.address: name for name, account in made.items()}
    assert headers["Content-Security-Policy"].startswith("sandbox") and "Access-Control-Allow-Origin" not in headers
    assert get(server, "/deployment.json")[1]["Hansa-Names"] == "names.json"
    assert get(server, "/names.json", host="evil.example")[0] == 403
    assert get(server, "/keys/Rostock.json")[0] == 404


@pytest.mark.parametrize(
    ("path", "status"), [("/ipfs/" + to_cid(bytes(32)), 404), ("/ipfs/nonsense", 400), ("/../deployment.json", 404)]
)
def test_path__of_nothing(server, path, status):
    assert get(server, path)[0] == status


def test_host__of_a_foreign_name_is_refused(server):
    assert get(server, "/deployment.json", host="evil.example")[0] == 403


def test_port__that_is_taken_is_one_sentence(server, deployment):
    with pytest.raises(FatalError, match=f"port {server.server_port} can't be had: Address already in use, by "):
        dashboard.serve(deployment, server.server_port)
