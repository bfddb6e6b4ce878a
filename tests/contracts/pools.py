"""Pools of stakes under test: their terms, a model of whom they draw, and the links of a job that `report` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from brownie.network.account import Account
from drive import Job
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from node import call, rpc
from openings import NOTHING_YET, opening_of
from terms import FEE, TERMS

from hansa.protocol import links

UNIT, MINIMUM, EPOCH, REPORT = 10, 2, 3600, 7 * 86_400
WINDOW = 24  # epochs
FRESH = 2**256 - 1  # a leaf that nobody has had
BOUNDS = {"minPhase": 60, "maxPhase": 3600, "minFee": FEE, "maxSeats": 24}
DELAY = 25 * EPOCH + 7 * BOUNDS["maxPhase"] + REPORT


def pool_terms(house: Any, **changes: Any) -> tuple[Any, ...]:
    """What the constructor of a pool is given; a job of the tests' usual terms is served."""
    terms: dict[str, Any] = {
        "federation": house.federation.address,
        "token": house.token.address,
        "unit": UNIT,
        "minimum": MINIMUM,
        "epochTime": EPOCH,
        "reportTime": REPORT,
        **BOUNDS,
        "sponsors": [house.sponsor.address],
        "specs": [TERMS["spec"]],
    }
    assert set(changes) <= set(terms)
    return tuple((terms | changes).values())


@dataclass
class Tree:
    """Whom a pool draws, worked out from every change of every leaf. times in epochs."""

    changes: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # leaf → (epoch, weight), in order
    owners: dict[int, str] = field(default_factory=dict)

    def set(self, leaf: int, weight: int, epoch: int) -> None:
        self.changes.setdefault(leaf, []).append((epoch, weight))

    def weight_before(self, leaf: int, epoch: int) -> int:
        return next((weight for changed, weight in reversed(self.changes[leaf]) if changed < epoch), 0)

    def before(self, epoch: int) -> dict[int, int]:
        """Weight by leaf, ascending."""
        weights = {leaf: self.weight_before(leaf, epoch) for leaf in sorted(self.changes)}
        return {leaf: weight for leaf, weight in weights.items() if weight}

    def drawn(
        self, place: Sequence[Any], draw: bytes, seats: int, epoch: int, appointed: Sequence[str] = ()
    ) -> list[str] | None:
        """Members, ascending; None where there are too few. place: federation, job, counter."""
        left, members = self.before(epoch), list(appointed)
        number = 0
        while len(members) < seats:
            if not left:
                return None
            luck = keccak(encode(["address", "uint256", "uint256", "bytes32", "uint256"], [*place, draw, number]))
            point, number = int.from_bytes(luck, "big") % sum(left.values()), number + 1
            leaf = _at(left, point)
            del left[leaf]
            if self.owners[leaf] not in appointed:
                members.append(self.owners[leaf])
        return sorted(members, key=lambda address: int(address, 16))


def _at(weights: dict[int, int], point: int) -> int:
    """The leaf whose interval a point is in."""
    for leaf, weight in weights.items():
        if point < weight:
            return leaf
        point -= weight
    raise AssertionError("the point is above all weights")


def epoch_counted(as_of: int, now: int, epoch_time: int = EPOCH) -> int:
    """The epoch before which a change counts."""
    return max(as_of, now - WINDOW * epoch_time) // epoch_time


@dataclass(frozen=True)
class Shown:
    """One cycle by its links, as `report` takes them."""

    seed: bytes
    before: bytes
    opening: tuple[bytes, list[str], list[bytes]]
    payload: bytes
    words: list[int]
    place: int  # of its end among the job's links


class Links:
    """A job's links, kept as they come about."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.payloads: list[bytes] = []
        self.cycles: list[Shown] = []

    def open(self) -> None:
        before = self.job.state if self.job.cycle else NOTHING_YET
        opening = opening_of(self.job, self.job.open(), before)
        word = self.job.terms_hash if before.history is None else bytes(before.history)
        self._opening = (opening.seed, word, (opening.draw, opening.committee, opening.keys))
        self.payloads.append(links.opened(*self._opening[2]))

    def lapse(self) -> None:
        done = self.job.lapse().fail()
        self.payloads.append(links.lapsed(done.events["CycleFailed"]["time"]))
        self._check()

    def finalize(self) -> Shown:
        """Whatever the committee voted: a round, or nothing."""
        state = self.job.state
        return self._end(self.job.finalize(), state)

    def fail(self) -> Shown:
        state = self.job.lapse().state
        return self._end(self.job.fail(), state)

    def _end(self, done: Any, state: SimpleNamespace) -> Shown:
        words, board = self._words(state), self._board(state)
        if "RoundFinalized" in done.events:
            told = done.events["RoundFinalized"]
            kinds, voted = ["bytes32", "uint144", "bytes32", "uint32"], links.votes_hash(words, len(words))
            payload = encode(kinds, [bytes(told["resultHash"]), board, voted, told["time"]])
        else:
            told = done.events["CycleFailed"]
            kinds = ["uint64", "uint128", "bytes32", "uint144", "bytes32", "uint8", "uint256", "uint32"]
            agreed = "finalize" in done.fn_name
            voted = links.votes_hash(words, len(words)) if agreed else links.NO_WORDS
            rest = [told["phase"], told["burnt"], told["time"]]
            payload = encode(kinds, [state.cycle, state.updates, bytes(state.sheets), board, voted, *rest])
        self.payloads.append(keccak(payload))
        shown = Shown(*self._opening, payload, list(words.values()), len(self.payloads))
        self.cycles.append(shown)
        self._check()
        return shown

    def _check(self) -> None:
        word = self.job.terms_hash
        for payload in self.payloads:
            word = links.link(word, payload)
        assert word == bytes(self.job.state.history), "the links are the job's"

    def _words(self, state: SimpleNamespace) -> dict[int, int]:
        event = self.job.federation.topics["ResultVoted"]
        topics = [event, f"0x{self.job.id:064x}", f"0x{int(state.cycle):064x}"]
        logs = rpc("eth_getLogs", {"fromBlock": "0x0", "address": self.job.federation.address, "topics": topics})
        words = dict.fromkeys(range(self.job.terms.seats), 0)
        for log in logs:
            data = bytes.fromhex(log["data"][2:])
            seat, sealed, metric = (int.from_bytes(data[at : at + 32], "big") for at in (0, 32, 64))
            words[seat] = links.vote_word(sealed, metric % 2**64)
        return words

    @staticmethod
    def _board(state: SimpleNamespace) -> int:
        acted = (state.due, state.attested, state.released, state.committed, state.revealed, state.voted)
        return links.Board(*acted).word

    def report(self, pool: Any, shown: Shown, seat: int, by: Account, **changes: Any) -> Any:
        """Shows a cycle to its pool. changes: other than true arguments, by name."""
        told: dict[str, Any] = {
            "job": self.job.id,
            "seat": seat,
            "before": shown.before,
            "opened": shown.opening,
            "ended": (shown.payload, shown.words),
            "later": self.payloads[shown.place :],
        }
        assert set(changes) <= set(told)
        return pool.report(*(told | changes).values(), {"from": by})


def stake(house: Any, pool: Any, units: dict[Account, int], leaf: int = FRESH) -> None:
    """Accounts with keys and tokens, each with so many units more at stake."""
    for who, number in units.items():
        by = {"from": who}
        if not int.from_bytes(call(house.federation.keyOf, who), "big"):
            house.federation.announceKey(keccak(text=f"key {who}"), by)
        if call(house.token.balanceOf, who) < number * UNIT:
            house.token.transfer(who, 10**20, {"from": house.sponsor})
        house.token.approve(pool, 2**256 - 1, by)
        pool.stake(number * UNIT, leaf, by)
