"""Who trains by the reputation that earlier jobs gave it."""

from __future__ import annotations

import pytest
from brownie import Federation, ReputationAdmission
from eth_abi.abi import encode
from node import refused, rpc
from terms import REWARD

from hansa.protocol.types import Phase

MINIMUM = 125_000  # what `tree` gives every leaf
TYPES = ["uint256", "(uint256,uint256,uint256)", "bytes32[]"]


@pytest.fixture
def earlier(play):
    """A job of three trainers with one round finalised, and others to come."""
    return play(Phase.FINALIZE).play_round()


@pytest.fixture
def make(house, actors):
    def make(*jobs, minimum=MINIMUM, federation=None):
        return ReputationAdmission.deploy(
            federation or house.federation, minimum, [job.id for job in jobs], {"from": actors["deployer"]}
        )

    return make


def shown(job, who, round=None, **changes):
    """The data of an enrolment: a leaf and its proof."""
    tree = job.trees[round or max(job.trees)]
    leaf = tree.leaf(who.address)._replace(**changes)
    return encode(TYPES, [job.id, tuple(leaf[1:]), tree.proof(who.address)])


def asked(admission, federation, job, who, data):
    """What the federation is told."""
    question = {
        "from": str(federation),
        "to": admission.address,
        "data": admission.admits.encode_input(job.id, who.address, data),
    }
    return int(rpc("eth_call", question, "latest"), 16) == 1


def test_admission__says_what_it_was_made_with(house, make, earlier):
    admission = make(earlier)
    assert (admission.federation(), admission.minimum()) == (house.federation.address, MINIMUM)
    assert list(map(int, admission.jobs())) == [earlier.id]


@pytest.mark.parametrize("number", [0, 17])
def test_admission__of_too_few_or_many_jobs__is_not_made(house, actors, number):
    with refused("Admission_WrongNumber", number):
        ReputationAdmission.deploy(house.federation, 1, list(range(1, number + 1)), {"from": actors["deployer"]})


def test_enrol__with_enough__is_admitted_and_submits(play, make, earlier, alice, bob):
    job = play(admission=make(earlier), recheckAdmission=True, maxTrainers=2)
    for who in (alice, bob):
        job.enrol(who, data=shown(earlier, who))
    job.trainers = [alice, bob]
    assert job.reach(Phase.SCORE).state.submitted == 2


def test_enrol__with_too_little__reverts(play, make, earlier, alice):
    job = play(admission=make(earlier, minimum=MINIMUM + 1))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice, data=shown(earlier, alice))


def test_enrol__without_data__is_no_submission(play, make, earlier, alice):
    job = play(admission=make(earlier))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice)


@pytest.mark.parametrize("data", [b"\0", b"\xff" * 32, b"\xff" * 160, bytes(1000)])
def test_enrol__with_nonsense__reverts(play, make, earlier, alice, data):
    job = play(admission=make(earlier))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice, data=data)


def test_enrol__with_what_is_not_its_own__reverts(play, make, earlier, alice, bob):
    job = play(admission=make(earlier))
    for data in (
        shown(earlier, bob),
        shown(earlier, alice, reputation=10**6),
        shown(earlier, alice, pay=REWARD),
        shown(earlier, alice)[:-32],
    ):
        with refused("Federation_NotAdmitted", job.id, alice):
            job.enrol(alice, data=data)


def test_enrol__with_a_round_that_is_not_the_last__reverts(play, make, earlier, alice):
    old = shown(earlier, alice)
    earlier.leaves = dict.fromkeys(earlier.enrolled[:2], (REWARD // 3, 0)) | {earlier.enrolled[2]: (1, 0)}
    earlier.play_round()
    job = play(admission=make(earlier))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice, data=old)
    job.enrol(alice, data=shown(earlier, alice))
    assert job.trainer(alice)[0]


def test_enrol__after_the_earlier_job_ended__shows_its_last_round(play, make, earlier, alice):
    earlier.play_to_end()
    job = play(admission=make(earlier))
    job.enrol(alice, data=shown(earlier, alice))
    assert max(earlier.trees) == 3 and job.trainer(alice)[0]


def test_enrol__with_another_job__reverts(play, make, earlier, alice):
    other = play(Phase.FINALIZE).play_round()
    job = play(admission=make(other))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice, data=shown(earlier, alice))
    job.enrol(alice, data=shown(other, alice))


@pytest.mark.parametrize("unfinished", [True, False])
def test_enrol__by_a_job_without_a_finalised_round__reverts(play, make, earlier, alice, unfinished):
    """Named, but not begun, or not there."""
    fresh = play(Phase.ENROL)
    if not unfinished:
        fresh.id = 999
    job = play(admission=make(fresh))
    with refused("Federation_NotAdmitted", job.id, alice):
        job.enrol(alice, data=encode(TYPES, [fresh.id, (0, 0, MINIMUM), []]))
    fresh.id = job.id


def test_admits__only_its_own_federation_is_told(house, actors, make, earlier, alice):
    """Another federation's job of the same number would otherwise pass whoever is enrolled here."""
    admission = make(earlier)
    other = Federation.deploy({"from": actors["deployer"]})
    assert asked(admission, house.federation, earlier, alice, b"")
    assert not asked(admission, other, earlier, alice, b"")
    assert not asked(admission, other, earlier, alice, shown(earlier, alice))
