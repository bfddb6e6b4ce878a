"""Opening a cycle: its name, its seed, its committee, who is due."""

from __future__ import annotations

from brownie import MockCommittee, RecordingCommittee
from node import at, now, refused, skip_to, wrong_phase
from openings import opening_of
from terms import NO_WORD

from hansa.protocol import hashes
from hansa.protocol.types import Phase

ALL = 0b111


def committee_is(job, *members):
    return list(job.state.committee) == [member.address for member in members]


def test_open__first_cycle__is_named_by_seed_and_counter(play):
    job = play(Phase.OPEN)
    done = job.open()
    opening = opening_of(job, done)
    assert opening.cycle == hashes.make_cycle(opening.seed, 1, True) == done.return_value
    state = job.state
    assert (state.cycle, state.updates) == (opening.cycle, hashes.updates_start(opening.seed))
    assert bytes(state.sheets) == bytes(state.history) == opening.seed
    assert (done.events["CycleOpened"]["round"], list(state.committee)) == (1, opening.committee)


def test_open__first_cycle__waits_for_everybody(play):
    job = play(Phase.OPEN)
    job.open()
    state = job.state
    assert (state.phase, state.deadline, state.openedAt) == (Phase.SUBMIT, now() + job.terms.submitTime, now())
    assert (state.pending, state.submitted, state.due) == (3, 0, ALL)
    assert (state.attested, state.released, state.committed, state.revealed, state.voted) == (0, 0, 0, 0, 0)


def test_open__by_anybody(play, mallory):
    job = play(Phase.OPEN)
    job.open(mallory)
    assert job.phase == Phase.SUBMIT


def test_open__after_a_final_round__draw_holds_what_was_shown(play):
    job = play(Phase.OPEN).play_round()
    before = job.state
    assert bytes(before.sheets) != NO_WORD and before.updates
    done = job.open()
    opening = opening_of(job, done, before)
    assert opening.cycle == job.cycle == hashes.make_cycle(opening.seed, 2, False)
    assert done.events["CycleOpened"]["round"] == 2


def test_open__after_a_failure__draw_holds_what_was_shown(play):
    job = play(Phase.SCORE).lapse()
    job.fail()
    before = job.state
    done = job.open()
    opening = opening_of(job, done, before)
    assert opening.cycle == job.cycle == hashes.make_cycle(opening.seed, 2, True)
    assert (done.events["CycleOpened"]["round"], job.state.round) == (1, 1), "the same round again"


def test_open__while_enrolling__reverts(play):
    job = play()
    with wrong_phase(job, Phase.OPEN, Phase.ENROL):
        job.open()


def test_open__during_a_cycle__reverts(play):
    job = play(Phase.SUBMIT)
    with wrong_phase(job, Phase.OPEN, Phase.SUBMIT):
        job.open()


def test_open__unknown_job__reverts(house, sponsor):
    with refused("Federation_WrongPhase", 9, Phase.OPEN, Phase.NONE):
        house.federation.open(9, {"from": sponsor})


def test_open__last_second__counts(play):
    job = play(Phase.OPEN)
    at(job.state.deadline - 1)
    job.open()
    assert job.phase == Phase.SUBMIT


def test_open__deadline__reverts(play):
    job = play(Phase.OPEN)
    at(job.state.deadline)
    with wrong_phase(job, Phase.OPEN, Phase.LAPSED):
        job.open()


def test_open__after_the_end__reverts(play):
    job = play(maxRounds=1).play_to_end()
    with wrong_phase(job, Phase.OPEN, Phase.COMPLETED):
        job.open()


def test_open__too_little_gas_for_the_committee__reverts(play):
    job = play(Phase.OPEN)
    with refused("Federation_TooLittleGas", 3_000_000):
        job.open(gas_limit=3_050_000)


def test_open__committee_is_asked_as_of_the_end_of_enrol(play, house, actors):
    recorder = RecordingCommittee.deploy(house.validators[:3], {"from": actors["deployer"]})
    job = play(committee=recorder)
    deadline = job.state.deadline
    job.enrol(job.trainers[0])
    job.enrol(job.trainers[1])
    skip_to(deadline + 50)
    recorder.expect(deadline)
    job.open()
    assert job.phase == Phase.SUBMIT


def test_open__committee_is_asked_as_of_the_early_end_of_enrol(play, house, actors):
    recorder = RecordingCommittee.deploy(house.validators[:3], {"from": actors["deployer"]})
    job = play(Phase.OPEN, committee=recorder)
    filled = now()
    skip_to(filled + 50)
    recorder.expect(filled + 1)
    with refused("Federation_BadCommittee", job.id, recorder):
        job.open()
    recorder.expect(filled)
    job.open()
    assert job.phase == Phase.SUBMIT


def test_open__committee_is_asked_as_of_the_last_opening(play, house, actors):
    recorder = RecordingCommittee.deploy(house.validators[:3], {"from": actors["deployer"]})
    job = play(Phase.OPEN, committee=recorder)
    recorder.expect(now())
    job.open()
    opened = now()
    job.play_round()
    recorder.expect(opened)
    job.open()
    assert job.state.openedAt == now() != opened


def test_open__those_who_acted__are_due(play, carol, viola):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.members.remove(viola)
    job.play_round().open()
    assert (job.state.pending, job.state.due) == (2, 0b011)
    assert not hashes.everybody_due(job.cycle)


def test_open__member_that_revealed_but_did_not_vote__is_not_due(play, vera, victor, viola):
    job = play(Phase.VOTE)
    job.vote(vera)
    job.vote(viola)
    skip_to(job.state.deadline)
    job.finalize()
    job.open()
    assert job.state.due == 0b101


def test_open__new_member__is_due(play, mock, viola, vito, house):
    job = play(Phase.SUBMIT, committee=mock)
    job.members.remove(viola)
    job.play_round()
    mock.setMembers([*house.validators[:2], vito])
    job.open()
    assert job.state.due == ALL


def test_open__after_a_failure__everybody_is_due(play, carol):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round()
    job.trainers.append(carol)
    job.open()
    job.lapse().fail()
    job.open()
    assert (job.state.pending, job.state.due) == (3, ALL)
    assert hashes.everybody_due(job.cycle)


def test_open__after_a_lapsed_open__everybody_is_due(play, carol):
    job = play(Phase.SUBMIT)
    job.trainers.remove(carol)
    job.play_round().lapse().fail()
    job.open()
    assert job.state.pending == 3 and hashes.everybody_due(job.cycle)
    assert hashes.cycle_counter(job.cycle) == 2, "a lapsed OPEN is no cycle"


def test_open__fewer_voted_than_must_attest__everybody_is_due(play, viola):
    job = play(Phase.VOTE, attestTime=50, threshold=3)
    job.members.remove(viola)
    job.play_round().open()
    assert job.state.due == ALL and hashes.everybody_due(job.cycle)
    assert job.state.pending == 3


def test_open__second_cycle_of_a_round__keeps_the_committee(play, mock, house):
    job = play(Phase.SUBMIT, committee=mock, keepCommittee=True)
    first = house.validators[:3]
    assert job.state.committeeKept
    job.lapse().fail()
    mock.setMembers(house.validators[2:5])
    job.open()
    assert committee_is(job, *first)
    assert not job.state.committeeKept
    job.lapse().fail()
    job.open()
    assert committee_is(job, *house.validators[2:5]), "a third is drawn again"


def test_open__second_cycle_of_a_round__draws_again_where_terms_keep_none(play, mock, house):
    job = play(Phase.SUBMIT, committee=mock)
    assert not job.state.committeeKept
    job.lapse().fail()
    mock.setMembers(house.validators[2:5])
    job.open()
    assert committee_is(job, *house.validators[2:5])
    assert not job.state.committeeKept


def test_open__lapsed_open__does_not_use_up_the_kept_committee(play, mock, house):
    job = play(Phase.SUBMIT, committee=mock, maxFailures=5, keepCommittee=True)
    job.lapse().fail()
    mock.setMembers(house.validators[2:5])
    job.lapse().fail()
    assert job.state.committeeKept
    job.open()
    assert committee_is(job, *house.validators[:3])


def test_open__next_round__draws_again(play, mock, house):
    job = play(Phase.SUBMIT, committee=mock, keepCommittee=True)
    assert not job.play_round().state.committeeKept
    mock.setMembers(house.validators[2:5])
    job.open()
    assert committee_is(job, *house.validators[2:5])


def test_open__replaced_member__has_its_fees_booked(play, mock, house, vera):
    job = play(Phase.SUBMIT, committee=mock)
    job.play_round()
    job.open()
    job.play_round()
    assert tuple(job.state.matched) == (2, 2, 2)
    mock.setMembers(house.validators[1:4])
    done = job.open()
    assert house.vault.feesOf(job.id, vera) == 2 * job.terms.feePerSeat
    assert len(done.events["FeesBooked"]) == 3, "every seat has another member, as all have moved by one"
    assert tuple(job.state.matched) == (0, 0, 0)


def test_open__same_committee__books_nothing(play):
    job = play(Phase.SUBMIT).play_round()
    assert "FeesBooked" not in job.open().events
    assert tuple(job.state.matched) == (1, 1, 1)


def test_open__two_jobs__have_their_own_names(play):
    first, second = play(Phase.SUBMIT), play(Phase.SUBMIT)
    assert first.cycle != second.cycle and first.seed != second.seed


def test_committee__of_24__is_read_whole(play, actors, house):
    from brownie import accounts

    members = sorted(accounts[:24], key=lambda account: int(account.address, 16))
    committee = MockCommittee.deploy(members, {"from": actors["deployer"]})
    job = play(Phase.OPEN, committee=committee, seats=24, quorum=13)
    job.open()
    assert committee_is(job, *members)
    assert job.state.due == 2**24 - 1
