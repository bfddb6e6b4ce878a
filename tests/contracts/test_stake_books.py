"""A pool's stakes against a model of every token and weight.

Whatever anybody does, all of it is somewhere, draws are the model's, and everybody can leave with what was not burnt.

`HANSA_RUNS=50 brownie test tests/contracts/test_stake_books.py` plays more pools, others each time.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from brownie import FilledPool, accounts
from brownie.exceptions import decode_typed_error
from eth_utils.crypto import keccak
from node import SEND, at, call, now, rpc, skip_to
from pools import DELAY, EPOCH, FRESH, MINIMUM, UNIT, Tree, epoch_counted, pool_terms
from terms import DEAD

RUNS, STEPS = int(os.environ.get("HANSA_RUNS", "2")), 120
SEATS = 3


@dataclass
class Account:
    staked: int = 0
    leaving: int = 0
    leaves_at: int = 0
    leaf: int | None = None
    weight: int = 0


class Books:
    """The pool as its interface tells it."""

    def __init__(self, people: list[Any]) -> None:
        self.accounts = {who.address: Account() for who in people}
        self.tree = Tree()
        self.emptied: dict[int, int] = {}
        self.leaves = self.burnt = 0

    def stake(self, who: str, amount: int, leaf: int, time: int) -> str | None:
        own = self.accounts[who]
        if own.staked + amount < MINIMUM * UNIT:
            return "Committee_StakeTooSmall"
        if own.leaf is None or self.tree.owners[own.leaf] != who:
            if leaf < self.leaves and not 0 < self.emptied.get(leaf, 0) < time // EPOCH - 25:
                return "Committee_LeafTaken"
            own.leaf, self.leaves = (leaf, self.leaves) if leaf < self.leaves else (self.leaves, self.leaves + 1)
            self.tree.owners[own.leaf] = who
            self.emptied.pop(own.leaf, None)
        own.staked += amount
        self._weigh(who, time)
        return None

    def unstake(self, who: str, amount: int, time: int) -> str | None:
        own = self.accounts[who]
        if amount > own.staked:
            return "Committee_NotStaked"
        if 0 < own.staked - amount < MINIMUM * UNIT:
            return "Committee_StakeTooSmall"
        own.staked, own.leaving, own.leaves_at = own.staked - amount, own.leaving + amount, time + DELAY
        self._weigh(who, time)
        return None

    def withdraw(self, who: str, time: int) -> str | None:
        own = self.accounts[who]
        if time < own.leaves_at:
            return "Committee_TooEarly"
        own.leaving = 0
        return None

    def weigh(self, who: str, time: int) -> None:
        self._weigh(who, time)

    def slash(self, who: str) -> None:
        own = self.accounts[who]
        loss = -(-(own.staked + own.leaving) // 100)
        from_staked = min(loss, own.staked)
        own.staked, own.leaving = own.staked - from_staked, own.leaving - (loss - from_staked)
        self.burnt += loss

    def _weigh(self, who: str, time: int) -> None:
        own = self.accounts[who]
        if own.leaf is None or self.tree.owners[own.leaf] != who or own.weight == own.staked // UNIT:
            return
        own.weight = own.staked // UNIT
        self.tree.set(own.leaf, own.weight, time // EPOCH)
        if own.weight:
            self.emptied.pop(own.leaf, None)
        else:
            self.emptied[own.leaf] = time // EPOCH


class Play:
    """A pool, its model, and who acts in both."""

    def __init__(self, house: Any, pool: Any, job: Any, people: list[Any], luck: Random) -> None:
        self.house, self.pool, self.job, self.people, self.luck = house, pool, job, people, luck
        self.books = Books(people)
        self.had = {who: call(house.token.balanceOf, who) for who in people}

    def do(self, who: Any, name: str, *arguments: Any) -> None:
        """One transaction in both; they agree on whether it is refused, and why."""
        time = now() + 1
        at(time)
        data = getattr(self.pool, name).encode_input(*arguments)
        receipt = rpc(SEND, {"from": who.address, "to": self.pool.address, "data": data, "gas": hex(8_000_000)})
        got = None
        if receipt["status"] != "0x1":
            trace = rpc("debug_traceTransaction", receipt["transactionHash"], {"tracer": "callTracer"})
            got = str(decode_typed_error(trace.get("output", "0x"))).partition(":")[0]
        values = [getattr(value, "address", value) for value in arguments]
        subject = [who.address] if name in ("stake", "unstake") else []
        timed = [] if name == "slash" else [time]
        assert got == getattr(self.books, name)(*subject, *values, *timed), (name, arguments)

    def step(self) -> None:
        luck, who, by = self.luck, self.luck.choice(self.people), self.luck.choice(self.people)
        own = self.books.accounts[who.address]
        kind = luck.choice(["stake"] * 4 + ["unstake"] * 3 + ["withdraw", "weigh", "slash", "slash", "time", "time"])
        if kind == "stake":
            leaf = luck.choice([FRESH, FRESH, 0, luck.randrange(8)])
            self.do(who, "stake", luck.choice([0, 1, UNIT - 1, 20, luck.randrange(500)]), leaf)
        elif kind == "unstake":
            self.do(who, "unstake", luck.choice([0, own.staked, own.staked, own.staked + 1, own.staked // 2]))
        elif kind in ("withdraw", "weigh", "slash"):
            self.do(by, kind, who)
        else:
            skip_to(now() + luck.choice([1, EPOCH, EPOCH, 10 * EPOCH, 27 * EPOCH, DELAY]))
        self.agree()

    def agree(self) -> None:
        books, pool = self.books, self.pool
        for who in self.people:
            own, stake = books.accounts[who.address], call(pool.stakeOf, who)
            assert tuple(stake)[:3] == (own.staked, own.leaving, own.leaves_at) and stake[4] == own.weight, who
        held = sum(own.staked + own.leaving for own in books.accounts.values()) + books.burnt
        assert call(self.house.token.balanceOf, pool) == held, "all tokens are somebody's, or burnt"
        assert call(pool.burnt) == books.burnt
        assert call(pool.stakers) == sum(own.weight > 0 for own in books.accounts.values())
        for as_of in (now(), now() - self.luck.randrange(30) * EPOCH):
            self._agree_on_draw(as_of)

    def _agree_on_draw(self, as_of: int) -> None:
        counted, draw = epoch_counted(as_of, now()), keccak(text=f"{now()} {as_of}")
        assert call(self.pool.weightAt, as_of) == sum(self.books.tree.before(counted).values())
        place = (self.house.federation.address, self.job.id, 1)
        expected = self.books.tree.drawn(place, draw, SEATS, counted)
        if expected is not None:
            assert list(call(self.pool.select, self.job.id, 1, draw, as_of)) == expected

    def leave(self) -> None:
        """Everybody takes out what is there; nothing is left over."""
        for who in self.people:
            self.do(who, "unstake", self.books.accounts[who.address].staked)
        skip_to(now() + DELAY)
        for who in self.people:
            self.do(self.people[0], "withdraw", who)
        self.agree()
        before = call(self.house.token.balanceOf, DEAD)
        self.pool.sendBurnt({"from": self.people[0]})
        assert call(self.house.token.balanceOf, self.pool) == 0
        burnt = call(self.house.token.balanceOf, DEAD) - before
        lost = sum(had - call(self.house.token.balanceOf, who) for who, had in self.had.items())
        assert (burnt, lost) == (self.books.burnt, self.books.burnt)


@pytest.mark.parametrize("run", range(RUNS))
def test_stakes__whatever_anybody_does__balance_and_leave(house, play, mallory, run):
    luck = Random(run if "HANSA_RUNS" not in os.environ else secrets.randbits(32))
    pool = FilledPool.deploy(pool_terms(house), {"from": mallory})
    people = list(accounts[12:18])
    for who in people:
        house.federation.announceKey(keccak(text=f"{who}"), {"from": who})
        house.token.transfer(who, 10**9, {"from": house.sponsor})
        house.token.approve(pool, 2**256 - 1, {"from": who})
    playing = Play(house, pool, play(committee=pool), people, luck)
    for _ in range(STEPS):
        playing.step()
    playing.leave()
