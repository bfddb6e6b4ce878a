// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {CycleId} from "../interfaces/IFederation.sol";
import {Leaf} from "../interfaces/IVault.sol";
import {Cycles} from "../libraries/Cycles.sol";
import {Leaves} from "../libraries/Leaves.sol";

/// @dev The hashes of the interfaces for any chain, federation and job: the vectors are about none that is deployed.
contract VectorHashes {
    using Cycles for CycleId;

    function cycleOf(bytes32 lastResult, bytes32 seed, uint256 counter, bool everybody) external pure returns (CycleId) {
        return Cycles.make(lastResult, seed, counter, everybody);
    }

    function partsOf(CycleId cycle) external pure returns (uint32 counter, bool everybody) {
        return (cycle.counter(), cycle.everybody());
    }

    function seedOf(bytes32 sheets, uint128 updates, bytes32 parent) external pure returns (bytes32) {
        return keccak256(abi.encode(sheets, updates, parent));
    }

    function updatesOf(uint128 updates, address trainer, bytes32 digest) external pure returns (uint128) {
        return uint128(uint256(keccak256(abi.encodePacked(updates, trainer, digest))));
    }

    function sheetsOf(bytes32 sheets, uint8 seat, bytes calldata sheet, bytes32 salt) external pure returns (bytes32) {
        return keccak256(abi.encode(sheets, seat, keccak256(sheet), salt));
    }

    function commitmentOf(
        uint256 chainId,
        address federation,
        uint256 job,
        uint64 cycle,
        address member,
        bytes calldata sheet,
        bytes32 salt
    ) external pure returns (bytes32) {
        return keccak256(abi.encode(chainId, federation, job, cycle, member, keccak256(sheet), salt));
    }

    function resultOf(
        uint256 chainId,
        address federation,
        uint256 job,
        uint64 cycle,
        uint128 updates,
        bytes32 sheets,
        bytes32 model,
        bytes32 rewards
    ) external pure returns (bytes32) {
        return keccak256(abi.encode(chainId, federation, job, cycle, updates, sheets, model, rewards));
    }

    function sealedOf(bytes32 resultHash, uint256 seat) external pure returns (uint192) {
        return uint192(uint256(keccak256(abi.encode(resultHash, seat))));
    }

    function rootOf(address trainer, Leaf calldata leaf, bytes32[] calldata proof) external pure returns (uint160) {
        return Leaves.rootOf(trainer, leaf, proof);
    }

    /// @dev What the vault's own would be with OpenZeppelin's library.
    function standardRootOf(
        address trainer,
        Leaf calldata leaf,
        bytes32[] calldata proof
    ) external pure returns (bytes32) {
        bytes32 inner = keccak256(abi.encode(trainer, leaf.pay, leaf.strike, leaf.reputation));
        return MerkleProof.processProofCalldata(proof, keccak256(bytes.concat(inner)));
    }
}
