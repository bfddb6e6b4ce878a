// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId, IFederation, JobId, JobTerms, Phase, Result} from "./interfaces/IFederation.sol";
import {UntrustedCalls} from "./libraries/UntrustedCalls.sol";
import {Board, Boards} from "./libraries/Boards.sol";
import {Cycles} from "./libraries/Cycles.sol";
import {Errors} from "./libraries/Errors.sol";
import {Steps} from "./Steps.sol";
import {Terms} from "./Terms.sol";

/// @title The life of a job, top to bottom: post, enrol, open, submit, attest, release, score, reveal, vote, finalize
contract Federation is IFederation, Steps {
    using Boards for Board;
    using Boards for uint24;
    using Cycles for CycleId;
    using Terms for JobTerms;

    uint256 private constant ENTRY_BYTES = 13; // of a sheet, for each update

    /// @inheritdoc IFederation
    function post(JobTerms calldata terms, uint256 escrow) external returns (JobId job) {
        job = JobId.wrap(++jobCount);
        bytes32 termsHash = Terms.store(_terms, job, terms, escrow);

        Job storage live = _jobs[job];
        live.round = 1;
        live.bestMetric = type(int64).min;
        live.sponsor = msg.sender;
        live.termsHash = termsHash;
        _setEnrolEnd(live, block.timestamp + terms.enrolTime);

        emit JobPosted(job, msg.sender, termsHash, terms, escrow);

        vault.deposit(job, terms.token, terms.strikePenalty, msg.sender, escrow);
    }

    /// @inheritdoc IFederation
    function enrol(JobId job, bytes32 termsHash, uint96 bond, bytes calldata data) external {
        _requirePhase(job, Phase.ENROL);
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        if (termsHash != live.termsHash) revert Errors.Federation_WrongTerms(job, live.termsHash, termsHash);
        if (bond < terms.minBond) revert Errors.Federation_BondTooSmall(job, terms.minBond, bond);
        if (live.trainers[msg.sender].enrolled) revert Errors.Federation_AlreadyEnrolled(job, msg.sender);
        if (!UntrustedCalls.admits(terms.admission, job, msg.sender, data)) {
            revert Errors.Federation_NotAdmitted(job, msg.sender);
        }

        live.trainers[msg.sender] = Enrolment(true, terms.recheckAdmission, 0);
        if (++live.enrolled == terms.maxTrainers) _setEnrolEnd(live, block.timestamp);

        emit TrainerEnrolled(job, msg.sender, bond);

        vault.bond(job, msg.sender, bond);
    }

    /// @inheritdoc IFederation
    function open(JobId job) external returns (CycleId cycle) {
        _requirePhase(job, Phase.OPEN);
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        bool everybody = live.rejoining || _isAfresh(live) || _dueAreTooFew(live, terms);
        bytes32 seed;
        (cycle, seed) = _nextCycle(live, everybody);
        address[] memory committee = _keepsCommittee(live)
            ? _committeeOf(live, terms.seats)
            : UntrustedCalls.select(terms.committee, job, cycle, seed, live.openedAt, terms.seats);

        uint24 due = _seat(job, committee);
        if (everybody) due = uint24((1 << committee.length) - 1);
        live.board = Boards.open(due, terms);
        live.attempt = Attempt({
            updates: uint128(uint256(seed)) | 1,
            cycle: cycle,
            deadline: uint32(block.timestamp + terms.submitTime),
            submitted: 0,
            pending: everybody ? live.enrolled : live.attempt.submitted
        });
        live.sheets = seed;
        live.underway = true;
        live.rejoining = false;
        ++live.attempts;
        live.openedAt = uint32(block.timestamp);

        emit CycleOpened(job, cycle, live.round, seed, committee);
    }

    /// @inheritdoc IFederation
    function submit(JobId job, CycleId cycle, bytes32 digest) external {
        Job storage live = _jobs[job];
        Attempt memory attempt = live.attempt;
        _requireCycle(job, attempt.cycle, cycle);
        if (block.timestamp >= attempt.deadline) {
            revert Errors.Federation_WrongPhase(job, Phase.SUBMIT, phaseAt(job, block.timestamp));
        }
        Enrolment memory enrolment = live.trainers[msg.sender];
        uint32 counter = cycle.counter();
        if (!enrolment.enrolled) revert Errors.Federation_NotEnrolled(job, msg.sender);
        if (enrolment.counter == counter) revert Errors.Federation_AlreadySubmitted(job, cycle, msg.sender);
        if (enrolment.recheckAdmission && !UntrustedCalls.admits(_terms[job].admission, job, msg.sender, "")) {
            revert Errors.Federation_NotAdmitted(job, msg.sender);
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

        emit UpdatesAttested(job, cycle, seat, bitmap);
    }

    /// @inheritdoc IFederation
    function release(JobId job, CycleId cycle, uint8 seat, bytes32 digest) external {
        _act(job, cycle, seat, Phase.RELEASE);

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
        if (commitment != live.seats[seat].commitment) revert Errors.Federation_WrongCommitment(job, cycle, seat);

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
        if (sheets != live.sheets) revert Errors.Federation_WrongSheets(job, live.sheets, sheets);

        live.seats[seat].sealedVote = sealedVote;
        live.seats[seat].metric = metric;

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
        (uint24 matched, uint240 counts, int64 metric) = _count(job, cycle, resultHash);

        if (result.model == 0) {
            _fail(job, Phase.VOTE, 0);
            return;
        }
        uint16 round = live.round;
        bool last = _advance(job, resultHash, counts, metric);

        emit RoundFinalized(job, cycle, round, result.model, result.rewards, metric, matched, resultHash);

        JobTerms storage terms = _terms[job];
        uint256 fees = uint256(terms.seats) * terms.feePerSeat;
        uint256 left = vault.bookRound(job, round, uint160(uint256(result.rewards)), terms.rewardPerRound, fees);
        _next(job, last, left);
    }

    /// @inheritdoc IFederation
    function failRound(JobId job, CycleId cycle) external {
        Job storage live = _jobs[job];
        _requireCycle(job, live.attempt.cycle, cycle);
        (Phase phase, Phase reached, ) = _clock(job, block.timestamp);
        if (phase != Phase.LAPSED) revert Errors.Federation_WrongPhase(job, Phase.LAPSED, phase);

        if (reached == Phase.ENROL) {
            _end(job, Phase.CANCELLED);
            return;
        }
        JobTerms storage terms = _terms[job];
        bool silenced = reached != Phase.OPEN && reached != Phase.SUBMIT;
        _fail(job, reached, silenced ? (terms.fullRound() * terms.failureBurn) / Terms.BASIS_POINTS : 0);
    }

    /// @inheritdoc IFederation
    function rejoin(JobId job) external {
        Job storage live = _jobs[job];
        CycleId cycle = live.attempt.cycle;
        if (live.outcome != Phase.NONE) {
            revert Errors.Federation_WrongPhase(job, Phase.OPEN, live.outcome);
        }
        if (cycle.counter() == 0 || cycle.everybody() || !_isAbsent(job, cycle)) {
            revert Errors.Federation_NotAbsent(job, msg.sender);
        }

        live.rejoining = true;

        emit Rejoined(job, msg.sender);
    }

    /// @inheritdoc IFederation
    function stop(JobId job) external {
        Job storage live = _jobs[job];
        if (msg.sender != live.sponsor) revert Errors.Federation_NotSponsor(job, msg.sender);
        (Phase phase, Phase reached, ) = _clock(job, block.timestamp);
        if (live.outcome != Phase.NONE) revert Errors.Federation_WrongPhase(job, Phase.OPEN, phase);

        live.stopping = true;

        emit StopRequested(job);

        if (reached == Phase.ENROL) _end(job, Phase.CANCELLED);
        else if (!live.underway) _finish(job);
    }

    /// @inheritdoc IFederation
    function claimFees(JobId job, uint8 seat) external {
        Job storage live = _jobs[job];
        if (live.outcome == Phase.NONE) revert Errors.Federation_JobRunning(job);

        address member = live.seats[seat].member;
        _bookFees(job, seat, member);
        vault.claimFees(job, member);
    }

    /// @inheritdoc IFederation
    function publishKeys(JobId job, bytes32 digest) external {
        if (_jobs[job].outcome == Phase.NONE) {
            revert Errors.Federation_WrongPhase(job, Phase.COMPLETED, phaseAt(job, block.timestamp));
        }

        emit KeysPublished(job, msg.sender, digest);
    }

    /// @inheritdoc IFederation
    function announceKey(bytes32 key) external {
        emit KeyAnnounced(msg.sender, key);
    }
}
