// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IAdmission} from "../interfaces/IAdmission.sol";
import {IFederation, JobId} from "../interfaces/IFederation.sol";
import {Leaf} from "../interfaces/IVault.sol";
import {IdentityRefusals} from "../libraries/IdentityRefusals.sol";

/// @title Who earned enough reputation in one of these jobs may train
/// @notice Whoever enrols shows, as data, abi.encode(job, leaf, proof): its leaf of the last round that the job has
/// finalised. A job's committee decides its reputations, so only jobs whose committees the sponsor trusts are named.
contract ReputationAdmission is IAdmission {
    uint256 private constant MOST = 16; // jobs

    IFederation public immutable federation;
    uint256 public immutable minimum; // of reputation, 0…10⁶

    JobId[] private _jobs;

    constructor(IFederation federation_, uint256 minimum_, JobId[] memory jobs_) {
        if (jobs_.length == 0 || jobs_.length > MOST) revert IdentityRefusals.Admission_WrongNumber(jobs_.length);

        federation = federation_;
        minimum = minimum_;
        _jobs = jobs_;
    }

    /// @inheritdoc IAdmission
    /// @dev Only the federation is told so. Without data it asks at `submit`: of who is enrolled already.
    function admits(JobId job, address account, bytes calldata data) external view returns (bool) {
        if (msg.sender != address(federation)) return false;
        if (data.length == 0) {
            (bool enrolled, , ) = federation.trainerOf(job, account);
            return enrolled;
        }

        (JobId earlier, Leaf memory leaf, bytes32[] memory proof) = abi.decode(data, (JobId, Leaf, bytes32[]));
        if (leaf.reputation < minimum || !_isNamed(earlier)) return false;

        uint160 root = _lastRoot(earlier);
        bytes32 hash = keccak256(
            bytes.concat(keccak256(abi.encode(account, leaf.pay, leaf.strike, leaf.reputation)))
        );
        return root != 0 && uint160(uint256(MerkleProof.processProof(proof, hash))) == root;
    }

    function jobs() external view returns (JobId[] memory) {
        return _jobs;
    }

    /// @return root low 160 bits of the rewards root of the job's last finalised round; 0 for none
    function _lastRoot(JobId job) private view returns (uint160 root) {
        uint16 round = federation.stateAt(job, block.timestamp).round; // the one that comes after it
        if (round > 1) (root, ) = federation.vault().roundOf(job, round - 1);
    }

    function _isNamed(JobId job) private view returns (bool) {
        for (uint256 i = 0; i < _jobs.length; ++i) {
            if (JobId.unwrap(_jobs[i]) == JobId.unwrap(job)) return true;
        }
        return false;
    }
}
