"""`hansa deploy`: every option is looked at before anything is paid, and what stopped half-way goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from guarded import KEY, WORD, by_name, guarded
from typer.testing import CliRunner

from hansa.cli.main import app
from hansa.devnet.anvil import Anvil, rpc
from hansa.devnet.bootstrap import make_keystores
from hansa.protocol.types import Address
from hansa.runtime import deploy
from hansa.runtime.chain.bytecode import check_genuine
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.transactions.signer import Signer

FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
CONTRACTS = ["Terms", "Federation", "OpenAdmission", "RewardToken", "DidRegistry", "Credentials"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANSA_DIR", str(tmp_path))
    for name in ("HANSA_PASSWORD", "HANSA_ACCOUNT", "WORD"):
        monkeypatch.delenv(name, raising=False)
    make_keystores(tmp_path / "keys", ["sponsor", "alice"])
    return tmp_path


def run(*words: str, account: str = "sponsor") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["deploy", "--account", account, *words])
    return done.exit_code, done.output


def paid(anvil: Anvil) -> int:
    """Transactions of the account that deploys."""
    return int(rpc(anvil.url, "eth_getTransactionCount", FIRST, "latest"), 16)


WRONG_TOKEN = "0x15d34aAf54267DB7D7c367839AAf71A00a2C6A65"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--confirmations -1", "--confirmations -1 is out of range"),
        (f"--token {WRONG_TOKEN}", "its checksum is wrong"),
        (f"--token {'ab' * 20}", "is not an address: an address is 0x and 40"),
        ("--token 0x12", "is not an address"),
        (f"--token {FIRST}", "is not an ERC-20 token"),
        ("--store cloud", "'cloud' is no store"),
        ("--store /ip4/127.0.0.1/tcp/9", "no Kubo node answers"),
        ("--store /ip4/127.0.0.1/tcp/9 --store-auth bearer:word", "auth stands in deployment.json itself"),
        ("--name=", "is no name"),
        ("--explorer http://explorer.test", "--explorer http://explorer.test can't be linked to"),
        ("--explorer https://me:word@explorer.test", "can't be linked to"),
        ("--name=a\u3164b", "is no name"),
        ("--rpc ftp://x", "is not an RPC address"),
        ("--rpc http://ann:word@127.0.0.1:1", "holds a password or a key"),
        ("--rpc https://x.example/v3/0123456789abcdef0123456789abcdef", "holds a password or a key"),
        ("--rpc https://x.example/${WORD}", "${WORD}, which nobody gave"),
        ("--ws http://127.0.0.1:1", "--ws http://127.0.0.1:1 does not answer"),
        ("--ws ws://127.0.0.1:9", "--ws ws://127.0.0.1:9 does not answer"),
        ("--ws ws://ann:word@127.0.0.1:9", "holds a password or a key"),
    ],
)
def test_deploy__refuses_an_option__before_it_pays(anvil: Anvil, here: Path, words: str, said: str) -> None:
    code, told = run("--rpc", anvil.url, *words.split(" "))
    assert code == 1 and said in told, told
    assert "word@" not in told and "bearer:word" not in told and "0123456789" not in told
    assert paid(anvil) == 0 and not (here / "deployment.json").exists() and not (here / "deploying.json").exists()


def test_deploy__with_a_store_that_others_can_not_read__warns_before_it_pays(anvil: Anvil, here: Path) -> None:
    code, told = run("--rpc", anvil.url.replace("127.0.0.1", "0.0.0.0"), account="nobody")
    assert code == 1 and "no keystore is called nobody" in told and paid(anvil) == 0
    assert f"the store is a folder of this machine, {here / 'store'}, which parties on others can't read" in told
    assert "--store kubo" in told
    assert "can't read" not in run("--rpc", anvil.url, account="nobody")[1], "all of a chain of one's own is here"


def test_deploy__with_secrets_by_name__works_and_keeps_them(anvil: Anvil, here: Path) -> None:
    with guarded(anvil.url) as url:
        (here / "secrets.env").write_text(f"WORD={WORD}\nKEY={KEY}\nPORT={anvil.url.rpartition(':')[2]}\n")
        (here / "secrets.env").chmod(0o600)
        code, told = run("--rpc", by_name(url), "--ws", "ws://127.0.0.1:${PORT}", "--json")
        assert code == 0, told
        text = (here / "deployment.json").read_text()
        assert by_name(url) in text and WORD not in text + told and KEY not in text + told
        made = Deployment.load(here / "deployment.json")
        check_genuine(Chain.of(made), made.federation, made.vault)
    assert not (here / "deploying.json").exists()


@pytest.mark.parametrize("moment", ["before it is written down", "after it is written down"])
@pytest.mark.parametrize("contract", CONTRACTS)
def test_deploy__that_stops_half_way__goes_on_and_pays_for_nothing_twice(
    anvil: Anvil, here: Path, monkeypatch: pytest.MonkeyPatch, contract: str, moment: str
) -> None:
    genuine = deploy.create

    def crashes(signer: Signer, name: str, *arguments: Any, **named: Any) -> Address:
        done = None if name == contract and moment.startswith("after") else genuine(signer, name, *arguments, **named)
        if name == contract:
            raise KeyboardInterrupt
        assert done is not None
        return done

    monkeypatch.setattr(deploy, "create", crashes)
    assert run("--rpc", anvil.url)[0] == 130
    known = json.loads((here / "deploying.json").read_text())
    assert list(known["contracts"]) == CONTRACTS[: CONTRACTS.index(contract)], "each address as it comes"
    monkeypatch.undo()
    monkeypatch.setenv("HANSA_DIR", str(here))
    code, told = run("--rpc", anvil.url)
    assert code == 0, told
    made = Deployment.load(here / "deployment.json")
    assert paid(anvil) == len(CONTRACTS)
    assert made.first_block == known["first_block"]
    check_genuine(Chain.of(made), made.federation, made.vault)
    assert not (here / "deploying.json").exists()


def test_deploy__that_stopped__is_not_gone_on_with_by_another(anvil: Anvil, here: Path) -> None:
    started = {"id": "1", "chain_id": 31337, "account": FIRST, "first_block": 0, "contracts": {}}
    (here / "deploying.json").write_text(json.dumps(started))
    code, told = run("--rpc", anvil.url, account="alice")
    assert code == 1 and f"by {FIRST} on chain 31337, which stopped half-way; go on with that account" in told
    (here / "deploying.json").write_text("{")
    code, told = run("--rpc", anvil.url)
    assert code == 1 and "deploying.json can't be read" in told and paid(anvil) == 0


def test_deploy__again__where_the_last_one_is_done(anvil: Anvil, here: Path) -> None:
    """A second deployment of the same account in the same directory is another, and what it left is dropped."""
    assert run("--rpc", anvil.url)[0] == 0
    first = Deployment.load(here / "deployment.json")
    (here / "deploying.json").write_text(
        json.dumps({"id": "1", "chain_id": 31337, "account": FIRST, "first_block": 0,
                    "contracts": {"Federation": first.federation}})
    )  # fmt: skip
    code, told = run("--rpc", anvil.url)
    assert code == 1 and "deployment.json exists" in told and not (here / "deploying.json").exists()
    (here / "deployment.json").unlink()
    assert run("--rpc", anvil.url, "--token", first.token)[0] == 0
    second = Deployment.load(here / "deployment.json")
    assert second.federation != first.federation and second.token == first.token
    assert paid(anvil) == 2 * len(CONTRACTS) - 1


def test_deploy__a_chain_that_is_dearer_than_the_cap__is_not_paid(here: Path, anvil: Anvil) -> None:
    before = paid(anvil)
    code, output = run("--rpc", anvil.url, "--max-fee-gwei", "0.0000001")
    assert code and "above the cap of 1e-07 gwei; wait for a cheaper hour, or raise --max-fee-gwei" in output, output
    assert paid(anvil) == before
    assert run("--rpc", anvil.url, "--max-fee-gwei", "50", "--max-tip-gwei", "0.5")[0] == 0
