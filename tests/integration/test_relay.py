"""Trainers that sign and a relay that sends: whose acts these are, and what becomes of them where one fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from old_token import make_old
from relays import COIN, NOWHERE, RunningRelay, coin_of, enrol_call, relaying, submit_call, trainer
from worlds import NAMES, World

from client import relayed
from client.relayed import LEAST_GAS, relays_of
from hansa.devnet.anvil import published_key
from hansa.protocol.errors import FatalError, TransientError
from hansa.runtime.relay.messages import RelayRequest
from hansa.runtime.relay.permits import TokenPermits
from hansa.runtime.transactions.sender import Mined, Pending, Refused


@pytest.fixture
def relay(world: World) -> Iterator[RunningRelay]:
    with relaying(world) as running:
        yield running


def test_trainer_without_coin__enrols_submits_and_has_its_bond_back(world: World, relay: RunningRelay) -> None:
    job, federation = world.post(slash_time=1, max_failures=1), world.federation
    had = federation.token_balance(world.deployment.token, world.address("alice"))
    with trainer(world, "alice", relay.url) as alice:
        assert not alice.pays
        assert isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=10), Mined)
        assert federation.bond(job, alice.address) == 100 and federation.trainer(job, alice.address).bond == 100
        world.enrol(job, "bob", "carol")
        world.do("sponsor", federation.open_call(job))
        call = submit_call(world, job)
        assert isinstance(alice.send(call, key=(job, "submit"), wait=10), Mined)
        nonce = relay.nonce
        assert isinstance(alice.send(call, key=(job, "submit"), wait=10), Mined), "again: it is done"
        world.pass_time(601)
        world.do("sponsor", federation.fail_call(job, federation.state(job).cycle))
        world.pass_time(5)
        assert isinstance(alice.send(federation.claim_bond_call(job, alice.address), key=(job, "bond"), wait=10), Mined)
        assert relay.nonce == nonce + 1
        assert isinstance(alice.send(federation.open_call(job), key=("open",)), Refused), "what others do without it"
        assert isinstance(alice.poke(), Pending)
    assert federation.token_balance(world.deployment.token, world.address("alice")) == had
    assert coin_of(world, "alice") == 0
    assert int(world.rpc("eth_getTransactionCount", world.address("alice"), "latest"), 16) == 0


def test_coin_that_is_too_little__is_none(world: World, relay: RunningRelay) -> None:
    """Anybody can send a trainer a grain of coin: it must not end its daemon, now or when it is started again."""
    job, federation = world.post(), world.federation
    world.enrol(job)
    with trainer(world, "alice", relay.url, coin=1) as alice:
        opens = federation.open_call(job)
        assert not alice.pays and isinstance(alice.send(opens, key=("open",)), Refused)
        assert isinstance(alice.poke(), Pending)
        fee = alice._mempool.view().market.fee
        world.rpc("anvil_setBalance", alice.address, hex(LEAST_GAS * fee * 2))
        assert alice.pays and isinstance(alice.send(opens, key=("open",)), Refused), "not for so much gas"
        alice.tend()
    with trainer(world, "alice", NOWHERE, coin=LEAST_GAS * fee * 2) as alice:
        alice.tend()
        with pytest.raises(TransientError, match="no relay sends"):
            alice.send(enrol_call(world, world.post()), key=("enrol",))


def test_enrolment__that_has_changed__is_signed_anew(world: World, relay: RunningRelay) -> None:
    """Another bond; or another proof for the job's admission, once the round ended that the first was of."""
    job = world.post()
    with trainer(world, "alice", NOWHERE) as alice, pytest.raises(TransientError):
        alice.send(enrol_call(world, job), key=(job, "enrol"))
    call = world.federation.enrol_call(job, world.federation.terms_hash(job), 150, b"another proof")
    with trainer(world, "alice", relay.url) as alice:
        assert isinstance(alice.send(call, key=(job, "enrol"), wait=10), Mined)
    assert world.federation.trainer(job, world.address("alice")).bond == 150


def test_permit__that_somebody_sent_already__serves(world: World, relay: RunningRelay) -> None:
    job = world.post()
    with trainer(world, "alice", NOWHERE) as alice, pytest.raises(TransientError):
        alice.send(enrol_call(world, job), key=(job, "enrol"))
    permits = TokenPermits(world.federation, world.deployment.token)
    account = Account.from_key(published_key(NAMES.index("alice")))
    permit = permits.sign(account, 100, 0, int(world.federation.state(job).deadline))
    world.do("bob", permit.call(world.deployment.token, world.address("alice"), world.deployment.vault))
    before = relay.nonce
    with trainer(world, "alice", relay.url) as alice:
        assert isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=10), Mined)
    assert relay.nonce == before + 1, "the enrolment alone"


def test_relay__that_fails__is_followed_by_the_next_with_the_same_signature(
    world: World, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.post()
    asked: list[RelayRequest] = []
    ask = relayed.RelayEndpoint.ask
    monkeypatch.setattr(
        relayed.RelayEndpoint, "ask", lambda self, request: (asked.append(request), ask(self, request))[1]
    )
    with trainer(world, "alice", NOWHERE) as alice, pytest.raises(TransientError, match="no relay sends enrol in job"):
        alice.send(enrol_call(world, job), key=(job, "enrol"))
    with trainer(world, "alice", NOWHERE, relay.url) as alice:  # started again, as after a crash
        assert isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=10), Mined)
    assert len(asked) == 3 and len(set(asked)) == 1


def test_relay__that_lies__is_followed_by_the_next(
    world: World, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it has sent it, and has not."""
    job = world.post()
    monkeypatch.setattr(relayed, "RELAY_SECONDS", 0.5)
    ask = relayed.RelayEndpoint.ask

    def told(self: Any, request: RelayRequest) -> Any:
        lies = self.shown == NOWHERE
        return relayed.RelayAnswer(202, "0x" + "11" * 32) if lies else ask(self, request)

    monkeypatch.setattr(relayed.RelayEndpoint, "ask", told)
    with trainer(world, "alice", NOWHERE, relay.url) as alice:
        first = alice.send(enrol_call(world, job), key=(job, "enrol"), wait=0.6)
        assert first == Pending(b"\x11" * 32)
        assert isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=10), Mined)


def test_trainer_with_coin__sends_itself_where_no_relay_does(world: World) -> None:
    job = world.post()
    with trainer(world, "alice", NOWHERE, coin=COIN) as alice:
        assert alice.pays and isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=10), Mined)
    assert world.federation.trainer(job, world.address("alice")).enrolled and coin_of(world, "alice") < COIN


def test_what_the_contract_refuses__is_told__and_costs_the_relay_nothing(world: World, relay: RunningRelay) -> None:
    job = world.post()
    before = relay.nonce
    with trainer(world, "alice", relay.url) as alice:
        call = world.federation.enrol_call(job, b"\1" * 32, 100, b"")
        refused = alice.send(call, key=(job, "wrong terms"))
        assert isinstance(refused, Refused) and refused.error.name == "Federation_WrongTerms"
        answer = relay.post(alice._signed(call, (job, "wrong terms")).encode())
        assert answer.status_code == 409 and "Federation_WrongTerms" in answer.json()["error"]
    assert relay.nonce == before, "not even the permit"


def test_two_jobs__each_has_its_permit(world: World) -> None:
    first, second = world.post(), world.post()
    with relaying(world, jobs=frozenset({1, 2})) as relay, trainer(world, "alice", NOWHERE) as offline:
        for job in (first, second):  # both signed, with one nonce of the token
            with pytest.raises(TransientError):
                offline.send(enrol_call(world, job), key=(job, "enrol"))
        offline._relays = relays_of([relay.url])
        for job in (first, second):
            assert isinstance(offline.send(enrol_call(world, job), key=(job, "enrol"), wait=10), Mined)


def test_token_without_permits__is_refused_in_a_sentence(world: World, relay: RunningRelay) -> None:
    make_old(world.anvil.url, world.deployment.token)
    job = world.post()
    world.rpc("anvil_setCode", world.deployment.token, "0x" + "00")
    with pytest.raises(FatalError, match="takes no bond by a signature.*without --gasless"):
        TokenPermits(world.federation, world.deployment.token)
    assert world.federation.state(job).enrolled == 0


def test_relay__started_again__sends_nothing_twice(world: World, tmp_path: Path) -> None:
    job = world.post()
    with relaying(world) as relay, trainer(world, "alice", relay.url) as alice:
        assert isinstance(alice.send(enrol_call(world, job), key=(job, "enrol"), wait=10), Mined)
        request, nonce = alice._signed(enrol_call(world, job), (job, "enrol")), relay.nonce
    with relaying(world) as relay:
        assert relay.post(request.encode()).status_code == 200
        assert relay.nonce == nonce
