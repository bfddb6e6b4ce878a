"""What strangers ask of a relay: nothing of it costs it anything, or stops it."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any

import pytest
import requests
from eth_account import Account
from eth_utils.address import to_checksum_address
from relays import RunningRelay, enrol_call, relaying, submit_call, trainer
from worlds import NAMES, World

from hansa.devnet.anvil import published_key
from hansa.protocol.merkle import Leaf
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.calls import Call, approve_call
from hansa.runtime.relay.messages import MOST_BODY, MOST_DATA, RelayRequest
from hansa.runtime.relay.permits import TokenPermits


@pytest.fixture
def relay(world: World) -> Iterator[RunningRelay]:
    with relaying(world) as running:
        yield running


@dataclass
class Asked:
    """A genuine request of alice's, and changes of it."""

    request: RelayRequest

    def said(self, **changes: Any) -> str:
        return json.dumps({**json.loads(self.request.encode()), **changes})


@pytest.fixture
def asked(world: World, relay: RunningRelay) -> Asked:
    job = world.post()
    with trainer(world, "alice", relay.url) as alice:
        return Asked(alice._signed(enrol_call(world, job), (job, "enrol")))


def test_relay__what_is_no_request__is_refused(world: World, relay: RunningRelay, asked: Asked) -> None:
    data, before = "0x" + asked.request.data.hex(), relay.nonce
    other = "0x" + "ab" * 20
    bad = {
        "nothing": "",
        "no JSON": "{",
        "a list": "[]",
        "deep": "[" * 50_000,
        "a field too many": asked.said(more=1),
        "no data": json.dumps({"chain": 31337, "to": asked.request.to}),
        "chain of a text": asked.said(chain="31337"),
        "chain of a truth": asked.said(chain=True),
        "chain of a fraction": asked.said(chain=1.5),
        "a negative chain": asked.said(chain=-1),
        "another chain": asked.said(chain=1),
        "another contract": asked.said(to=other),
        "the token": asked.said(to=world.deployment.token),
        "no address": asked.said(to="0x12"),
        "an address of a number": asked.said(to=5),
        "data of a list": asked.said(data=[]),
        "data that is odd": asked.said(data="0x1"),
        "no hexadecimal": asked.said(data="0xzz"),
        "no function": asked.said(data="0x12345678"),
        "no data at all": asked.said(data="0x"),
        "a byte more": asked.said(data=data + "00"),
        "a byte less": asked.said(data=data[:-2]),
        "too long": asked.said(data="0x" + "00" * (MOST_DATA + 1)),
        "a plain call": asked.said(data="0x" + enrol_call(world, JobId(1)).data.hex()),
        "a bundle": asked.said(data="0xac9650d8"),
        "stop": asked.said(data="0x" + world.federation.stop_call(JobId(1)).data.hex()),
        "approve": asked.said(to=world.deployment.token, data="0x" + approve_call(other, other, 1).data.hex()),  # type: ignore[arg-type]
        "a permit that is none": asked.said(permit=[]),
        "a permit of no number": asked.said(permit={"value": "1", "deadline": 1, "signature": "0x"}),
        "a short permit": asked.said(permit={"value": 1, "deadline": 1, "signature": "0x12"}),
        "burn of the vault": asked.said(to=world.deployment.vault, data="0x12345678"),
    }
    for what, body in bad.items():
        answer = relay.post(body)
        assert answer.status_code == 400 and answer.json()["error"], what
    signature = bytearray(asked.request.data)
    signature[-100] ^= 1
    for place in range(4, len(signature), 7):
        changed = bytearray(asked.request.data)
        changed[place] ^= 1
        answer = relay.post(asked.said(data="0x" + changed.hex()))
        assert answer.status_code in (400, 403, 409), f"byte {place}"
    assert relay.nonce == before and world.federation.state(JobId(1)).enrolled == 0


def test_relay__large_or_strange_http__is_refused(world: World, relay: RunningRelay, asked: Asked) -> None:
    assert relay.post(b"x" * (MOST_BODY + 1)).status_code == 413
    for length in ("9" * 12, "-1", "1e3", "٣"):
        connection = HTTPConnection(relay.url.removeprefix("http://"), timeout=10)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", length.encode())
        connection.endheaders()
        assert connection.getresponse().status == (413 if length.startswith("9") else 411)
    assert relay.post(iter([b"x"])).status_code == 411  # type: ignore[arg-type]
    assert requests.get(relay.url, timeout=5).status_code == 405
    assert relay.post(asked.request.encode()).status_code in (200, 202), "it is well after all that"


def test_relay__of_another_job__is_refused(world: World, relay: RunningRelay) -> None:
    world.post()
    second = world.post()
    with trainer(world, "alice", relay.url) as alice:
        answer = relay.post(alice._signed(enrol_call(world, second), (second, "enrol")).encode())
        assert answer.status_code == 403 and "job 2 is not served here" in answer.json()["error"]
        beyond = world.federation.rejoin_call(JobId(2**255), submit_cycle(world))
        assert relay.post(alice._signed(beyond, ("rejoin",)).encode()).status_code == 403


def submit_cycle(world: World) -> Any:
    return world.federation.state(JobId(1)).cycle


def test_relay__permit_of_somebody_else__is_refused_for_nothing(
    world: World, relay: RunningRelay, asked: Asked
) -> None:
    before, permit = relay.nonce, asked.request.permit
    assert permit is not None
    for wrong in (None, replace(permit, value=permit.value + 1), replace(permit, signature=bytes(65))):
        answer = relay.post(replace(asked.request, permit=wrong).encode())
        assert answer.status_code == 409, answer.text
    assert relay.nonce == before


def test_relay__permit_for_less_than_the_bond__is_refused_for_nothing(
    world: World, relay: RunningRelay, asked: Asked
) -> None:
    """Sent, it would cost gas, and the enrolment would still be refused."""
    before, account = relay.nonce, Account.from_key(published_key(NAMES.index("alice")))
    permits, deadline = TokenPermits(world.federation, world.deployment.token), 2**40
    less = permits.sign(account, 99, permits.nonce(world.address("alice")), deadline)
    assert relay.post(replace(asked.request, permit=less).encode()).status_code == 409
    assert relay.nonce == before


def test_relay__without_the_tokens__is_refused_for_nothing(world: World, relay: RunningRelay, asked: Asked) -> None:
    token, before = world.deployment.token, relay.nonce
    world.rpc("anvil_dealERC20", world.address("alice"), token, hex(99))
    assert relay.post(asked.request.encode()).status_code == 409
    assert relay.nonce == before


def test_relay__claims_that_pay_nothing__are_refused_for_nothing(world: World, relay: RunningRelay) -> None:
    job, federation = world.post(), world.federation
    world.enrol(job)
    before, alice = relay.nonce, world.address("alice")

    def ask(call: Call) -> int:
        assert call.to is not None
        return relay.post(RelayRequest(31337, call.to, call.data).encode()).status_code

    leaf, nothing = Leaf(alice, 5, 0, 0), Leaf(alice, 0, 0, 0)
    assert ask(federation.claim_call(job, alice, [])) == 409
    assert ask(federation.claim_call(job, alice, [(1, nothing, [])])) == 409
    assert ask(federation.claim_call(job, alice, [(1, leaf, []), (1, leaf, [])])) == 409
    assert ask(federation.claim_call(job, alice, [(1, leaf, [])])) == 409, "the round has no such leaf"
    assert ask(federation.claim_bond_call(job, alice)) == 409, "the job runs"
    assert ask(federation.claim_bond_call(job, world.address("frank"))) == 200, "there is none: nothing to do"
    assert relay.nonce == before


def test_relay__thousands_of_requests__neither_cost_nor_stop_it(
    world: World, relay: RunningRelay, asked: Asked
) -> None:
    """Junk, and one signed call again and again, from many clients."""
    before, told = relay.nonce, list[int]()

    def flood(body: bytes, times: int) -> None:
        for _ in range(times):
            try:
                told.append(requests.post(relay.url, data=body, timeout=30).status_code)
            except requests.RequestException:
                told.append(0)  # it was told to come again

    good = asked.request.encode()
    bodies = [b"{}"] * 12 + [b"[" * 1000] * 4 + [asked.said(data="0x12345678").encode()] * 4 + [good] * 4
    threads = [threading.Thread(target=flood, args=(body, 20 if body == good else 110)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) > 2200 and set(told) <= {0, 200, 202, 400, 409, 503}
    end = time.monotonic() + 10
    while not world.federation.trainer(JobId(1), world.address("alice")).enrolled and time.monotonic() < end:
        time.sleep(0.1)
    assert relay.post(good).status_code in (200, 202)
    assert world.federation.state(JobId(1)).enrolled == 1
    assert relay.nonce == before + 2, "one permit, one enrolment"


def test_relay__one_act_signed_in_many_ways__is_sent_once(world: World, relay: RunningRelay) -> None:
    """Before the first is mined, each of them would be taken: a rejoin again changes nothing, and costs as much."""
    job, federation = world.post(), world.federation
    world.enrol(job)
    world.do("sponsor", federation.open_call(job))
    before = relay.nonce
    world.rpc("evm_setAutomine", False)
    world.rpc("evm_setIntervalMining", 0)
    try:
        with trainer(world, "alice", relay.url) as alice:
            answers = [
                relay.post(alice._signed(submit_call(world, job, number), (job, number)).encode())
                for number in range(1, 9)
            ]
    finally:
        world.rpc("evm_setAutomine", True)
        world.rpc("evm_mine")
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert len({answer.json().get("transaction") for answer in answers} - {None}) == 1
    end = time.monotonic() + 10
    while world.federation.state(job).submitted == 0 and time.monotonic() < end:
        time.sleep(0.1)
    assert (world.federation.state(job).submitted, relay.nonce) == (1, before + 1)


def test_relay__accounts_that_nothing_was_sent_for__are_not_remembered(world: World, relay: RunningRelay) -> None:
    job = world.post()
    for number in range(20):
        stranger = Address(to_checksum_address(f"0x{number + 1:040x}"))
        call = world.federation.claim_bond_call(job, stranger)
        assert call.to is not None
        assert relay.post(RelayRequest(31337, call.to, call.data).encode()).status_code == 200
    rows = sqlite3.connect(world.directory / "relay-dave.sqlite").execute("SELECT key FROM memory").fetchall()
    assert not [key for (key,) in rows if "relayed for" in key]
