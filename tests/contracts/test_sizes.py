"""Contracts fit into what chains allow, with room to spare, and are as large as the snapshot says."""

from __future__ import annotations

import json
import os
from pathlib import Path

from brownie import Terms, web3

SNAPSHOT = Path(__file__).parents[2] / "hansa" / "runtime" / "chain" / "gas.json"
WRITING = os.environ.get("HANSA_WRITE_GAS") == "1"
LARGEST = 24_576  # bytes of a contract's code, EIP-170
LARGEST_CREATION = 49_152  # EIP-3860


def sizes(house):
    deployed = {
        "Federation": house.federation,
        "Vault": house.vault,
        "Terms": Terms[0],
        "RewardToken": house.token,
        "AppointedCommittee": house.committees[5],
        "OpenAdmission": house.admission,
    }
    return {name: len(web3.eth.get_code(contract.address)) for name, contract in deployed.items()}


def test_sizes__fit_into_what_chains_allow(house):
    over = {name: size for name, size in sizes(house).items() if size > LARGEST}
    assert not over


def test_sizes__creation_of_the_federation__fits_too(house):
    created = len(web3.eth.get_transaction(house.federation.tx.txid)["input"])
    assert created <= LARGEST_CREATION, "it carries the vault's creation code"


def test_sizes__are_the_committed_snapshot(house):
    measured = sizes(house)
    if WRITING:
        kept = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
        SNAPSHOT.write_text(json.dumps({**kept, "sizes": measured}, indent=1) + "\n")
    assert json.loads(SNAPSHOT.read_text())["sizes"] == measured, "if that is meant, `make gas ARGS=--write`"
