"""A pool of stakes that committees are drawn from: typed reads, and the calls that change it."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

from hansa.protocol.types import Address, Digest, JobId, Seat, Timestamp, Wei
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.bytecode import is_ours
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.structs import address
from hansa.runtime.history.shown import ShownCycle

POOLS = ("StakedCommittee", "HybridCommittee")
NEW_LEAF = 2**32
LEAVES = 46_656
FREE_AFTER = 25  # epochs
LEAST_GAS = 500_000  # a change of the tree in a new epoch costs twice what it costs in the epoch of the last one


@dataclass(frozen=True)
class PoolTerms:
    """Whom a pool serves, in the contract's order. Times in seconds; unit in the token's smallest unit."""

    federation: Address
    token: Address
    unit: int
    minimum: int  # units
    epoch_time: int
    report_time: int
    min_phase: int
    max_phase: int
    min_fee: int
    max_seats: int
    sponsors: tuple[Address, ...]
    specs: tuple[Digest, ...]

    def values(self) -> tuple[Any, ...]:
        """As the constructor takes them."""
        return (*astuple(self)[:10], list(self.sponsors), list(self.specs))


@dataclass(frozen=True)
class Stake:
    staked: Wei
    leaving: Wei
    leaves_at: Timestamp  # when `leaving` can be withdrawn
    leaf: int
    weight: int


class Pool:
    """One pool. Reads at the latest block."""

    def __init__(self, chain: Chain, at: Address) -> None:
        self.chain, self.address = chain, at

    @classmethod
    def of(cls, chain: Chain, committee: Address) -> Pool | None:
        """None where a committee is no pool of ours."""
        return cls(chain, committee) if any(is_ours(chain, name, committee) for name in POOLS) else None

    def terms(self) -> PoolTerms:
        federation, token, *numbers, sponsors, specs = self._read("poolTerms")
        values: list[Any] = [address(federation), address(token), *numbers]
        values += [tuple(address(sponsor) for sponsor in sponsors), tuple(Digest(spec) for spec in specs)]
        return PoolTerms(*values)

    def stake_of(self, account: Address) -> Stake:
        staked, leaving, leaves_at, leaf, weight = self._read("stakeOf", account)
        return Stake(Wei(staked), Wei(leaving), Timestamp(leaves_at), leaf, weight)

    def stakers(self) -> int:
        """How many accounts weigh something."""
        return int(self._read("stakers"))

    def weight_at(self, time: int) -> int:
        """Weight that counts in a committee drawn as of that time."""
        return int(self._read("weightAt", time))

    def delay(self) -> int:
        """Seconds from unstaking to withdrawing."""
        return int(self._read("delay"))

    def appointed(self) -> tuple[Address, ...]:
        return tuple(address(member) for member in self._read("appointed"))

    def is_reported(self, seed: bytes, seat: Seat) -> bool:
        return bool(self._read("isReported", seed, seat))

    def free_leaf(self, now: int, epoch_time: int) -> int | None:
        """A leaf that a newcomer can have: a new one, else one that was emptied long ago; None where there is none."""
        count = int(self._read("leafCount"))
        if count < LEAVES:
            return NEW_LEAF
        for leaf in range(count):
            emptied = int(self._read_all("leafAt", leaf)[1])
            if emptied and emptied + FREE_AFTER < now // epoch_time:
                return leaf
        return None

    def stake_call(self, amount: int, leaf: int) -> Call:
        return self._call("stake", "stake", amount, leaf)

    def unstake_call(self, amount: int) -> Call:
        return self._call("unstake", "unstake", amount)

    def withdraw_call(self, account: Address) -> Call:
        return self._call("withdraw what has left the pool", "withdraw", account)

    def weigh_call(self, account: Address) -> Call:
        return self._call("weigh what is left of a stake", "weigh", account)

    def report_call(self, job: JobId, seat: Seat, shown: ShownCycle) -> Call:
        opening = (shown.draw, list(shown.record.committee), shown.keys)
        ending = (shown.ended, list(shown.words))
        arguments = (job, seat, shown.before, opening, ending, list(shown.later))
        return self._call(f"report seat {seat} of job {job}", "report", *arguments)

    def _call(self, what: str, function: str, *arguments: Any) -> Call:
        return Call(
            self.address, artifact("StakedCommittee").functions[function].encode(*arguments), what, least_gas=LEAST_GAS
        )

    def _read(self, function: str, *arguments: Any) -> Any:
        return self._read_all(function, *arguments)[0]

    def _read_all(self, function: str, *arguments: Any) -> tuple[Any, ...]:
        return self.chain.read([(self.address, artifact("StakedCommittee").functions[function], arguments)])[0]
