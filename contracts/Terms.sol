// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId, JobTerms, Phase} from "./interfaces/IFederation.sol";
import {Refusals} from "./libraries/Refusals.sol";

/// @title What a job may ask for
/// @dev A library of its own, because Federation has no room for it.
library Terms {
    uint256 public constant MAX_PHASE_TIME = 30 days;
    uint256 public constant MAX_SLASH_TIME = 30 days;
    uint256 public constant MAX_JOB_TIME = 3 * 365 days;
    uint256 public constant MAX_SEATS = 24;
    uint256 public constant MAX_TRAINERS = 1024;
    uint256 public constant MAX_ROUNDS = 1023; // a seat's count of matched rounds has 10 bits
    uint256 public constant MAX_FAILURES = 16;
    uint256 public constant BASIS_POINTS = 10_000;

    /// @notice Checks terms, keeps them as the job's, and hashes them.
    /// @return hash keccak256(abi.encode(terms, escrow, sponsor))
    function store(
        mapping(JobId job => JobTerms) storage all,
        JobId job,
        JobTerms calldata terms,
        uint256 escrow,
        address sponsor
    ) external returns (bytes32 hash) {
        _checkNumbers(terms);
        _checkTimes(terms);
        _checkMoney(terms, escrow);

        all[job] = terms;
        return keccak256(abi.encode(terms, escrow, sponsor));
    }

    /// @return what a finalised round takes from the escrow: reward and fees
    function fullRound(JobTerms storage terms) internal view returns (uint256) {
        return uint256(terms.rewardPerRound) + uint256(terms.seats) * terms.feePerSeat;
    }

    /// @return what a cycle that the committee failed takes from the escrow
    function burn(JobTerms storage terms) internal view returns (uint256) {
        return (fullRound(terms) * terms.failureBurn) / BASIS_POINTS;
    }

    function _checkTimes(JobTerms calldata terms) private pure {
        _checkPhase(Phase.ENROL, terms.enrolTime, 1);
        uint256 cycle = _checkPhase(Phase.OPEN, terms.openTime, 2) +
            _checkPhase(Phase.SUBMIT, terms.submitTime, 1) +
            _checkPhase(Phase.ATTEST, terms.attestTime, 0) +
            _checkPhase(Phase.RELEASE, terms.releaseTime, 0) +
            _checkPhase(Phase.SCORE, terms.scoreTime, 1) +
            _checkPhase(Phase.REVEAL, terms.revealTime, 1) +
            _checkPhase(Phase.VOTE, terms.voteTime, 1) +
            _checkPhase(Phase.FINALIZE, terms.finalizeTime, 1);

        uint256 longest = terms.enrolTime + uint256(terms.maxRounds) * terms.maxFailures * cycle;
        if (longest > MAX_JOB_TIME) revert Refusals.Terms_TooLong(longest);

        if (terms.slashTime == 0 || terms.slashTime > MAX_SLASH_TIME || terms.slashTime > terms.claimTime) {
            revert Refusals.Terms_SlashTimeOutOfBounds(terms.slashTime, terms.claimTime);
        }
    }

    function _checkPhase(Phase phase, uint256 time, uint256 shortest) private pure returns (uint256) {
        if (time < shortest || time > MAX_PHASE_TIME) revert Refusals.Terms_PhaseOutOfBounds(phase, time);
        return time;
    }

    function _checkNumbers(JobTerms calldata terms) private pure {
        uint256 seats = terms.seats;
        if (seats == 0 || seats > MAX_SEATS) revert Refusals.Terms_SeatsOutOfBounds(seats);
        if (2 * uint256(terms.quorum) <= seats || terms.quorum > seats) {
            revert Refusals.Terms_QuorumOutOfBounds(terms.quorum, seats);
        }
        if (terms.attestTime > 0 || terms.releaseTime > 0) {
            if (terms.threshold == 0 || terms.threshold > seats) {
                revert Refusals.Terms_ThresholdOutOfBounds(terms.threshold, seats);
            }
        }

        if (terms.maxTrainers > MAX_TRAINERS) revert Refusals.Terms_TrainersOutOfBounds(terms.maxTrainers);
        if (terms.minUpdates == 0 || terms.minUpdates > terms.maxTrainers) {
            revert Refusals.Terms_UpdatesOutOfBounds(terms.minUpdates, terms.maxTrainers);
        }
        if (terms.maxRounds == 0 || terms.maxRounds > MAX_ROUNDS) {
            revert Refusals.Terms_RoundsOutOfBounds(terms.maxRounds);
        }
        if (terms.maxFailures == 0 || terms.maxFailures > MAX_FAILURES) {
            revert Refusals.Terms_FailuresOutOfBounds(terms.maxFailures);
        }
        if (terms.failureBurn > BASIS_POINTS) revert Refusals.Terms_BurnOutOfBounds(terms.failureBurn);
    }

    function _checkMoney(JobTerms calldata terms, uint256 escrow) private view {
        if (terms.minBond == 0) revert Refusals.Terms_NoBond();

        uint256 full = uint256(terms.rewardPerRound) + uint256(terms.seats) * terms.feePerSeat;
        if (escrow < full) revert Refusals.Terms_EscrowTooSmall(escrow, full);

        _checkContract(address(terms.token));
        _checkContract(address(terms.committee));
        _checkContract(address(terms.admission));
    }

    function _checkContract(address account) private view {
        if (account.code.length == 0) revert Refusals.Terms_NotAContract(account);
    }
}
