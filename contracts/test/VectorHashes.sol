// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {CycleId, Phase} from "../interfaces/IFederation.sol";
import {Leaf} from "../interfaces/IVault.sol";
import {Board, Boards} from "../libraries/Boards.sol";
import {Cycles} from "../libraries/Cycles.sol";
import {Leaves} from "../libraries/Leaves.sol";
import {Votes} from "../libraries/Votes.sol";

/// @dev The hashes of the interfaces for any chain, federation and job: the vectors are about none that is deployed.
contract VectorHashes {
    using Boards for Board;
    using Cycles for CycleId;
    using Votes for uint256;

    function cycleOf(bytes32 seed, uint256 counter, bool everybody) external pure returns (CycleId) {
        return Cycles.make(seed, counter, everybody);
    }

    function partsOf(CycleId cycle) external pure returns (uint32 counter, bool everybody) {
        return (cycle.counter(), cycle.everybody());
    }

    function drawOf(
        uint256 chainId,
        address federation,
        uint256 job,
        bytes32 sheets,
        uint128 updates,
        bytes32 randomness
    ) external pure returns (bytes32) {
        return keccak256(abi.encode(chainId, federation, job, sheets, updates, randomness));
    }

    function linkOf(bytes32 history, bytes32 payload) external pure returns (bytes32) {
        return keccak256(abi.encode(history, payload));
    }

    function openedOf(
        bytes32 draw,
        address[] calldata committee,
        bytes32[] calldata keys
    ) external pure returns (bytes32) {
        return keccak256(abi.encode(draw, committee, keys));
    }

    function finalisedOf(
        bytes32 resultHash,
        Board board,
        bytes32 words,
        uint32 time
    ) external pure returns (bytes32) {
        return keccak256(abi.encode(resultHash, board.bitmaps(), words, time));
    }

    function failedOf(
        CycleId cycle,
        uint128 updates,
        bytes32 sheets,
        Board board,
        bytes32 words,
        Phase reached,
        uint256 burn,
        uint32 time
    ) external pure returns (bytes32) {
        return keccak256(abi.encode(cycle, updates, sheets, board.bitmaps(), words, reached, burn, time));
    }

    function lapsedOf(uint32 time) external pure returns (bytes32) {
        return keccak256(abi.encode(Phase.OPEN, time));
    }

    function updatesOf(uint128 updates, address trainer, bytes32 digest) external pure returns (uint128) {
        return uint128(uint256(keccak256(abi.encodePacked(updates, trainer, digest))));
    }

    function attestsOf(bytes32 sheets, uint8 seat, bytes calldata bitmap) external pure returns (bytes32) {
        return keccak256(abi.encode(sheets, seat, keccak256(bitmap)));
    }

    function releasesOf(bytes32 sheets, uint8 seat, bytes32 digest) external pure returns (bytes32) {
        return keccak256(abi.encode(sheets, seat, digest));
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

    function isFor(uint256 word, bytes32 resultHash, uint256 seat) external pure returns (bool) {
        return word.isFor(resultHash, seat);
    }

    function wordOf(uint192 sealedVote, int64 metric) external pure returns (uint256) {
        return Votes.make(sealedVote, metric);
    }

    function metricOf(uint256 word) external pure returns (int64) {
        return word.metricOf();
    }

    function wordsOf(uint256[] calldata words) external pure returns (bytes32) {
        return keccak256(abi.encodePacked(words));
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
