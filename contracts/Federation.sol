// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {CycleId, IFederation, JobId, JobTerms, Phase, Result} from "./interfaces/IFederation.sol";
import {UntrustedCalls} from "./libraries/UntrustedCalls.sol";
import {Cycles} from "./libraries/Cycles.sol";
import {Refusals} from "./libraries/Refusals.sol";
import {Steps} from "./Steps.sol";
import {Votes} from "./libraries/Votes.sol";
import {Terms} from "./Terms.sol";

/// @title The life of a job, top to bottom: post, enrol, open, submit, attest, release, score, reveal, vote, finalize
/// @dev Of several calls in one `multicall` the sender stays the same and none takes value: each could stand alone.
contract Federation is IFederation, Steps, Multicall {
    using Cycles for CycleId;
    using Terms for JobTerms;

    uint256 private constant ENTRY_BYTES = 13; // of a sheet, for each update

    /// @inheritdoc IFederation
    function post(JobTerms calldata terms, uint256 escrow) external returns (JobId job) {
        job = JobId.wrap(++jobCount);
        bytes32 termsHash = Terms.store(_terms, job, terms, escrow, msg.sender);

        Job storage live = _jobs[job];
        live.round = 1;
        live.bestMetric = type(int64).min;
        live.sponsor = msg.sender;
        live.termsHash = termsHash;
        live.history = termsHash;
        _setEnrolEnd(live, block.timestamp + terms.enrolTime);

        emit JobPosted(job, msg.sender, termsHash, terms, escrow);

        vault.deposit(job, terms.token, terms.strikePenalty, msg.sender, escrow);
    }

    /// @inheritdoc IFederation
    function enrol(JobId job, bytes32 termsHash, uint96 bond, bytes calldata data) external {
        _requirePhase(job, Phase.ENROL);
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        if (termsHash != live.termsHash) revert Refusals.Federation_WrongTerms(job, live.termsHash, termsHash);
        if (bond < terms.minBond) revert Refusals.Federation_BondTooSmall(job, terms.minBond, bond);
        if (live.trainers[msg.sender].enrolled) revert Refusals.Federation_AlreadyEnrolled(job, msg.sender);
        if (!UntrustedCalls.admits(terms.admission, job, msg.sender, data)) {
            revert Refusals.Federation_NotAdmitted(job, msg.sender);
        }

        live.trainers[msg.sender] = Enrolment(true, terms.recheckAdmission, 0, bond);
        live.roster[live.enrolled] = msg.sender;
        if (++live.enrolled == terms.maxTrainers) _setEnrolEnd(live, block.timestamp);

        emit TrainerEnrolled(job, msg.sender, bond);

        vault.bond(job, msg.sender, bond);
    }

    /// @inheritdoc IFederation
    function open(JobId job) external returns (CycleId cycle) {
        _requirePhase(job, Phase.OPEN);
        Job storage live = _jobs[job];
        if (block.timestamp <= live.since) revert Refusals.Federation_TooEarly(job, uint256(live.since) + 1);

        return _open(job, live, _terms[job], _randomness());
    }

    /// @inheritdoc IFederation
    function submit(JobId job, CycleId cycle, bytes32 seed, bytes32 digest) external {
        Job storage live = _jobs[job];
        Attempt memory attempt = live.attempt;
        _requireCycle(job, attempt.cycle, cycle);
        if (block.timestamp >= attempt.deadline) {
            revert Refusals.Federation_WrongPhase(job, Phase.SUBMIT, phaseAt(job, block.timestamp));
        }
        if (seed != live.sheets) revert Refusals.Federation_WrongSeed(job, live.sheets, seed);
        Enrolment memory enrolment = live.trainers[msg.sender];
        uint32 counter = cycle.counter();
        if (!enrolment.enrolled) revert Refusals.Federation_NotEnrolled(job, msg.sender);
        if (enrolment.counter == counter) revert Refusals.Federation_AlreadySubmitted(job, cycle, msg.sender);
        if (enrolment.recheckAdmission && !UntrustedCalls.admits(_terms[job].admission, job, msg.sender, "")) {
            revert Refusals.Federation_NotAdmitted(job, msg.sender);
        }

        bool due = cycle.everybody() || enrolment.counter + 1 == counter;
        live.trainers[msg.sender].counter = counter;
        attempt.updates = uint128(uint256(keccak256(abi.encodePacked(attempt.updates, msg.sender, digest))));
        ++attempt.submitted;
        if (due && --attempt.pending == 0) attempt.deadline = uint32(block.timestamp);
        live.attempt = attempt;

        emit UpdateSubmitted(job, cycle, msg.sender, digest);
    }

    /// @inheritdoc IFederation
    function attest(JobId job, CycleId cycle, uint8 seat, bytes calldata bitmap) external {
        Job storage live = _act(job, cycle, seat, Phase.ATTEST);
        _requireLength(job, (uint256(live.attempt.submitted) + 7) / 8, bitmap.length);

        live.sheets = keccak256(abi.encode(live.sheets, seat, keccak256(bitmap)));

        emit UpdatesAttested(job, cycle, seat, bitmap);
    }

    /// @inheritdoc IFederation
    function release(JobId job, CycleId cycle, uint8 seat, bytes32 digest) external {
        Job storage live = _act(job, cycle, seat, Phase.RELEASE);

        live.sheets = keccak256(abi.encode(live.sheets, seat, digest));

        emit SharesReleased(job, cycle, seat, digest);
    }

    /// @inheritdoc IFederation
    function commitScores(JobId job, CycleId cycle, uint8 seat, bytes32 commitment) external {
        Job storage live = _act(job, cycle, seat, Phase.SCORE);
        live.seats[seat].commitment = commitment;

        emit ScoresCommitted(job, cycle, seat, commitment);
    }

    /// @inheritdoc IFederation
    function revealScores(JobId job, CycleId cycle, uint8 seat, bytes calldata sheet, bytes32 salt) external {
        Job storage live = _act(job, cycle, seat, Phase.REVEAL);
        _requireLength(job, ENTRY_BYTES * live.attempt.submitted, sheet.length);
        bytes32 sheetHash = keccak256(sheet);
        bytes32 commitment = keccak256(
            abi.encode(block.chainid, address(this), job, cycle, msg.sender, sheetHash, salt)
        );
        if (commitment != live.seats[seat].commitment) revert Refusals.Federation_WrongCommitment(job, cycle, seat);

        live.sheets = keccak256(abi.encode(live.sheets, seat, sheetHash, salt));

        emit ScoresRevealed(job, cycle, seat, sheet, salt);
    }

    /// @inheritdoc IFederation
    function vote(
        JobId job,
        CycleId cycle,
        uint8 seat,
        bytes32 sheets,
        uint192 sealedVote,
        int64 metric
    ) external {
        Job storage live = _act(job, cycle, seat, Phase.VOTE);
        if (sheets != live.sheets) revert Refusals.Federation_WrongSheets(job, live.sheets, sheets);

        live.seats[seat].vote = Votes.make(sealedVote, metric);

        emit ResultVoted(job, cycle, seat, sealedVote, metric);
    }

    /// @inheritdoc IFederation
    function finalize(JobId job, CycleId cycle, Result calldata result) external {
        Job storage live = _jobs[job];
        _requireCycle(job, live.attempt.cycle, cycle);
        _requirePhase(job, Phase.FINALIZE);
        bytes32 resultHash = keccak256(
            abi.encode(
                block.chainid,
                address(this),
                job,
                cycle,
                live.attempt.updates,
                live.sheets,
                result.model,
                result.rewards
            )
        );
        Tally memory tally = _count(job, cycle, resultHash);

        JobTerms storage terms = _terms[job];
        if (result.model == 0) {
            if (result.rewards != 0) revert Refusals.Federation_BadResult(job, cycle);
            _fail(job, Phase.VOTE, terms.attestTime == 0 ? terms.burn() : 0, tally.words);
            return;
        }
        uint16 round = live.round;
        bool last = _advance(job, resultHash, tally);

        emit RoundFinalized(
            job,
            cycle,
            round,
            result.model,
            result.rewards,
            tally.metric,
            tally.matched,
            resultHash,
            uint32(block.timestamp)
        );

        uint256 fees = uint256(terms.seats) * terms.feePerSeat;
        uint256 left = vault.bookRound(job, round, uint160(uint256(result.rewards)), terms.rewardPerRound, fees);
        _next(job, last, left);
    }

    /// @inheritdoc IFederation
    function failRound(JobId job, CycleId cycle) external {
        Job storage live = _jobs[job];
        _requireCycle(job, live.attempt.cycle, cycle);
        (Phase phase, Phase reached, ) = _clock(job, block.timestamp);
        if (phase != Phase.LAPSED) revert Refusals.Federation_WrongPhase(job, Phase.LAPSED, phase);

        if (reached == Phase.ENROL) {
            _end(job, Phase.CANCELLED);
            return;
        }
        if (reached == Phase.OPEN) _lapse(job);
        else _fail(job, reached, reached == Phase.SUBMIT ? 0 : _terms[job].burn(), 0);
    }

    /// @inheritdoc IFederation
    function rejoin(JobId job, CycleId cycle) external {
        Job storage live = _jobs[job];
        _requireCycle(job, live.attempt.cycle, cycle);
        if (live.outcome != Phase.NONE) {
            revert Refusals.Federation_WrongPhase(job, Phase.OPEN, live.outcome);
        }
        if (cycle.counter() == 0 || cycle.everybody() || !_isAbsent(job, cycle)) {
            revert Refusals.Federation_NotAbsent(job, msg.sender);
        }

        live.rejoining = true;

        emit Rejoined(job, msg.sender);
    }

    /// @inheritdoc IFederation
    function stop(JobId job) external {
        Job storage live = _jobs[job];
        if (msg.sender != live.sponsor) revert Refusals.Federation_NotSponsor(job, msg.sender);
        (Phase phase, Phase reached, ) = _clock(job, block.timestamp);
        if (live.outcome != Phase.NONE) revert Refusals.Federation_WrongPhase(job, Phase.OPEN, phase);

        live.stopping = true;

        emit StopRequested(job);

        if (reached == Phase.ENROL) _end(job, Phase.CANCELLED);
        else if (!live.underway) _finish(job);
    }

    /// @inheritdoc IFederation
    function claimFees(JobId job, uint8 seat) external {
        Job storage live = _jobs[job];
        if (live.outcome == Phase.NONE) revert Refusals.Federation_JobRunning(job);

        address member = live.seats[seat].member;
        _bookFees(job, seat, member);
        vault.claimFees(job, member);
    }

    /// @inheritdoc IFederation
    function publishKeys(JobId job, bytes32 digest) external {
        if (_jobs[job].outcome == Phase.NONE) {
            revert Refusals.Federation_WrongPhase(job, Phase.COMPLETED, phaseAt(job, block.timestamp));
        }

        emit KeysPublished(job, msg.sender, digest);
    }

    /// @inheritdoc IFederation
    function announceKey(bytes32 key) external {
        keyOf[msg.sender] = key;

        emit KeyAnnounced(msg.sender, key);
    }
}
