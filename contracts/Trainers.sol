// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId, IFederation, JobId, JobTerms, Phase} from "./interfaces/IFederation.sol";
import {Cycles} from "./libraries/Cycles.sol";
import {Refusals} from "./libraries/Refusals.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {UntrustedCalls} from "./libraries/UntrustedCalls.sol";
import {Steps} from "./Steps.sol";

/// @title What trainers do, whether they send it themselves or sign it and anybody sends it
abstract contract Trainers is Steps {
    using Cycles for CycleId;

    /// @inheritdoc IFederation
    function enrolFor(
        JobId job,
        bytes32 termsHash,
        uint96 bond,
        bytes calldata data,
        uint256 deadline,
        address account,
        bytes calldata signature
    ) external {
        if (block.timestamp > deadline) revert Refusals.Federation_SignatureExpired(job, deadline);
        Signatures.check(job, Signatures.enrol(job, termsHash, bond, data, deadline), account, signature);

        _enrol(job, termsHash, bond, data, account);
    }

    /// @inheritdoc IFederation
    function submitFor(
        JobId job,
        CycleId cycle,
        bytes32 seed,
        bytes32 digest,
        address account,
        bytes calldata signature
    ) external {
        Signatures.check(job, Signatures.submit(job, cycle, seed, digest), account, signature);

        _submit(job, cycle, seed, digest, account);
    }

    /// @inheritdoc IFederation
    function rejoinFor(JobId job, CycleId cycle, address account, bytes calldata signature) external {
        Signatures.check(job, Signatures.rejoin(job, cycle), account, signature);

        _rejoin(job, cycle, account);
    }

    function _enrol(JobId job, bytes32 termsHash, uint96 bond, bytes calldata data, address trainer) internal {
        _requirePhase(job, Phase.ENROL);
        Job storage live = _jobs[job];
        JobTerms storage terms = _terms[job];
        if (termsHash != live.termsHash) revert Refusals.Federation_WrongTerms(job, live.termsHash, termsHash);
        if (bond < terms.minBond) revert Refusals.Federation_BondTooSmall(job, terms.minBond, bond);
        if (live.trainers[trainer].enrolled) revert Refusals.Federation_AlreadyEnrolled(job, trainer);
        if (!UntrustedCalls.admits(terms.admission, job, trainer, data)) {
            revert Refusals.Federation_NotAdmitted(job, trainer);
        }

        live.trainers[trainer] = Enrolment(true, terms.recheckAdmission, 0, bond);
        live.roster[live.enrolled] = trainer;
        if (++live.enrolled == terms.maxTrainers) _setEnrolEnd(live, block.timestamp);

        emit TrainerEnrolled(job, trainer, bond);

        vault.bond(job, trainer, bond);
    }

    function _submit(JobId job, CycleId cycle, bytes32 seed, bytes32 digest, address trainer) internal {
        Job storage live = _jobs[job];
        Attempt memory attempt = live.attempt;
        _requireCycle(job, attempt.cycle, cycle);
        if (block.timestamp >= attempt.deadline) {
            revert Refusals.Federation_WrongPhase(job, Phase.SUBMIT, phaseAt(job, block.timestamp));
        }
        if (seed != live.sheets) revert Refusals.Federation_WrongSeed(job, live.sheets, seed);
        Enrolment memory enrolment = live.trainers[trainer];
        uint32 counter = cycle.counter();
        if (!enrolment.enrolled) revert Refusals.Federation_NotEnrolled(job, trainer);
        if (enrolment.counter == counter) revert Refusals.Federation_AlreadySubmitted(job, cycle, trainer);
        if (enrolment.recheckAdmission && !UntrustedCalls.admits(_terms[job].admission, job, trainer, "")) {
            revert Refusals.Federation_NotAdmitted(job, trainer);
        }

        bool due = cycle.everybody() || enrolment.counter + 1 == counter;
        live.trainers[trainer].counter = counter;
        attempt.updates = uint128(uint256(keccak256(abi.encodePacked(attempt.updates, trainer, digest))));
        ++attempt.submitted;
        if (due && --attempt.pending == 0) attempt.deadline = uint32(block.timestamp);
        live.attempt = attempt;

        emit UpdateSubmitted(job, cycle, trainer, digest);
    }

    function _rejoin(JobId job, CycleId cycle, address account) internal {
        Job storage live = _jobs[job];
        _requireCycle(job, live.attempt.cycle, cycle);
        if (live.outcome != Phase.NONE) {
            revert Refusals.Federation_WrongPhase(job, Phase.OPEN, live.outcome);
        }
        if (cycle.counter() == 0 || cycle.everybody() || !_isAbsent(job, cycle, account)) {
            revert Refusals.Federation_NotAbsent(job, account);
        }

        live.rejoining = true;

        emit Rejoined(job, account);
    }
}
