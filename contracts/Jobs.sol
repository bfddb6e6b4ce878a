// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId, IFederation, JobId, JobState, JobTerms, Phase} from "./interfaces/IFederation.sol";
import {Board, Boards} from "./libraries/Boards.sol";
import {Refusals} from "./libraries/Refusals.sol";

/// @title What is kept of a job, and where it stands at a time
abstract contract Jobs is IFederation {
    using Boards for Board;
    using Boards for uint24;

    struct Job {
        // what a cycle's start and end change
        Phase outcome; // NONE while the job runs
        bool underway; // from `open` until the cycle is finalised or failed
        bool stopping;
        bool rejoining;
        uint8 failures; // in a row
        uint8 attempts; // cycles opened for this round
        uint16 round; // the one that is attempted, from 1
        uint16 stale;
        uint32 since; // before a cycle: when OPEN began (in ENROL: begins); after the job: when it ended
        uint32 openedAt; // the last cycle; before the first: when ENROL ends
        int64 bestMetric;
        Attempt attempt;
        Board board;
        bytes32 sheets;
        bytes32 history;
        uint240 matched; // by seat, 10 bits each: rounds matched since its present member took it
        uint16 enrolled;
        address sponsor;
        bytes32 termsHash;
        mapping(uint256 seat => Seat) seats;
        mapping(address trainer => Enrolment) trainers;
        mapping(uint256 index => address trainer) roster; // in order of enrolment; `enrolled` of them
    }

    /// @dev The last opened cycle's updates: one slot.
    struct Attempt {
        uint128 updates; // accumulator
        CycleId cycle;
        uint32 deadline; // end of SUBMIT
        uint16 submitted;
        uint16 pending; // due trainers that have not submitted
    }

    /// @dev Used again in every cycle: what a former cycle left counts only where the board's bitmaps say so.
    struct Seat {
        address member;
        bytes32 commitment;
        uint256 vote; // sealed, low 192 bits; above them the metric
    }

    struct Enrolment {
        bool enrolled;
        bool recheckAdmission;
        uint32 counter; // of the last cycle with an update
        uint96 bond; // as enrolled
    }

    uint256 public jobCount;
    mapping(address account => bytes32) public keyOf;

    mapping(JobId job => Job) internal _jobs;
    mapping(JobId job => JobTerms) internal _terms;

    /// @inheritdoc IFederation
    function termsOf(JobId job) external view returns (JobTerms memory) {
        return _terms[job];
    }

    /// @inheritdoc IFederation
    function trainerOf(JobId job, address trainer) external view returns (bool enrolled, uint32 counter, uint96 bond) {
        Enrolment storage enrolment = _jobs[job].trainers[trainer];
        return (enrolment.enrolled, enrolment.counter, enrolment.bond);
    }

    /// @inheritdoc IFederation
    function trainerAt(JobId job, uint256 index) external view returns (address) {
        return _jobs[job].roster[index];
    }

    /// @inheritdoc IFederation
    function historyOf(JobId job) external view returns (bytes32) {
        return _jobs[job].history;
    }

    /// @inheritdoc IFederation
    function phaseAt(JobId job, uint256 time) public view returns (Phase phase) {
        (phase, , ) = _clock(job, time);
    }

    /// @inheritdoc IFederation
    function stateAt(JobId job, uint256 time) external view returns (JobState memory state) {
        Job storage live = _jobs[job];
        Attempt memory attempt = live.attempt;
        Board board = live.board;
        (Phase phase, , uint256 end) = _clock(job, time);
        bool opened = CycleId.unwrap(attempt.cycle) != 0;

        state.phase = phase;
        state.sponsor = live.sponsor;
        state.cycle = attempt.cycle;
        state.deadline = uint32(end);
        state.openedAt = opened ? live.openedAt : 0;
        state.endedAt = live.outcome == Phase.NONE ? 0 : live.since;
        state.round = live.round;
        state.enrolled = live.enrolled;
        state.submitted = attempt.submitted;
        state.pending = attempt.pending;
        state.stale = live.stale;
        state.failures = live.failures;
        state.stopping = live.stopping;
        state.rejoining = live.rejoining;
        state.committeeKept = _keepsCommittee(live, _terms[job]);
        state.bestMetric = live.bestMetric;
        state.due = board.due();
        state.attested = board.acted(Phase.ATTEST);
        state.released = board.acted(Phase.RELEASE);
        state.committed = board.acted(Phase.SCORE);
        state.revealed = board.acted(Phase.REVEAL);
        state.voted = board.acted(Phase.VOTE);
        state.updates = attempt.updates;
        state.sheets = live.sheets;
        state.history = live.history;
        if (opened) {
            state.committee = _committeeOf(live, _terms[job].seats);
            state.matched = new uint256[](state.committee.length);
            for (uint256 seat = 0; seat < state.matched.length; ++seat) state.matched[seat] = _matched(live, seat);
        }
    }

    /// @return phase at a time
    /// @return reached the same; where `phase` is LAPSED, the phase that ran out
    /// @return end of the phase; 0 where it has none
    function _clock(JobId job, uint256 time) internal view returns (Phase phase, Phase reached, uint256 end) {
        Job storage live = _jobs[job];
        if (live.outcome != Phase.NONE || live.round == 0) return (live.outcome, live.outcome, 0);
        if (live.underway) return _cycleClock(job, time);

        end = live.since;
        if (time < end && CycleId.unwrap(live.attempt.cycle) == 0) return (Phase.ENROL, Phase.ENROL, end);
        if (live.enrolled < _terms[job].minUpdates) return (Phase.LAPSED, Phase.ENROL, 0);
        end += _terms[job].openTime;
        if (time < end) return (Phase.OPEN, Phase.OPEN, end);
        return (Phase.LAPSED, Phase.OPEN, 0);
    }

    /// @dev The clock of the last cycle alone. As time doesn't run back, ATTEST to VOTE are never met again once the
    /// cycle is finalised or failed: these phases need no other slot of the job.
    function _cycleClock(JobId job, uint256 time) internal view returns (Phase phase, Phase reached, uint256 end) {
        Job storage live = _jobs[job];
        end = live.attempt.deadline;
        if (time < end) return (Phase.SUBMIT, Phase.SUBMIT, end);

        JobTerms storage terms = _terms[job];
        if (live.attempt.submitted < terms.minUpdates) return (Phase.LAPSED, Phase.SUBMIT, 0);
        Board board = live.board;
        for (uint256 index = uint256(Phase.ATTEST); index <= uint256(Phase.VOTE); ++index) {
            phase = Phase(index);
            uint256 span = board.span(phase);
            end += span;
            if (time < end) return (phase, phase, end);
            // A span of 0 is a phase that is skipped, or that closed, its minimum met, as soon as it began.
            uint256 minimum = phase <= Phase.RELEASE ? terms.threshold : terms.quorum;
            if (span > 0 && board.acted(phase).count() < minimum) return (Phase.LAPSED, phase, 0);
        }

        end += terms.finalizeTime;
        if (time < end) return (Phase.FINALIZE, Phase.FINALIZE, end);
        return (Phase.LAPSED, Phase.FINALIZE, 0);
    }

    function _requirePhase(JobId job, Phase expected) internal view {
        Phase actual = phaseAt(job, block.timestamp);
        if (actual != expected) revert Refusals.Federation_WrongPhase(job, expected, actual);
    }

    /// @dev A round's second cycle.
    function _keepsCommittee(Job storage live, JobTerms storage terms) internal view returns (bool) {
        return live.attempts == 1 && terms.keepCommittee;
    }

    function _committeeOf(Job storage live, uint256 seats) internal view returns (address[] memory committee) {
        committee = new address[](seats);
        for (uint256 seat = 0; seat < seats; ++seat) committee[seat] = live.seats[seat].member;
    }

    function _matched(Job storage live, uint256 seat) internal view returns (uint256) {
        return (live.matched >> (10 * seat)) & 0x3ff;
    }
}
