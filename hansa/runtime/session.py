"""The way from a workspace to chain and store, and how amounts of a token are shown."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import ChainUnavailable, FatalError, WrongChain
from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token
from hansa.runtime.chain.abi import ContractError, Field, Function, artifact
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.rpc import AllFailed, NodeError, Nonsense
from hansa.runtime.store import Store, open_store
from hansa.runtime.workspace import Workspace

LONGEST_SYMBOL = 16  # characters
SHORT_SYMBOL = Function("symbol", bytes.fromhex("95d89b41"), (), (Field("", "bytes32"),))


@dataclass
class Session:
    """One deployment, ready to be read."""

    deployment: Deployment

    @functools.cached_property
    def chain(self) -> Chain:
        return Chain.of(self.deployment)

    @functools.cached_property
    def federation(self) -> Federation:
        return Federation(self.chain, self.deployment)

    @functools.cached_property
    def store(self) -> Store:
        return open_store(self.deployment.store, self.deployment.expanded, self.deployment.peers)

    @functools.cached_property
    def _tokens(self) -> dict[Address, Token]:
        return {}

    def token(self, address: str | None = None) -> Token:
        """How amounts of an ERC-20 are shown, the deployment's own by default. Each is asked once."""
        asked = Address(address or self.deployment.token)
        if asked not in self._tokens:
            self._tokens[asked] = any_token(self.chain, asked, is_ours=asked == self.deployment.token)
        return self._tokens[asked]

    def check_funds(
        self, account: Address, token: Token, amount: int, what: str, next_step: str, *, name: str = ""
    ) -> None:
        """FatalError where an account holds too few tokens for `what`. name: what to call it."""
        if (held := self.federation.token_balance(Address(token.address), account)) < amount:
            text = f"{name or account} can't pay {what} of {token.text(amount)}"
            raise FatalError(text, cause=f"it has {token.text(held)}", next_step=next_step)


def connect(workspace: Workspace) -> Session:
    """The deployment of a workspace, ready to be read."""
    return Session(workspace.deployment())


def read_token(chain: Chain, address: Address) -> Token:
    """Asks an ERC-20 for its name and decimals; FatalError when it doesn't say."""
    symbol, decimals = _describe(chain, address)
    if symbol is None or decimals is None:
        raise FatalError(
            f"{address} is not an ERC-20 token", cause=f"it gives no {'symbol' if symbol is None else 'decimals'}"
        )
    return Token(address, symbol, decimals)


def any_token(chain: Chain, address: Address, *, is_ours: bool) -> Token:
    """What amounts of a job's token are shown in, whatever contract that is: whole units where it says no decimals. One
    that is not the deployment's own shows its address, since any token can call itself what it likes."""
    symbol, decimals = _describe(chain, address)
    if decimals is None:
        return Token.in_units(address)
    short = f"{address[:6]}…{address[-4:]}"
    if symbol is None:
        return Token(address, f"of {short}", decimals)
    return Token(address, symbol if is_ours else f"{symbol} ({short})", decimals)


def _describe(chain: Chain, address: Address) -> tuple[str | None, int | None]:
    """A token's symbol and decimals; None for what it does not say, or says in a way that makes no sense."""
    symbol, decimals = (
        _ask(chain, address, artifact("RewardToken").functions[name]) for name in ("symbol", "decimals")
    )
    if symbol is None:  # as some of the first tokens say it
        word = _ask(chain, address, SHORT_SYMBOL)
        symbol = word.rstrip(b"\0").decode(errors="replace") or None if word is not None else None
    shown = None if symbol is None else escape_untrusted(str(symbol), LONGEST_SYMBOL)
    return shown, None if decimals is None else int(decimals)


def _ask(chain: Chain, address: Address, function: Function) -> Any:
    try:
        return chain.read([(address, function, ())])[0][0]
    except (ContractError, WrongChain):
        return None
    except ChainUnavailable as error:
        failures = error.failures if isinstance(error, AllFailed) else [error]
        if all(isinstance(failure, Nonsense | NodeError) for failure in failures):  # the token's doing: out of gas, say
            return None
        raise
