// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId, JobId, Phase} from "../interfaces/IFederation.sol";

/// @title Every reason why a call is refused
library Refusals {
    error Federation_WrongPhase(JobId jobId, Phase expected, Phase actual);
    /// @param expected the job's last cycle
    /// @param actual the one that the caller named
    error Federation_WrongCycle(JobId jobId, CycleId expected, CycleId actual);
    error Federation_WrongTerms(JobId jobId, bytes32 expected, bytes32 actual);
    error Federation_BondTooSmall(JobId jobId, uint96 minBond, uint96 bond);
    error Federation_AlreadyEnrolled(JobId jobId, address trainer);
    error Federation_NotEnrolled(JobId jobId, address trainer);
    error Federation_NotAdmitted(JobId jobId, address trainer);
    error Federation_AlreadySubmitted(JobId jobId, CycleId cycle, address trainer);
    error Federation_NotSeated(JobId jobId, uint8 seat, address account);
    error Federation_AlreadyActed(JobId jobId, CycleId cycle, uint8 seat);
    error Federation_NotCommitted(JobId jobId, CycleId cycle, uint8 seat);
    error Federation_NotRevealed(JobId jobId, CycleId cycle, uint8 seat);
    error Federation_WrongLength(JobId jobId, uint256 expected, uint256 actual);
    error Federation_WrongCommitment(JobId jobId, CycleId cycle, uint8 seat);
    /// @dev The seed that an update is sealed for isn't that of the cycle: the trainer's node showed it another.
    error Federation_WrongSeed(JobId jobId, bytes32 expected, bytes32 actual);
    error Federation_WrongSheets(JobId jobId, bytes32 expected, bytes32 actual);
    /// @dev A result without a model can't pay.
    error Federation_BadResult(JobId jobId, CycleId cycle);
    /// @dev A cycle opens later than the second in which ENROL, the last cycle or the last OPEN ended.
    error Federation_TooEarly(JobId jobId, uint256 from);
    error Federation_NoQuorum(JobId jobId, CycleId cycle, uint256 matched, uint256 quorum);
    /// @dev The committee contract failed, or didn't answer with exactly the job's number of seats, strictly ascending.
    error Federation_BadCommittee(JobId jobId, address committee);
    error Federation_NotSponsor(JobId jobId, address account);
    /// @dev Only who is enrolled or seated, and isn't waited for already, can ask to be waited for.
    error Federation_NotAbsent(JobId jobId, address account);
    /// @dev Not what `account` signed for this chain and this contract; a contract can't sign.
    error Federation_WrongSignature(JobId jobId, address account);
    error Federation_SignatureExpired(JobId jobId, uint256 deadline);
    error Federation_JobRunning(JobId jobId);
    /// @dev The caller must pass so much gas that `needed` of it reaches the called contract.
    error Federation_TooLittleGas(uint256 needed);

    error Terms_PhaseOutOfBounds(Phase phase, uint256 time);
    error Terms_SlashTimeOutOfBounds(uint256 slashTime, uint256 claimTime);
    error Terms_TooLong(uint256 time);
    error Terms_SeatsOutOfBounds(uint256 seats);
    error Terms_QuorumOutOfBounds(uint256 quorum, uint256 seats);
    error Terms_ThresholdOutOfBounds(uint256 threshold, uint256 seats);
    error Terms_TrainersOutOfBounds(uint256 maxTrainers);
    error Terms_UpdatesOutOfBounds(uint256 minUpdates, uint256 maxTrainers);
    error Terms_RoundsOutOfBounds(uint256 maxRounds);
    error Terms_FailuresOutOfBounds(uint256 maxFailures);
    error Terms_BurnOutOfBounds(uint256 failureBurn);
    error Terms_NoBond();
    error Terms_EscrowTooSmall(uint256 escrow, uint256 fullRound);
    error Terms_NotAContract(address account);

    error Vault_NotFederation(address account);
    error Vault_TokenTakesFees(address token, uint256 expected, uint256 received);
    error Vault_AmountTooLarge(uint256 amount);
    error Vault_JobRunning(JobId jobId);
    error Vault_TooEarly(JobId jobId, uint256 from);
    error Vault_TooLate(JobId jobId, uint256 until);
    error Vault_InvalidProof(JobId jobId, uint256 round, address trainer);

    /// @dev Between 1 and 24 different accounts.
    error Committee_WrongMembers(uint256 number);
    /// @dev The pool's own terms make no sense.
    error Committee_WrongTerms();
    /// @dev The job's sponsor, spec or terms aren't what the pool serves.
    error Committee_NotServed(JobId jobId);
    /// @dev Fewer stakers than seats, as of the time that counts.
    error Committee_PoolTooSmall(JobId jobId, uint256 seats);
    error Committee_PoolFull();
    error Committee_LeafTaken(uint256 leaf, address account);
    error Committee_NoKey(address account);
    error Committee_StakeTooSmall(uint256 minimum, uint256 staked);
    error Committee_NotStaked(address account, uint256 staked, uint256 amount);
    error Committee_TooEarly(address account, uint256 from);
    /// @dev The links don't lead to the job's history: one is wrong, or missing because the job has gone on.
    error Committee_WrongHistory(JobId jobId, bytes32 expected, bytes32 actual);
    error Committee_WrongWords(bytes32 expected);
    /// @dev The payload shown isn't the end of a cycle.
    error Committee_NotACycle(JobId jobId);
    error Committee_NotSampled(JobId jobId, uint8 seat);
    error Committee_NotAtFault(JobId jobId, uint8 seat);
    error Committee_AlreadyReported(JobId jobId, bytes32 seed, uint8 seat);
}
