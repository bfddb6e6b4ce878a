"""Never two sets over one base, whatever the schedule; never a job stuck that should go on."""

from __future__ import annotations

import random

import pytest
from schedules import World, kill

from hansa.protocol.masked.sharing import Sharing

COMMITTEES = [(4, 2, 3), (5, 2, 4), (5, 3, 4), (7, 3, 5), (7, 4, 6), (3, 2, 3)]
"""Seats, shares and a quorum that no fork defeats: 2 · quorum ≥ seats + shares."""


def schedule(seed: int, *, forks: bool) -> World:
    rng = random.Random(seed)
    seats, shares, quorum = rng.choice(COMMITTEES)
    assert 2 * quorum >= seats + shares
    world = World(rng, Sharing(seats, shares), quorum)
    kill(world)
    for _ in range(rng.randint(1, 8)):
        if world.play():
            break
        if forks and rng.random() < 0.3:
            world.fork()
    return world


def check_one_set(seeds: range) -> int:
    """How many schedules opened at all."""
    opened = 0
    for seed in seeds:
        world = schedule(seed, forks=True)
        assert len(world.opened()) <= 1, f"seed {seed} opened two sets"
        opened += len(world.opened())
    return opened


def check_goes_on(seeds: range) -> None:
    for seed in seeds:
        world = schedule(seed, forks=False)
        world.opened()
        done = any(world.play(calm=True) for _ in range(3))
        assert done, f"seed {seed} is stuck"
        assert all(len(groups) == 1 for groups in world.sealed.values()), "a trainer's updates are in one set"


def test_forks_and_corrupt_seats__never_open_two_sets() -> None:
    assert check_one_set(range(1000)) > 300  # it isn't that nothing ever opens


def test_job_without_deep_forks__goes_on_once_it_is_calm() -> None:
    check_goes_on(range(1000, 1300))


@pytest.mark.slow
def test_many_more_schedules() -> None:
    assert check_one_set(range(10_000, 60_000)) > 10_000
    check_goes_on(range(60_000, 80_000))


def test_without_the_rule_on_quorums__forks_do_open_two() -> None:
    """The simulation can tell: with 2 · quorum < seats + shares some schedule opens two sets."""

    def opens_two(seed: int) -> bool:
        world = World(random.Random(seed), Sharing(6, 3), 4)
        for _ in range(6):
            if not world.play() and world.rng.random() < 0.5:
                world.fork()
        return len(world.opened()) > 1

    assert any(opens_two(seed) for seed in range(3000))
