"""The Vault's books of one job, kept again from its events.

No event tells when it was: what hangs on a time is checked by the order of events, as far as that goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hansa.audit.report import require_equal
from hansa.protocol.merkle import Leaf
from hansa.protocol.types import Address
from hansa.runtime.chain.structs import JobTerms

Values = Mapping[str, Any]


class Expected(NamedTuple):
    """The event that must come next, in the same transaction."""

    contract: str
    name: str
    values: dict[str, Any]


def expect_vault(name: str, **values: Any) -> Expected:
    return Expected("Vault", name, values)


class VaultRules:
    """Every amount of a job, named as in Books.

    `on` raises Wrong where an event can't be, and returns the events that must follow.
    """

    def __init__(self) -> None:
        self.terms: JobTerms
        self.sponsor = Address("")
        self.leaves: dict[int, dict[Address, Leaf] | None] = {}  # by round; None where they are not known
        self.bonds: dict[Address, int] = {}
        self.fees: dict[Address, int] = {}
        self.pools: dict[int, tuple[int, int]] = {}  # by round: root, unpaid
        self.claimed: dict[tuple[Address, int], int] = {}  # by trainer and round
        self.penalties: dict[tuple[Address, int], int] = {}
        self.fees_claimed: dict[Address, int] = {}
        self.bonds_returned: dict[Address, int] = {}
        self.escrowed = self.left = self.booked = self.paid = self.burnt = self.burn_sent = 0
        self.refunded = self.bonded = self.forfeited = self.expired = 0
        self.over = False
        self._finalised = False
        self._free = self._expired = False  # whether a bond was returned, or pay has expired
        self._last_claim: tuple[Address, int] | None = None  # of the last event, where it is one
        self._of_bond = False  # whether the burn that must come next is a penalty
        self.counts = {"claims": 0, "penalties": 0, "burns": 0}
        self._handlers: dict[str, Callable[[Values], list[Expected] | None]] = {
            "Deposited": self._on_deposited,
            "Bonded": self._on_bonded,
            "RoundBooked": self._on_round_booked,
            "FeesBooked": self._on_fees_booked,
            "Burnt": self._on_burnt,
            "Expired": self._on_expired,
            "BurnSent": self._on_burn_sent,
            "RewardClaimed": self._on_reward_claimed,
            "Struck": self._on_struck,
            "FeesClaimed": self._on_fees_claimed,
            "BondReturned": self._on_bond_returned,
            "RestReturned": self._on_rest_returned,
        }

    def on(self, name: str, values: Values, asked: bool) -> list[Expected]:
        """The Vault's next event. asked: an event before it said that it must come."""
        if name in ("Deposited", "Bonded", "RoundBooked"):
            require_equal(f"{name} follows from what came before", True, asked)
        if name == "Struck" and not asked:
            self._may_strike(values["trainer"], values["round"], values["penalty"])
        if name == "Burnt" and not asked:
            name = "Expired"
        self._last_claim = (values["trainer"], values["round"]) if name == "RewardClaimed" else None
        return self._handlers[name](values) or []

    def close(self, finalised: bool) -> None:
        """The job ends."""
        self.over, self._finalised = True, finalised

    def times(self, ended: int | None) -> tuple[int | None, int | None, int | None]:
        """When the job ended, until when there are claims, and strikes. ended: as known; None where it is not."""
        if not self.over:
            return 0, 0, 0
        if ended is None:
            return None, None, None
        claim_until = min(ended + self.terms.claim_time, 2**32 - 1)
        return ended, claim_until, ended + (self.terms.slash_time if self._finalised else 0)

    @property
    def token(self) -> Address:
        return self.terms.token

    # --- in

    def _on_deposited(self, values: Values) -> None:
        self.sponsor = values["from"]
        self.escrowed = self.left = values["amount"]

    def _on_bonded(self, values: Values) -> None:
        self.bonds[values["trainer"]] = values["amount"]
        self.bonded += values["amount"]

    def _on_round_booked(self, values: Values) -> None:
        taken = values["reward"] + values["fees"]
        require_equal("the escrow covers a round", True, taken <= self.left, round=values["round"])
        self.left -= taken
        self.booked += taken
        self.pools[values["round"]] = (values["root"], values["reward"])

    def _on_fees_booked(self, values: Values) -> None:
        member = values["member"]
        self.fees[member] = self.fees.get(member, 0) + values["amount"]

    # --- burnt

    def _on_burnt(self, values: Values) -> None:
        """A failed cycle's, out of the escrow, or a penalty, out of a bond."""
        if not self._of_bond:
            require_equal("the escrow covers a burn", True, values["amount"] <= self.left)
            self.left -= values["amount"]
        self._of_bond = False
        self._burn(values["amount"])

    def _on_expired(self, values: Values) -> None:
        """A Burnt that no event before it asked for."""
        require_equal("pay and fees that are burnt as expired", self.booked - self.paid, values["amount"])
        require_equal(
            "what expires is of a job that is over, and something", (True, True), (self.over, self.booked > self.paid)
        )
        self.booked, self._expired = self.paid, True
        self.expired += values["amount"]
        self._burn(values["amount"])

    def _burn(self, amount: int) -> None:
        self.burnt += amount
        self.counts["burns"] += 1

    def _on_burn_sent(self, values: Values) -> None:
        require_equal("what is sent of the burnt", self.burnt - self.burn_sent, values["amount"])
        require_equal("something is sent", True, values["amount"] > 0)
        self.burn_sent = self.burnt

    # --- out

    def _on_reward_claimed(self, values: Values) -> list[Expected] | None:
        trainer, round_, amount = values["trainer"], values["round"], values["amount"]
        require_equal(f"{trainer} is a trainer", True, trainer in self.bonds, round=round_)
        require_equal(f"{trainer} claims a finalised round", True, round_ in self.pools, round=round_)
        require_equal(f"{trainer} claims once", False, (trainer, round_) in self.claimed, round=round_)
        self._claimable()
        self.claimed[trainer, round_] = amount
        root, unpaid = self.pools[round_]
        leaves = self.leaves.get(round_)
        require_equal(f"{trainer} claims no more than the pool holds", True, amount <= unpaid, round=round_)
        self.pools[round_] = (root, unpaid - amount)
        self.paid += amount
        if leaves is None:
            return None
        leaf = leaves[trainer]
        require_equal(f"what {trainer} claims", min(leaf.pay, unpaid), amount, round=round_)
        self.counts["claims"] += 1
        if not leaf.strike or self.over:  # then it hangs on the time whether one follows
            return None
        penalty = min(self.terms.strike_penalty, self.bonds[trainer])
        return [expect_vault("Struck", trainer=trainer, round=round_, penalty=penalty)]

    def _may_strike(self, trainer: Address, round_: int, penalty: int) -> None:
        """A strike after the end, or by a leaf that is not known: the sheets will tell whether it is one."""
        require_equal(f"{trainer} is struck by a claim", (trainer, round_), self._last_claim, round=round_)
        leaves = self.leaves.get(round_)
        says = leaves is None or (self.over and leaves[trainer].strike > 0)
        require_equal(f"a strike of {trainer} that its leaf says", True, says, round=round_)
        require_equal("a strike while bonds are held", False, self._free, round=round_)
        most = min(self.terms.strike_penalty, self.bonds[trainer])
        require_equal(f"the penalty of {trainer}", most, penalty, round=round_)

    def _on_struck(self, values: Values) -> list[Expected] | None:
        trainer, penalty = values["trainer"], values["penalty"]
        self.bonds[trainer] -= penalty
        self.bonded -= penalty
        self.forfeited += penalty
        self.penalties[trainer, values["round"]] = penalty
        self.counts["penalties"] += 1
        self._of_bond = penalty > 0
        return [expect_vault("Burnt", amount=penalty)] if penalty else None

    def _on_fees_claimed(self, values: Values) -> None:
        member, amount = values["member"], values["amount"]
        self._claimable()
        require_equal(f"fees of {member}", self.fees.get(member, 0), amount)
        require_equal("fees that are claimed are some", True, amount > 0)
        self.fees[member] = 0
        self.fees_claimed[member] = self.fees_claimed.get(member, 0) + amount
        self.paid += amount
        self.counts["claims"] += 1

    def _on_bond_returned(self, values: Values) -> None:
        trainer, amount = values["trainer"], values["amount"]
        require_equal(f"the bond of {trainer}", self.bonds.get(trainer, 0), amount)
        require_equal(f"the bond of {trainer} is free, and some", (True, True), (self.over, amount > 0))
        self.bonds[trainer], self._free = 0, True
        self.bonds_returned[trainer] = amount
        self.bonded -= amount
        self.counts["claims"] += 1

    def _on_rest_returned(self, values: Values) -> None:
        amount = values["amount"]
        require_equal("whose the rest is", self.sponsor, values["sponsor"])
        require_equal("the sponsor's rest", self.left, amount)
        require_equal("the rest is free, and some", (True, True), (self.over, amount > 0))
        self.left = 0
        self.refunded += amount
        self.counts["claims"] += 1

    def _claimable(self) -> None:
        require_equal("a claim in time", False, self._expired)
