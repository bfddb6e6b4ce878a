"""The way from a command to chain and store, and a key that acts: simulate, send, wait, or one sentence why not."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.amounts import Token
from cli.context import Here
from cli.refusals import explain
from protocol.chain.client import Chain
from protocol.chain.codec import ContractError, artifact
from protocol.chain.federation import Federation
from protocol.chain.rpc import AllFailed, NodeError, Nonsense
from protocol.chain.sender import Call, Mined, Pending, Refused, Sender
from protocol.errors import ChainUnavailable, FatalError, TransientError, WrongChain
from protocol.foreign import visible
from protocol.journal import Journal
from protocol.store import Store, open_store
from protocol.types import Address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from protocol.chain.deployment import Deployment


PATIENCE = 180.0  # seconds that a command waits for its transaction
LONGEST_SYMBOL = 16  # characters


@dataclass
class Wire:
    """One deployment, ready to be read."""

    deployment: Deployment

    @functools.cached_property
    def chain(self) -> Chain:
        found = self.deployment
        return Chain(
            found.rpc, found.chain_id, ws=found.ws, confirmations=found.confirmations, first_block=found.first_block
        )

    @functools.cached_property
    def federation(self) -> Federation:
        return Federation(self.chain, self.deployment)

    @functools.cached_property
    def store(self) -> Store:
        return open_store(self.deployment.store)

    @functools.cached_property
    def _tokens(self) -> dict[Address, Token]:
        return {}

    def token(self, address: str | None = None) -> Token:
        """How amounts of an ERC-20 are shown, the deployment's own by default. Each is asked once."""
        asked = Address(address or self.deployment.token)
        if asked not in self._tokens:
            self._tokens[asked] = any_token(self.chain, asked, is_ours=asked == self.deployment.token)
        return self._tokens[asked]


def connect(here: Here) -> Wire:
    """The deployment of the command's directory."""
    return Wire(here.deployment())


@dataclass
class Actor:
    """A key that sends transactions. Each is journalled first: a command that is run again sends the same one again."""

    chain: Chain
    account: LocalAccount
    journal: Journal

    def __post_init__(self) -> None:
        self._sender = Sender(self.chain, self.account, self.journal)

    @property
    def address(self) -> Address:
        return Address(self.account.address)

    def do(self, call: Call) -> Mapping[str, Any]:
        """Sends a call and waits for its receipt. FatalError, in words, when the contract refuses."""
        same = hashlib.sha256(f"{call.to}".encode() + call.data).hexdigest()
        done = (self.journal.recall(("done", same)) or {"times": 0})["times"]
        match self._sender.send(call, key=("cli", same, done), wait=PATIENCE):
            case Mined(receipt):
                self.journal.replace(("done", same), {"times": done + 1})
                return receipt
            case Refused(error):
                raise FatalError(f"can't {call.what}", cause=explain(error))
            case Pending():
                raise TransientError(
                    f"sent, but not mined after {PATIENCE:.0f} s: {call.what}",
                    next_step="run the command again; it sends the same transaction again, never a second one",
                )


@contextmanager
def acting(chain: Chain, account: LocalAccount, journal: Path) -> Iterator[Actor]:
    """An actor with its journal open; nobody else can use the journal meanwhile."""
    with Journal(journal) as held:
        yield Actor(chain, account, held)


def journal_of(here: Here, address: str, noun: str = "cli") -> Path:
    """Where an account's journal is; daemons and commands have one each."""
    return here.dir / "journals" / f"{address.lower()}-{noun}.sqlite"


def read_token(chain: Chain, address: Address) -> Token:
    """Asks an ERC-20 for its name and decimals; FatalError when it doesn't say."""
    symbol, decimals = _described(chain, address)
    if symbol is None or decimals is None:
        raise FatalError(
            f"{address} is not an ERC-20 token", cause=f"it gives no {'symbol' if symbol is None else 'decimals'}"
        )
    return Token(address, symbol, decimals)


def any_token(chain: Chain, address: Address, *, is_ours: bool) -> Token:
    """What amounts of a job's token are shown in, whatever contract that is: whole units where it says no decimals. One
    that is not the deployment's own shows its address, since any token can call itself what it likes."""
    symbol, decimals = _described(chain, address)
    short = f"{address[:6]}…{address[-4:]}"
    if decimals is None:
        return Token(address, f"units of {short}", 0)
    if symbol is None:
        return Token(address, f"of {short}", decimals)
    return Token(address, symbol if is_ours else f"{symbol} ({short})", decimals)


def _described(chain: Chain, address: Address) -> tuple[str | None, int | None]:
    """A token's symbol and decimals; None for what it does not say, or says in a way that makes no sense."""
    symbol, decimals = (_asked(chain, address, name) for name in ("symbol", "decimals"))
    return None if symbol is None else visible(str(symbol), LONGEST_SYMBOL), None if decimals is None else int(decimals)


def _asked(chain: Chain, address: Address, name: str) -> Any:
    try:
        return chain.read([(address, artifact("RewardToken").functions[name], ())])[0][0]
    except (ContractError, WrongChain):
        return None
    except ChainUnavailable as error:
        failures = error.failures if isinstance(error, AllFailed) else [error]
        if all(isinstance(failure, Nonsense | NodeError) for failure in failures):  # the token's doing: out of gas, say
            return None
        raise
