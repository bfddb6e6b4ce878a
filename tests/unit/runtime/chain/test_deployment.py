"""deployment.json."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hansa.cli.dashboard import public
from hansa.protocol.errors import FatalError
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Allowed, Deployment

LOWER = "0x" + "ab" * 20
PEER_IDS = (
    "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5",
    "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8",
)


def fields(**changes: Any) -> dict[str, Any]:
    known = {
        "name": "test",
        "chain_id": 31337,
        "rpc": ["http://127.0.0.1:8545"],
        "federation": LOWER,
        "vault": LOWER,
        "token": LOWER,
        "admission": LOWER,
        "first_block": 3,
        "store": {"kind": "local", "path": "store"},
    }
    return {**known, **changes}


def test_saved__loads_as_it_was(tmp_path: Path) -> None:
    made = Deployment(**fields(allowed=Allowed(tokens=[LOWER], tasks=["heart"])))
    made.save(tmp_path / "d" / "deployment.json")
    assert Deployment.load(tmp_path / "d" / "deployment.json") == made
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["deployment.json"]


def test_addresses__are_checksummed() -> None:
    assert Deployment(**fields()).federation == "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"federation": "0x12"}, "federation: .*an address is 0x and 40"),
        ({"token": "ab" * 20}, "token: .*an address is 0x and 40"),
        ({"vault": "0x15d34aAf54267DB7D7c367839AAf71A00a2C6A65"}, "vault: .*its checksum is wrong"),
        ({"rpc": []}, "rpc"),
        ({"chain_id": 0}, "chain_id"),
        ({"first_block": -1}, "first_block"),
        ({"surprise": 1}, "surprise"),
        ({"peers": ["/ip4/10.0.0.1/tcp/4001"]}, "peers.*a peer is a multiaddress"),
        ({"peers": ["/ip4/10.0.0.1/tcp/4001/p2p/A b"]}, "peers"),
        ({"peers": ["https://east.example/p2p/A"]}, "peers.0: a peer is a multiaddress like .*; correct that"),
        ({"peers": ["/ip4/10.0.0.1/tcp/4001/p2p/abc"]}, "peers.0: what stands behind /p2p/ is no peer's ID: copy it"),
        ({"explorer": "http://explorer.test"}, "explorer: .*an explorer is https://"),
        ({"explorer": "https://me:word@explorer.test"}, "explorer: .*no user"),
        ({"explorer": "https://explorer.test/?key=1"}, "explorer: .*no user, query"),
        ({"explorer": "https://explorer.test/#a"}, "explorer: .*fragment"),
        ({"explorer": "https://explorer.test/ a"}, "explorer"),
        ({"explorer": "https://${HOST}"}, "explorer"),
        ({"explorer": "javascript:alert(1)"}, "explorer"),
        ({"explorer": "https://"}, "explorer"),
        ({"explorer": ""}, "explorer"),
        ({"allowed": {"tokens": ["x"]}}, "allowed.tokens.0"),
    ],
)
def test_load__names_the_field_that_is_wrong(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    (tmp_path / "x").write_text(json.dumps(fields(**changes)))
    with pytest.raises(FatalError, match=says):
        Deployment.load(tmp_path / "x")


@pytest.mark.parametrize("way", ["ip4/10.0.0.1/tcp/4001", "dns4/east.example/udp/4001/quic-v1", "ip6/::1/tcp/4001"])
def test_peers__are_multiaddresses_with_their_peers_id(way: str) -> None:
    for name in PEER_IDS:
        assert Deployment(**fields(peers=[f"/{way}/p2p/{name}"])).peers == [f"/{way}/p2p/{name}"]


def test_explorer__is_origin_and_path() -> None:
    for site in ("https://explorer.test", "https://explorer.test:8443/net"):
        assert (
            Deployment(**fields(explorer=site)).explorer == Deployment(**fields(explorer=f"{site}/")).explorer == site
        )
    assert Deployment(**fields()).explorer is None


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_load__not_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(FatalError, match="is not a deployment"):
        Deployment.load(tmp_path / "x")


def test_load__missing(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="can't be read"):
        Deployment.load(tmp_path / "none")


def test_updated__is_checked() -> None:
    assert Deployment(**fields()).updated(confirmations=3).confirmations == 3
    with pytest.raises(ValueError, match="confirmations"):
        Deployment(**fields()).updated(confirmations=-3)


def test_confirmations__may_be_a_block_that_nodes_name__and_the_page_is_given_a_count(tmp_path: Path) -> None:
    made = Deployment(**fields()).updated(confirmations="finalized")
    made.save(tmp_path / "deployment.json")
    assert Deployment.load(tmp_path / "deployment.json").confirmations == "finalized"
    assert public(made)["confirmations"] == 96
    with pytest.raises(ValueError, match="confirmations"):
        made.updated(confirmations="soon")


def test_public_part__names_register_and_credentials__where_there_are_any() -> None:
    made = Deployment(**fields()).updated(registry="0x" + "55" * 20, credentials="0x" + "66" * 20)
    assert (public(made)["registry"], public(made)["credentials"]) == (made.registry, made.credentials)
    assert not {"registry", "credentials"} & public(made.updated(registry=None, credentials=None)).keys()


def test_save__on_a_full_disk__is_one_sentence__and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made = Deployment(**fields())
    made.save(tmp_path / "deployment.json")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FatalError, match="can't be written: No space left on device; make room on its disk"):
        made.updated(name="other").save(tmp_path / "deployment.json")
    assert [path.name for path in tmp_path.iterdir()] == ["deployment.json"]
    assert Deployment.load(tmp_path / "deployment.json") == made


# --- secrets


URL, WS = "https://ann:${PW}@main.example/v3/${KEY}", "wss://main.example/${KEY}"


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PW", "KEY"):
        monkeypatch.delenv(name, raising=False)
    Deployment(**fields(rpc=[URL], ws=WS)).save(tmp_path / "deployment.json")
    return tmp_path


def write_secrets(folder: Path, text: str, mode: int = 0o600) -> None:
    (folder / "secrets.env").write_text(text)
    (folder / "secrets.env").chmod(mode)


def test_secrets__are_known_to_a_connection_alone(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_secrets(saved, "# ours\n\nexport PW = 'of the file'\nKEY=\"k=1\"\n")
    monkeypatch.setenv("PW", "of-the-environment")
    found = Deployment.load(saved / "deployment.json")
    chain = Chain.of(found)
    assert chain.rpc.endpoints[0].shown == "https://main.example"
    assert found.expanded(URL) == "https://ann:of-the-environment@main.example/v3/k=1"
    assert chain._alarm._url == "wss://main.example/k=1"
    for text in (repr(found), str(found), found.model_dump_json(), str(found.model_dump())):
        assert "of-the-environment" not in text and "k=1" not in text
    found.updated(name="other").save(saved / "deployment.json")
    assert URL in (saved / "deployment.json").read_text()
    assert found.updated(name="other").expanded("${KEY}") == "k=1"
    assert Deployment.load(saved / "deployment.json") == found.updated(name="other")


@pytest.mark.parametrize("text", [None, "", "PW=\nKEY=k", "pw=x\nKEY=k", "nonsense"])
def test_secret__that_nobody_gave__is_named(saved: Path, text: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if text is not None:
        write_secrets(saved, text)
    monkeypatch.setenv("PW", "")
    with pytest.raises(FatalError, match=r"asks for \$\{PW\}, which nobody gave; set PW .* PW=… into .*secrets\.env"):
        Chain.of(Deployment.load(saved / "deployment.json"))


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_secrets__that_others_can_read__are_refused(saved: Path, mode: int) -> None:
    write_secrets(saved, "PW=p\nKEY=k\n", mode)
    with pytest.raises(FatalError, match=r"secrets\.env can be read by others; run chmod 600"):
        Chain.of(Deployment.load(saved / "deployment.json"))


@pytest.mark.parametrize(
    "changes",
    [
        {"rpc": ["http://127.0.0.1:8545", "https://ann:word@main.example"]},
        {"ws": "wss://main.example/ws/0123456789abcdef0123456789abcdef"},
        {"gateway": "https://files.example/ipfs?token=word"},
        {"explorer": "https://scan.example/0123456789abcdef0123456789abcdef"},
        {"store": {"kind": "kubo", "api": "http://ann:word@127.0.0.1:5001"}},
    ],
)
def test_secret__in_an_address__must_not_be_handed_on(changes: dict[str, Any]) -> None:
    with pytest.raises(FatalError, match="holds a password or a key: .*write .*NAME") as told:
        Deployment(**fields(**changes)).require_no_secrets()
    assert "word" not in str(told.value).replace("password", "") and "0123" not in str(told.value)
    Deployment(**fields(rpc=[URL], ws=WS)).require_no_secrets()
