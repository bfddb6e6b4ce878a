"""Settings of one trainer daemon."""

from __future__ import annotations

from dataclasses import dataclass

from structlog.stdlib import BoundLogger

from client.committee_keys import PinnedKeys
from client.privacy.budget import PrivacySettings
from client.relayed import RelayedSender, relays_of
from hansa.protocol.types import Wei
from hansa.runtime.chain.federation import Federation
from hansa.runtime.desk import DaemonConfig
from hansa.runtime.journal import Journal
from hansa.runtime.transactions.sender import Sender


@dataclass(frozen=True, kw_only=True)
class TrainerConfig(DaemonConfig):
    """What a trainer is told beside.

    source: the trainer's own rows, as its task understands it (a party's number, a path).
    pinned_keys: the only X25519 keys, by member, that updates are sealed to; None takes what the chain shows.
    bond: in the token's smallest unit; None bonds the least that the job asks for.
    stop_after_failure: end after a cycle that failed with this trainer's update in, instead of sending it again.
    repeat: train from weights that an update of this party was summed over in another masked job, too.
    min_group: of a masked job, the least updates that it must open together.
    privacy: the budget of these rows; None: no noise.
    relays: addresses of relays that send what this trainer signs; none: it sends itself.
    wait_for_bond: seconds to stay after the end for the bond to be free; it never expires.
    """

    source: str
    bond: Wei | None = None
    pinned_keys: PinnedKeys | None = None
    stop_after_failure: bool = False
    repeat: bool = False
    min_group: int = 0
    privacy: PrivacySettings | None = None
    wait_for_bond: float = 600.0
    relays: tuple[str, ...] = ()

    def sender(self, federation: Federation, journal: Journal, log: BoundLogger) -> Sender:
        if not self.relays:
            return super().sender(federation, journal, log)
        return RelayedSender(federation, self.account, journal, relays_of(self.relays), log, self.caps)
