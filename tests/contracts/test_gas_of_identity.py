"""What identities, credentials and admissions cost, against budgets and a snapshot of their own: `make gas`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from brownie import CredentialAdmission, Credentials, DidRegistry, MockCommittee, ReputationAdmission, accounts, web3
from node import now, rpc, word
from signed import SIGNER, messages
from test_reputation_admission import asked, shown

from hansa.protocol.types import Phase

SNAPSHOT = Path(__file__).with_name("gas_of_identity.json")
WRITING = os.environ.get("HANSA_WRITE_GAS") == "1"
DRIFT = 0.005
ADMIT = 300_000  # what the Federation gives
BUDGETS = {
    "attest": 140_000,
    "revoke": 36_000,
    "revokeByDelegation": 65_000,
    "setAttribute": 52_000,
    "setAttributeSigned": 82_000,
    "admits, one issuer": 17_000,
    "admits, the last of 16 issuers": ADMIT,
    "admits, by reputation, 24 seats": ADMIT,
}
INTRINSIC = 21_000
SCHEMA = word("schema")
NAME = b"did/pub/X25519/enc/base64".ljust(32, b"\0")


def spent(admission: Any, sender: Any, *arguments: Any) -> int:
    """Gas of one call, without what every transaction costs, its calldata too."""
    data = admission.admits.encode_input(*arguments)
    question = {"from": str(sender), "to": admission.address, "data": data, "gas": hex(8_000_000)}
    calldata = bytes.fromhex(data[2:])
    return int(rpc("eth_estimateGas", question), 16) - INTRINSIC - sum(16 if byte else 4 for byte in calldata)


def test_gas__of_identity__is_the_committed_snapshot(house, actors, play, mallory, alice, sponsor):
    by = {"from": actors["deployer"]}
    registry, credentials = DidRegistry.deploy(by), Credentials.deploy(by)
    issuers = accounts[10:26]
    one = CredentialAdmission.deploy(credentials, SCHEMA, [sponsor], by)
    many = CredentialAdmission.deploy(credentials, SCHEMA, issuers, by)
    measured: dict[str, int] = {}

    issued = credentials.attest(SCHEMA, alice, now() + 10**6, b"", {"from": sponsor})
    measured["attest"] = issued.gas_used
    credentials.attest(SCHEMA, alice, now() + 10**6, b"", {"from": issuers[-1]})
    federation = house.federation.address
    measured["admits, one issuer"] = spent(one, federation, 1, alice.address, b"")
    measured["admits, the last of 16 issuers"] = spent(many, federation, 1, alice.address, b"")
    measured["revoke"] = credentials.revoke(issued.events["CredentialIssued"]["uid"], {"from": sponsor}).gas_used
    measured["setAttribute"] = registry.setAttribute(alice, NAME, bytes(32), 1000, {"from": alice}).gas_used

    signed = {message.type: message for message in messages(bytes(32))}
    attest, attribute = signed["Attest"], signed["SetAttribute"]
    done = attest.send(credentials, mallory, *attest.sign(credentials))
    measured["attestByDelegation"] = done.gas_used
    revoke = {str(each): each for each in messages(bytes(done.events["CredentialIssued"]["uid"]))}["Revoke"]
    measured["revokeByDelegation"] = revoke.send(credentials, mallory, *revoke.sign(credentials)).gas_used
    measured["setAttributeSigned"] = attribute.send(registry, mallory, *attribute.sign(registry)).gas_used
    assert registry.nonce(SIGNER.address) == 1

    seats = sorted(accounts[6:30], key=lambda account: int(account.address, 16))
    earlier = play(committee=MockCommittee.deploy(seats, by), seats=24, quorum=13)
    earlier.members = seats
    earlier.reach(Phase.FINALIZE).play_round()
    reputed = ReputationAdmission.deploy(house.federation, 1, [earlier.id], by)
    data = shown(earlier, alice)
    assert asked(reputed, federation, earlier, alice, data)
    measured["admits, by reputation, 24 seats"] = spent(reputed, federation, earlier.id, alice.address, data)

    sizes = {
        contract._name: len(web3.eth.get_code(contract.address)) for contract in (registry, credentials, one, reputed)
    }
    check(measured, sizes)


def check(measured: dict[str, int], sizes: dict[str, int]) -> None:
    over = {name: cost for name, cost in measured.items() if cost > BUDGETS.get(name, cost)}
    assert not over, f"over the budgets: {over}"
    if WRITING:
        SNAPSHOT.write_text(json.dumps({"gas": measured, "sizes": sizes}, indent=1) + "\n")
    kept = json.loads(SNAPSHOT.read_text())
    assert kept["sizes"] == sizes and list(kept["gas"]) == list(measured), "if that is meant, `make gas ARGS=--write`"
    moved = {
        name: (kept["gas"][name], cost)
        for name, cost in measured.items()
        if abs(cost - kept["gas"][name]) > DRIFT * cost
    }
    assert not moved, f"(committed, measured); if that is meant, `make gas ARGS=--write`: {moved}"
