"""A key that acts once: simulate, send, wait, or one sentence why not."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from hansa.protocol.errors import FatalError, TransientError
from hansa.protocol.types import Address
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.dialects import fee_paid
from hansa.runtime.chain.refusals import explain
from hansa.runtime.journal import Journal, Key
from hansa.runtime.transactions.gas_price import NO_CAPS, FeeCaps
from hansa.runtime.transactions.sender import Mined, Pending, Refused, Sender

PATIENCE = 180.0  # seconds that a command waits for its transaction
LOOK_AFTER = 10.0  # seconds after which what is not mined is sent again, offers more, or is signed anew


@dataclass
class Signer:
    """A key that sends transactions. Each is journalled first: a command that is run again sends the same one again."""

    chain: Chain
    account: LocalAccount
    journal: Journal
    caps: FeeCaps = NO_CAPS

    def __post_init__(self) -> None:
        self._sender = Sender(self.chain, self.account, self.journal, self.caps)
        self.paid = 0  # wei, for all that was mined: gas, and a rollup's fee for the chain below

    @property
    def address(self) -> Address:
        return Address(self.account.address)

    def do(self, call: Call, *, once: str | None = None) -> Mapping[str, Any]:
        """Sends a call and waits for its receipt. FatalError, in words, when the contract refuses.

        once: names an occasion at which this call is sent once, however often it is asked for.
        """
        same = hashlib.sha256(f"{call.to}".encode() + call.data).hexdigest()
        done = (self.journal.recall(("done", same)) or {"times": 0})["times"]
        key: Key = ("cli", same, done) if once is None else ("once", once, same)
        end = time.monotonic() + PATIENCE
        outcome = self._sender.send(call, key=key, wait=LOOK_AFTER)
        while isinstance(outcome, Pending) and (left := end - time.monotonic()) > 0:
            outcome = self._sender.send(call, key=key, wait=min(left, LOOK_AFTER))
        match outcome:
            case Mined(receipt):
                self.journal.replace(("done", same), {"times": done + 1})
                self.paid += fee_paid(receipt)
                return receipt
            case Refused(error):
                raise FatalError(f"can't {call.what}", cause=explain(error))
            case Pending():
                raise TransientError(
                    f"sent, but not mined after {PATIENCE:.0f} s: {call.what}",
                    next_step="run the command again; it sends the same transaction again, never a second one",
                )


@contextmanager
def signing_with(chain: Chain, account: LocalAccount, journal: Path, caps: FeeCaps = NO_CAPS) -> Iterator[Signer]:
    """A signer with its journal open; nobody else can use the journal meanwhile."""
    with Journal(journal) as held:
        yield Signer(chain, account, held, caps)
