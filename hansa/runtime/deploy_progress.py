"""A deployment under way: each address is in a file as soon as it is known, and no contract is paid for twice."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, BlockNumber
from hansa.runtime.chain.bytecode import require_contract
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.deployment import Deployment, checksummed
from hansa.runtime.files import unwritable, write_atomically
from hansa.runtime.transactions.signer import Signer

FILE = "deploying.json"  # beside the deployment.json that is to come


@dataclass(frozen=True)
class Started:
    """What the file holds. id: names this deployment in the signer's journal, which knows what was sent for it."""

    chain_id: int
    account: Address
    first_block: int
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    contracts: dict[str, Address] = field(default_factory=dict)


class DeployProgress:
    """The contracts of one deployment, as they come."""

    def __init__(self, file: Path | None, chain: Chain, started: Started) -> None:
        self._file = file
        self._chain = chain
        self._started = started
        self.first_block = BlockNumber(started.first_block)

    @classmethod
    def begin(cls, file: Path | None, signer: Signer) -> DeployProgress:
        """A new deployment, or the one that the file tells of. FatalError where that is another account's or chain's,
        or the file can't be written."""
        chain = signer.chain
        started = None if file is None else _read(file)
        if started is None:
            made = cls(file, chain, Started(chain.chain_id, signer.address, chain.head().number))
            made._keep()
            return made
        if (started.chain_id, started.account) != (chain.chain_id, signer.address):
            raise FatalError(
                f"{file} is of a deployment by {started.account} on chain {started.chain_id}, which stopped half-way",
                next_step="go on with that account and chain, or move the file away",
            )
        return cls(file, chain, started)

    def address(self, contract: str, make: Callable[[str | None], Address]) -> Address:
        """A contract's address; `make` deploys one that is not there, once for the name that it is given."""
        known = self._started.contracts
        if contract in known:
            require_contract(self._chain, known[contract], contract)
        else:
            known[contract] = make(None if self._file is None else self._started.id)
            self._keep()
        return known[contract]

    def _keep(self) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, (json.dumps(asdict(self._started), indent=2) + "\n").encode())
        except OSError as error:
            raise unwritable(self._file, error) from error


def forget_finished(file: Path, deployment: Deployment) -> None:
    """Drops the file of a deployment that is finished."""
    started = _read(file)
    if started is not None and started.contracts.get("Federation") == deployment.federation:
        file.unlink()


def _read(file: Path) -> Started | None:
    try:
        found = Started(**json.loads(file.read_text()))
        return Started(**{**asdict(found), "contracts": {n: checksummed(a) for n, a in found.contracts.items()}})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise FatalError(f"{file} can't be read", cause=error, next_step="move it away") from error
