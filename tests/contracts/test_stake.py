"""What a pool takes, keeps and gives back: stakes, leaves, terms of the jobs that it serves."""

from __future__ import annotations

import pytest
from brownie import FeeToken, FilledPool, StakedCommittee, accounts
from eth_utils.crypto import keccak
from node import at, call, now, refused, rpc, skip_to
from pools import DELAY, EPOCH, FRESH, MINIMUM, UNIT, Tree, epoch_counted, pool_terms, stake
from terms import DEAD, FEE

from hansa.protocol.types import Phase


@pytest.fixture
def pool(house, mallory):
    return StakedCommittee.deploy(pool_terms(house), {"from": mallory})


@pytest.fixture
def stakers():
    return list(accounts[12:20])


def drawn_by(pool, job, counter=1, draw=b"\1" * 32, as_of=None):
    return list(call(pool.select, job.id, counter, draw, now() if as_of is None else as_of))


def test_stake__without_a_key__is_refused(house, pool, alice):
    house.token.approve(pool, 100, {"from": alice})
    with refused("Committee_NoKey", alice):
        pool.stake(100, FRESH, {"from": alice})


def test_stake__below_the_minimum__is_refused(house, pool, vera, stakers):
    stake(house, pool, {vera: MINIMUM})
    with refused("Committee_StakeTooSmall", MINIMUM * UNIT, MINIMUM * UNIT - 1):
        pool.unstake(1, {"from": vera})
    house.federation.announceKey(b"\1" * 32, {"from": stakers[0]})
    with refused("Committee_StakeTooSmall", MINIMUM * UNIT, 19):
        pool.stake(19, FRESH, {"from": stakers[0]})


def test_stake__takes_the_tokens__and_weighs_whole_units(house, pool, vera):
    had = house.token.balanceOf(vera)
    stake(house, pool, {vera: 3})
    pool.stake(9, FRESH, {"from": vera})
    assert tuple(pool.stakeOf(vera)) == (39, 0, 0, 0, 3)
    assert (house.token.balanceOf(vera), house.token.balanceOf(pool)) == (had - 39, 39)
    assert (pool.stakers(), pool.leafCount()) == (1, 1)
    pool.stake(1, FRESH, {"from": vera})
    assert tuple(pool.stakeOf(vera)) == (40, 0, 0, 0, 4)


def test_stake__of_a_token_that_takes_fees__is_refused(house, mallory, vera):
    token = FeeToken.deploy(10**24, {"from": vera})
    token.setCharging(True, {"from": vera})
    pool = StakedCommittee.deploy(pool_terms(house, token=token.address), {"from": mallory})
    house.federation.announceKey(b"\1" * 32, {"from": vera})
    token.approve(pool, 10**20, {"from": vera})
    with refused("Vault_TokenTakesFees"):
        pool.stake(1000, FRESH, {"from": vera})


def test_stake__counts_from_the_next_epoch(house, pool, vera):
    skip_to((now() // EPOCH + 1) * EPOCH)
    stake(house, pool, {vera: 7})
    end = (now() // EPOCH + 1) * EPOCH
    assert [pool.weightAt(time) for time in (now(), end - 1, end, end + EPOCH)] == [0, 0, 7, 7]
    skip_to(end)
    pool.unstake(3 * UNIT, {"from": vera})
    assert [pool.weightAt(time) for time in (end, end + EPOCH - 1, end + EPOCH)] == [7, 7, 4]


def test_unstake__leaves_after_the_delay(house, pool, vera, alice):
    stake(house, pool, {vera: 10})
    had = house.token.balanceOf(vera)
    pool.unstake(6 * UNIT, {"from": vera})
    until = now() + DELAY
    assert tuple(pool.stakeOf(vera)) == (40, 60, until, 0, 4)
    at(until - 1)
    with refused("Committee_TooEarly", vera, until):
        pool.withdraw(vera, {"from": alice})
    at(until)
    pool.withdraw(vera, {"from": alice})
    assert (house.token.balanceOf(vera), house.token.balanceOf(pool)) == (had + 60, 40)
    pool.withdraw(vera, {"from": alice})
    assert house.token.balanceOf(pool) == 40, "twice is once"


def test_unstake__again__begins_the_delay_anew(house, pool, vera):
    stake(house, pool, {vera: 10})
    pool.unstake(3 * UNIT, {"from": vera})
    skip_to(now() + 1000)
    pool.unstake(7 * UNIT, {"from": vera})
    assert tuple(pool.stakeOf(vera)) == (0, 100, now() + DELAY, 0, 0)
    assert pool.stakers() == 0


def test_unstake__more_than_is_staked__is_refused(house, pool, vera, victor):
    stake(house, pool, {vera: 10})
    with refused("Committee_NotStaked", vera, 100, 101):
        pool.unstake(101, {"from": vera})
    with refused("Committee_NotStaked", victor, 0, 1):
        pool.unstake(1, {"from": victor})


def test_withdraw__by_who_has_nothing__does_nothing(pool, alice):
    assert "Withdrawn" not in pool.withdraw(alice, {"from": alice}).events


# leaves


def test_leaf__of_another__can_be_taken_25_epochs_after_it_was_emptied(house, pool, vera, victor):
    stake(house, pool, {vera: 5})
    house.federation.announceKey(b"\1" * 32, {"from": victor})
    house.token.approve(pool, 1000, {"from": victor})
    with refused("Committee_LeafTaken", 0, vera):
        pool.stake(50, 0, {"from": victor})
    pool.unstake(50, {"from": vera})
    emptied = now() // EPOCH
    at((emptied + 26) * EPOCH - 1)
    with refused("Committee_LeafTaken", 0, vera):
        pool.stake(50, 0, {"from": victor})
    pool.stake(50, 0, {"from": victor})
    assert (pool.leafAt(0)[0], pool.leafCount()) == (victor.address, 1)
    pool.stake(50, FRESH, {"from": vera})
    assert (tuple(pool.stakeOf(vera))[3], pool.leafCount()) == (1, 2), "its former owner gets another"
    skip_to((now() // EPOCH + 1) * EPOCH)
    assert pool.weightAt(now()) == 10


def test_leaf__of_its_own__is_kept_for_who_comes_back(house, pool, vera):
    stake(house, pool, {vera: 5})
    pool.unstake(50, {"from": vera})
    pool.stake(50, FRESH, {"from": vera})
    assert (tuple(pool.stakeOf(vera)), pool.leafCount()) == ((50, 50, now() - 1 + DELAY, 0, 5), 1)
    assert pool.leafAt(0)[1] == 0


def test_pool__filled_with_dust__refuses_until_a_leaf_is_free(house, mallory, vera):
    pool = FilledPool.deploy(pool_terms(house), {"from": mallory})
    pool.fill([MINIMUM] * 23, {"from": mallory})
    # As if all others had been given away too.
    slot = next(at for at in range(20) if int(rpc("eth_getStorageAt", pool.address, hex(at), "latest"), 16) == 23)
    rpc("anvil_setStorageAt", pool.address, f"0x{slot:064x}", f"0x{46_656:064x}")
    assert pool.leafCount() == 46_656
    house.federation.announceKey(b"\1" * 32, {"from": vera})
    house.token.approve(pool, 1000, {"from": vera})
    with refused("Committee_PoolFull"):
        pool.stake(50, FRESH, {"from": vera})
    pool.empty(17, 1, {"from": mallory})
    skip_to((now() // EPOCH + 26) * EPOCH)
    pool.stake(50, 17, {"from": vera})
    assert pool.leafAt(17)[0] == vera.address


def test_pool__above_36_bits_of_weight__is_full(house, mallory, vera):
    pool = StakedCommittee.deploy(pool_terms(house, unit=1), {"from": mallory})
    house.federation.announceKey(b"\1" * 32, {"from": vera})
    house.token.approve(pool, 2**100, {"from": vera})
    with refused("Committee_PoolFull"):
        pool.stake(2**36, FRESH, {"from": vera})
    pool.stake(2**36 - 1, FRESH, {"from": vera})
    skip_to(now() + EPOCH)
    assert pool.weightAt(now()) == 2**36 - 1


# whom it serves


@pytest.mark.parametrize(
    "changes",
    [
        {"keepCommittee": True},
        {"spec": b"\1" * 32},
        {"feePerSeat": FEE - 1},
        {"scoreTime": 59},
        {"revealTime": 59},
        {"voteTime": 59},
        {"attestTime": 59},
        {"releaseTime": 59},
        {"submitTime": 3601},
        {"attestTime": 3601},
        {"releaseTime": 3601},
        {"scoreTime": 3601},
        {"revealTime": 3601},
        {"voteTime": 3601},
        {"finalizeTime": 3601},
        {"scoreTime": 1, "revealTime": 1, "voteTime": 1},
    ],
    ids=lambda changes: ",".join(f"{name}={value!r:.8}" for name, value in changes.items()),
)
def test_select__for_terms_out_of_bounds__is_refused(house, play, pool, stakers, changes):
    stake(house, pool, dict.fromkeys(stakers, 5))
    job = play(Phase.OPEN, committee=pool, **changes)
    skip_to((now() // EPOCH + 1) * EPOCH)
    with refused("Committee_NotServed", job.id):
        pool.select(job.id, 1, b"\1" * 32, now())
    with refused("Federation_WrongPhase" if now() > job.state.deadline else "Federation_BadCommittee"):
        job.open()


def test_select__for_another_sponsor__is_refused(house, play, pool, mallory):
    job = play(committee=pool, sponsor=mallory)
    with refused("Committee_NotServed", job.id):
        pool.select(job.id, 1, b"\1" * 32, now())


def test_select__of_more_seats_than_allowed__is_refused(house, play, mallory):
    pool = StakedCommittee.deploy(pool_terms(house, maxSeats=2), {"from": mallory})
    with refused("Committee_NotServed"):
        pool.select(play(committee=pool).id, 1, b"\1" * 32, now())


def test_select__at_the_bounds__is_served(house, play, pool, stakers):
    stake(house, pool, dict.fromkeys(stakers, 5))
    ends = dict.fromkeys(("attestTime", "releaseTime", "scoreTime", "revealTime", "voteTime"), 60)
    shortest = play(committee=pool, **ends)
    longest = play(committee=pool, **dict.fromkeys((*ends, "submitTime", "finalizeTime"), 3600))
    skip_to((now() // EPOCH + 1) * EPOCH)
    assert all(len(drawn_by(pool, job)) == 3 for job in (shortest, longest))


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": 0},
        {"minimum": 0},
        {"epochTime": 0},
        {"epochTime": 30 * 86_400 + 1},
        {"reportTime": 0},
        {"minPhase": 0},
        {"minPhase": 61, "maxPhase": 60},
        {"maxSeats": 0},
    ],
    ids=str,
)
def test_pool__of_senseless_terms__is_not_deployed(house, mallory, changes):
    with refused("Committee_WrongTerms"):
        StakedCommittee.deploy(pool_terms(house, **changes), {"from": mallory})


# whom it draws


def test_select__is_what_the_model_draws__whatever_changed_since(house, play, pool, stakers):
    tree = Tree()
    job = play(committee=pool, seats=3)
    for leaf, who in enumerate(stakers):
        stake(house, pool, {who: 3 + leaf})
        tree.owners[leaf] = who.address
        tree.set(leaf, 3 + leaf, now() // EPOCH)
    began = (now() // EPOCH + 1) * EPOCH
    for hour in range(40):
        at(began + hour * EPOCH + 5)
        leaf = hour * hour % 5  # three leaves never change
        stake(house, pool, {stakers[leaf]: hour % 3})
        tree.set(leaf, tuple(pool.stakeOf(stakers[leaf]))[4], now() // EPOCH)
        for as_of in (now(), now() - EPOCH, now() - 7 * EPOCH, now() - 24 * EPOCH, 0):
            draw = keccak(text=f"{hour} {as_of}")
            counted = epoch_counted(as_of, now())
            expected = tree.drawn((house.federation.address, job.id, hour + 1), draw, 3, counted)
            assert pool.weightAt(as_of) == sum(tree.before(counted).values())
            if expected is None:
                with refused("Committee_PoolTooSmall", job.id, 3):
                    pool.select(job.id, hour + 1, draw, as_of)
            else:
                assert drawn_by(pool, job, hour + 1, draw, as_of) == expected, (hour, as_of)


def test_select__of_a_pool_smaller_than_the_committee__is_refused(house, play, pool, stakers):
    stake(house, pool, dict.fromkeys(stakers[:2], 5))
    job = play(Phase.OPEN, committee=pool)
    skip_to((now() // EPOCH + 1) * EPOCH)
    with refused("Committee_PoolTooSmall", job.id, 3):
        pool.select(job.id, 1, b"\1" * 32, now())


def test_pool_too_small__lets_open_lapse__until_the_job_is_over(house, play, pool, stakers):
    stake(house, pool, dict.fromkeys(stakers[:2], 5))
    skip_to((now() // EPOCH + 1) * EPOCH)
    job = play(Phase.OPEN, committee=pool)
    for _ in range(job.terms.maxFailures):
        with refused("Federation_BadCommittee", job.id, pool):
            job.open()
        job.lapse().fail()
    assert (job.phase, job.books.burnt) == (Phase.ABORTED, 0)


def test_select__seats_whom_has_no_key_any_more(house, play, pool, stakers):
    """Then updates are sealed to the others; the member can open none, and says so."""
    stake(house, pool, dict.fromkeys(stakers[:3], 5))
    skip_to((now() // EPOCH + 1) * EPOCH)
    house.federation.announceKey(bytes(32), {"from": stakers[0]})
    opened = play(Phase.OPEN, committee=pool).open().events["CycleOpened"]
    keys = dict(zip(opened["committee"], opened["keys"], strict=True))
    assert int(str(keys[stakers[0].address]), 16) == 0
    assert sum(int(str(key), 16) != 0 for key in keys.values()) == 2


def test_select__of_a_whale__gives_it_one_seat__of_eleven_accounts_up_to_eleven(house, play, pool, stakers):
    whale, small = stakers[0], stakers[1:4]
    stake(house, pool, {whale: 10_000, **dict.fromkeys(small, 5)})
    job = play(committee=pool)
    skip_to((now() // EPOCH + 1) * EPOCH)
    assert all(whale.address in drawn_by(pool, job, counter) for counter in range(1, 50))
    split = list(accounts[12:30])[-11:]
    pool.unstake(10_000 * UNIT, {"from": whale})
    stake(house, pool, dict.fromkeys(split, 900))
    skip_to((now() // EPOCH + 1) * EPOCH)
    ours = {who.address for who in split}
    seats = [len(ours & set(drawn_by(pool, job, counter))) for counter in range(1, 50)]
    assert sum(seats) > 3 * 49 * 0.9, "stake counts, not how many accounts it is in"


def test_burnt__can_be_sent_by_anybody(house, pool, alice):
    assert "BurntSent" not in pool.sendBurnt({"from": alice}).events
    assert house.token.balanceOf(DEAD) == 0
