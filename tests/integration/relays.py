"""A relay that runs beside a test, trainers that have no coin, and the calls that they sign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from eth_account import Account
from worlds import NAMES, World

from client.relayed import RelayedSender, relays_of
from hansa.devnet.anvil import published_key
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, Digest, JobId
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.federation import Federation
from hansa.runtime.journal import Journal
from hansa.runtime.log import open_log
from hansa.runtime.relay.service import RelayService
from hansa.runtime.transactions.sender import Sender

NOWHERE = "http://127.0.0.1:9"
COIN = 10**18


@dataclass
class RunningRelay:
    url: str
    account: Address
    world: World

    @property
    def nonce(self) -> int:
        return int(self.world.rpc("eth_getTransactionCount", self.account, "latest"), 16)

    def post(self, body: bytes | str, **headers: str) -> requests.Response:
        return requests.post(self.url, data=body, headers=headers, timeout=20)


@contextmanager
def relaying(world: World, name: str = "dave", jobs: frozenset[int] = frozenset({1})) -> Iterator[RunningRelay]:
    """A relay with the key of one of the actors, in a thread that owns all of it."""
    ready, over, found = threading.Event(), threading.Event(), list[RelayService]()

    def sender_of(sender: Sender) -> Callable[[JobId], Sender]:
        def look(job: JobId) -> Sender:
            if job not in jobs:
                raise FatalError(f"job {job} is not served here")
            return sender

        return look

    def run() -> None:
        chain = Chain([world.anvil.url], None)
        with Journal(world.directory / f"relay-{name}.sqlite") as journal:
            sender = Sender(chain, Account.from_key(published_key(NAMES.index(name))), journal)
            log = open_log(world.directory / "relay.log")
            service = RelayService("127.0.0.1:0", Federation(chain, world.deployment), sender_of(sender), log)
            found.append(service)
            ready.set()
            while not over.is_set():
                service.work(0.05)
                sender.tend()
            service.close()
        chain.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10)
        yield RunningRelay(found[0].url, world.address(name), world)
    finally:
        over.set()
        thread.join()


@contextmanager
def trainer(world: World, name: str, *urls: str, coin: int = 0) -> Iterator[RelayedSender]:
    """An actor that has so much coin."""
    world.rpc("anvil_setBalance", world.address(name), hex(coin))
    account = Account.from_key(published_key(NAMES.index(name)))
    with Journal(world.directory / f"{name}-gasless.sqlite") as journal:
        log = open_log(world.directory / "trainer.log")
        yield RelayedSender(world.federation, account, journal, relays_of(urls), log)


def enrol_call(world: World, job: JobId) -> Call:
    return world.federation.enrol_call(job, world.federation.terms_hash(job), 100, b"")


def submit_call(world: World, job: JobId, number: int = 1) -> Call:
    state = world.federation.state(job)
    return world.federation.submit_call(job, state.cycle, state.sheets, Digest(bytes([number]) * 32))


def coin_of(world: World, name: str) -> int:
    return int(world.rpc("eth_getBalance", world.address(name), "latest"), 16)
