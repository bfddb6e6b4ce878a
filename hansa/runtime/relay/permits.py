"""ERC-2612: a bond that the vault may take because its owner signed so, and somebody else sends that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount

from hansa.protocol.errors import ChainUnavailable, FatalError, WrongChain
from hansa.protocol.typed_data import PERMIT, digest, domain
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import ContractError, artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.rpc import AllFailed, NodeError, Nonsense
from hansa.runtime.signed_calls import sign_digest

VERSIONS = ("1", "2")  # of a token's EIP-712 domain, that are in use


@dataclass(frozen=True)
class Permit:
    """What an owner signed: the vault may take `value` of it. deadline: in seconds, of the chain."""

    value: int
    deadline: int
    signature: bytes

    def call(self, token: Address, owner: Address, vault: Address) -> Call:
        r, s, v = self.signature[:32], self.signature[32:64], self.signature[64]
        data = artifact("RewardToken").functions["permit"].encode(owner, vault, self.value, self.deadline, v, r, s)
        return Call(token, data, f"permit {self.value} units of {owner}")


class TokenPermits:
    """Permits of one token, for the vault. FatalError for a token without ERC-2612, or whose domain is none that is
    known: what is signed must count for this token alone."""

    def __init__(self, federation: Federation, token: Address) -> None:
        self._federation = federation
        self._token = token
        name, self._separator = str(self._ask("name")), self._ask("DOMAIN_SEPARATOR")
        if self._separator not in [domain(federation.chain.chain_id, token, name, version) for version in VERSIONS]:
            raise _no_permits(token, "its permits are not of this token and chain by their domain")

    def nonce(self, owner: Address) -> int:
        return int(self._ask("nonces", owner))

    def sign(self, account: LocalAccount, value: int, nonce: int, deadline: int) -> Permit:
        """Lets the vault take `value` of the account's."""
        owner, spender = account.address, self._federation.vault
        values = {"owner": owner, "spender": spender, "value": value, "nonce": nonce, "deadline": deadline}
        return Permit(value, deadline, sign_digest(account, digest(self._separator, PERMIT, values)))

    def _ask(self, function: str, *arguments: Any) -> Any:
        reading = (self._token, artifact("RewardToken").functions[function], arguments)
        try:
            return self._federation.chain.read([reading])[0][0]
        except (ContractError, WrongChain) as error:
            raise _no_permits(self._token, "it has none of ERC-2612's functions") from error
        except ChainUnavailable as error:
            failures = error.failures if isinstance(error, AllFailed) else [error]
            if all(isinstance(failure, Nonsense | NodeError) for failure in failures):  # the token's doing
                raise _no_permits(self._token, "its answers make no sense") from error
            raise


def _no_permits(token: Address, cause: str) -> FatalError:
    return FatalError(
        f"token {token} takes no bond by a signature",
        cause=cause,
        next_step="run without --gasless, with coin for one approval, or pick a job of another token",
    )
