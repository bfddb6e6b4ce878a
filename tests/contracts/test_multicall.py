"""Several calls in one transaction: the sender stays, all or nothing, and nothing that one call could not do."""

from __future__ import annotations

from brownie import reverts
from node import call, refused, wrong_phase
from terms import BOND

from hansa.protocol.types import Phase


def bundle(job, who, *calls, **options):
    data = [method.encode_input(*arguments) for method, arguments, _ in calls]
    return job.federation.multicall(data, {"from": who, **options})


def test_multicall__enrols_the_sender_in_two_jobs(play, house, alice):
    first, second = play(), play()
    bundle(first, alice, first.draft("enrol", alice), second.draft("enrol", alice, 200))
    assert first.trainer(alice) == (True, 0, BOND) and second.trainer(alice) == (True, 0, 200)
    assert house.token.balanceOf(alice) == 10**24 - BOND - 200


def test_multicall__inside_another__keeps_the_sender(play, alice):
    job = play()
    inner = job.federation.multicall.encode_input([job.federation.enrol.encode_input(*job.draft("enrol", alice)[1])])
    job.federation.multicall([inner], {"from": alice})
    assert job.trainer(alice) == (True, 0, BOND)


def test_multicall__one_call_that_is_refused__undoes_all(play, house, alice):
    first, second = play(), play()
    too_little = second.draft("enrol", alice, BOND - 1)
    with refused("Federation_BondTooSmall", second.id, BOND, BOND - 1):
        bundle(first, alice, first.draft("enrol", alice), too_little)
    assert first.trainer(alice) == (False, 0, 0) and house.token.balanceOf(alice) == 10**24


def test_multicall__enrols_nobody_twice(play, house, alice):
    job = play()
    with refused("Federation_AlreadyEnrolled", job.id, alice):
        bundle(job, alice, job.draft("enrol", alice), job.draft("enrol", alice))
    assert (job.state.enrolled, job.books.bonded) == (0, 0)


def test_multicall__takes_no_update_twice(play, alice):
    job = play(Phase.SUBMIT)
    with refused("Federation_AlreadySubmitted", job.id, job.cycle, alice):
        bundle(job, alice, job.draft("submit", alice), job.draft("submit", alice))
    assert job.state.submitted == 0


def test_multicall__takes_no_vote_twice(play, vera):
    job = play(Phase.VOTE)
    with refused("Federation_AlreadyActed", job.id, job.cycle, 0):
        bundle(job, vera, job.draft("vote", vera), job.draft("vote", vera))
    assert job.state.voted == 0


def test_multicall__of_a_stranger__votes_for_nobody(play, vera, mallory):
    job = play(Phase.VOTE)
    with refused("Federation_NotSeated", job.id, 0, mallory):
        bundle(job, mallory, job.draft("vote", vera))


def test_multicall__last_vote_and_finalize(play, vera, victor, viola):
    job = play(Phase.VOTE)
    job.vote(vera)
    job.vote(victor)
    done = bundle(job, viola, job.draft("vote", viola), job.draft("finalize", viola))
    assert done.events["RoundFinalized"]["matched"] == 0b111
    assert (job.state.round, tuple(job.state.matched)) == (2, (1, 1, 1))


def test_multicall__vote_and_finalize_while_others_are_waited_for__undoes_the_vote(play, vera, victor):
    job = play(Phase.VOTE)
    job.vote(vera)
    with wrong_phase(job, Phase.FINALIZE, Phase.VOTE):
        bundle(job, victor, job.draft("vote", victor), job.draft("finalize", victor))
    assert job.state.voted == 0b001


def test_multicall__of_no_function_of_the_federation__reverts(play, house, sponsor):
    """Nor one of the vault's, which only the federation may call: a call goes to the federation alone."""
    job = play(Phase.OPEN)
    for data in (b"\x12\x34\x56\x78", b"", house.vault.burn.encode_input(job.id, 1)):
        with refused("FailedCall"):
            house.federation.multicall([data], {"from": sponsor})


def test_multicall__takes_no_value(play, alice):
    job = play()
    with reverts():
        bundle(job, alice, job.draft("enrol", alice), value=1)
    assert job.state.enrolled == 0


def test_multicall__returns_each_answer(play, house):
    job = play()
    federation = house.federation
    data = [federation.jobCount.encode_input(), federation.phaseAt.encode_input(job.id, 0)]
    answers = call(federation.multicall, data)
    assert [int.from_bytes(answer, "big") for answer in answers] == [1, Phase.ENROL]


def test_multicall__of_nothing__does_nothing(house, alice):
    assert not house.federation.multicall([], {"from": alice}).events
