// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId, JobId, JobTerms, Phase} from "./interfaces/IFederation.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Jobs} from "./Jobs.sol";
import {Board, Boards} from "./libraries/Boards.sol";
import {Cycles} from "./libraries/Cycles.sol";
import {Errors} from "./libraries/Errors.sol";
import {Terms} from "./Terms.sol";
import {Vault} from "./Vault.sol";

/// @title The steps that the story of a job is made of
abstract contract Steps is Jobs {
    using Boards for Board;
    using Boards for uint24;
    using Cycles for CycleId;
    using Terms for JobTerms;

    IVault public immutable vault;

    constructor() {
        vault = new Vault();
    }

    function _setEnrolEnd(Job storage live, uint256 time) internal {
        live.since = uint32(time);
        live.openedAt = uint32(time);
    }

    /// @dev The block hash keeps whoever ended the last cycle from choosing the next committee, where no new votes or
    /// sheets went into the seed.
    function _nextCycle(Job storage live, bool everybody) internal view returns (CycleId cycle, bytes32 seed) {
        bytes32 parent = _isAfresh(live) ? blockhash(block.number - 1) : bytes32(0);
        seed = keccak256(abi.encode(live.sheets, live.attempt.updates, parent));
        cycle = Cycles.make(live.lastResult, seed, live.attempt.cycle.counter() + 1, everybody);
    }

    /// @return whether this is the first cycle, or something has failed since the last finalised one
    function _isAfresh(Job storage live) internal view returns (bool) {
        return live.failures > 0 || live.attempt.cycle.counter() == 0;
    }

    /// @return whether a phase of the next cycle could close early below its minimum, if it waited for no more accounts
    /// than acted in the last cycle
    function _dueAreTooFew(Job storage live, JobTerms storage terms) internal view returns (bool) {
        uint256 seats = live.board.acted(Phase.VOTE).count();
        bool sharing = terms.attestTime > 0 || terms.releaseTime > 0;
        return
            live.attempt.submitted < terms.minUpdates || seats < terms.quorum || (sharing && seats < terms.threshold);
    }

    /// @dev Gives each seat to its member, books what a replaced one has earned.
    /// @return due bitmap of the seats that voted in the last cycle, or are new to their member
    function _seat(JobId job, address[] memory committee) internal returns (uint24 due) {
        Job storage live = _jobs[job];
        due = live.board.acted(Phase.VOTE);
        for (uint256 seat = 0; seat < committee.length; ++seat) {
            address former = live.seats[seat].member;
            if (former == committee[seat]) continue;
            live.seats[seat].member = committee[seat];
            due |= uint24(1 << seat);
            if (former != address(0)) _bookFees(job, seat, former);
        }
    }

    /// @dev What every step of a member has in common: cycle, phase, seat, once; and the early close.
    function _act(JobId job, CycleId cycle, uint8 seat, Phase phase) internal returns (Job storage live) {
        live = _jobs[job];
        _requireCycle(job, live.attempt.cycle, cycle);
        (Phase actual, , uint256 end) = _cycleClock(job, block.timestamp);
        if (actual != phase) {
            revert Errors.Federation_WrongPhase(job, phase, phaseAt(job, block.timestamp));
        }
        if (live.seats[seat].member != msg.sender) revert Errors.Federation_NotSeated(job, seat, msg.sender);
        Board board = live.board;
        if (board.acted(phase).has(seat)) revert Errors.Federation_AlreadyActed(job, cycle, seat);
        uint24 awaited = board.awaited(phase);
        if (phase == Phase.REVEAL && !awaited.has(seat)) revert Errors.Federation_NotCommitted(job, cycle, seat);
        if (phase == Phase.VOTE && !awaited.has(seat)) revert Errors.Federation_NotRevealed(job, cycle, seat);

        board = board.mark(phase, seat);
        if (awaited & ~board.acted(phase) == 0) {
            uint256 start = end - board.span(phase);
            board = board.close(phase, block.timestamp - start);
        }
        live.board = board;
    }

    /// @return matched bitmap of the seats that voted a result; a quorum at least
    /// @return counts the same as counts of one, 10 bits for each seat
    /// @return metric the lower median of what they measured
    function _count(
        JobId job,
        CycleId cycle,
        bytes32 resultHash
    ) internal view returns (uint24 matched, uint240 counts, int64 metric) {
        Job storage live = _jobs[job];
        uint256 seats = _terms[job].seats;
        uint24 voted = live.board.acted(Phase.VOTE);
        int64[] memory metrics = new int64[](seats); // ascending
        uint256 number;
        for (uint256 seat = 0; seat < seats; ++seat) {
            if (!voted.has(seat)) continue;
            uint192 sealedVote = uint192(uint256(keccak256(abi.encode(resultHash, seat))));
            if (live.seats[seat].sealedVote != sealedVote) continue;

            matched |= uint24(1 << seat);
            counts |= uint240(1 << (10 * seat));
            metric = live.seats[seat].metric;
            uint256 place = number++;
            for (; place > 0; --place) {
                int64 lower = metrics[place - 1];
                if (lower <= metric) break;
                metrics[place] = lower;
            }
            metrics[place] = metric;
        }
        uint256 quorum = _terms[job].quorum;
        if (number < quorum) revert Errors.Federation_NoQuorum(job, cycle, number, quorum);

        return (matched, counts, metrics[(number - 1) / 2]);
    }

    /// @return last whether the rounds, the target or the patience are used up
    function _advance(
        JobId job,
        bytes32 resultHash,
        uint240 counts,
        int64 metric
    ) internal returns (bool last) {
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        live.matched += counts;
        live.lastResult = resultHash;
        ++live.round;
        live.failures = 0;
        live.attempts = 0;
        bool better = metric > live.bestMetric;
        live.stale = better ? 0 : live.stale + 1;
        if (better) live.bestMetric = metric;

        return
            live.round > terms.maxRounds ||
            metric >= terms.targetMetric ||
            (terms.patience > 0 && live.stale >= terms.patience);
    }

    function _fail(JobId job, Phase reached, uint256 burn) internal {
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        uint8 failures = ++live.failures;

        emit CycleFailed(job, live.attempt.cycle, reached, failures, burn);

        // Before a cycle a full round was left.
        uint256 left = burn > 0 ? vault.burn(job, burn) : type(uint256).max;
        if (failures >= terms.maxFailures) _end(job, Phase.ABORTED);
        else _next(job, false, left);
    }

    /// @dev After a cycle, or an OPEN, that is over.
    function _next(JobId job, bool last, uint256 left) internal {
        Job storage live = _jobs[job];
        if (last || live.stopping || left < _terms[job].fullRound()) {
            _finish(job);
            return;
        }

        live.underway = false;
        live.since = uint32(block.timestamp);
    }

    function _finish(JobId job) internal {
        _end(job, _jobs[job].round > 1 ? Phase.COMPLETED : Phase.ABORTED);
    }

    function _end(JobId job, Phase outcome) internal {
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        live.outcome = outcome;
        live.underway = false;
        live.since = uint32(block.timestamp);

        emit JobEnded(job, outcome);

        vault.close(job, terms.claimTime, live.round > 1 ? terms.slashTime : 0);
    }

    /// @dev Moves what a seat has counted for its member to the vault.
    function _bookFees(JobId job, uint256 seat, address member) internal {
        Job storage live = _jobs[job];
        uint256 matched = _matched(live, seat);
        if (matched == 0) return;

        live.matched -= uint240(matched << (10 * seat));
        vault.bookFees(job, member, matched * _terms[job].feePerSeat);
    }

    /// @return whether the caller is a trainer or member that the last opened cycle did not wait for, and did not hear
    function _isAbsent(JobId job, CycleId cycle) internal view returns (bool) {
        Job storage live = _jobs[job];
        Enrolment storage enrolment = live.trainers[msg.sender];
        if (enrolment.enrolled && enrolment.counter + 1 < cycle.counter()) return true;

        uint24 awaited = live.board.due() | live.board.acted(Phase.VOTE);
        uint256 seats = _terms[job].seats;
        for (uint256 seat = 0; seat < seats; ++seat) {
            if (live.seats[seat].member == msg.sender) return !awaited.has(seat);
        }
        return false;
    }

    function _requireCycle(JobId job, CycleId expected, CycleId actual) internal pure {
        if (!actual.isSame(expected)) revert Errors.Federation_WrongCycle(job, expected, actual);
    }

    function _requireLength(JobId job, uint256 expected, uint256 actual) internal pure {
        if (actual != expected) revert Errors.Federation_WrongLength(job, expected, actual);
    }
}
