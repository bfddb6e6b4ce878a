// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ending, Opening} from "../interfaces/IStakedCommittee.sol";
import {CycleId, JobId, Phase} from "../interfaces/IFederation.sol";
import {Board, Boards} from "./Boards.sol";
import {Refusals} from "./Refusals.sol";
import {Votes} from "./Votes.sol";

/// @title What a member of a committee did in a cycle, proven by the links of its job's `history`
library Faults {
    using Boards for Board;
    using Boards for uint24;
    using Votes for uint256;

    uint256 private constant FINALISED = 4 * 32; // bytes of a payload
    uint256 private constant FAILED = 8 * 32;

    /// @param history of the job now, which the links must lead to
    /// @return seed of the cycle that the links show
    function seedOf(
        JobId job,
        bytes32 history,
        bytes32 before,
        Opening calldata opened,
        Ending calldata ended,
        bytes32[] calldata later
    ) internal pure returns (bytes32 seed) {
        seed = _link(before, keccak256(abi.encode(opened.draw, opened.committee, opened.keys)));
        bytes32 word = _link(seed, keccak256(ended.payload));
        for (uint256 i = 0; i < later.length; ++i) word = _link(word, later[i]);
        if (word != history) revert Refusals.Committee_WrongHistory(job, history, word);
    }

    /// @return whether the seat was absent where it was due, hid what it had committed to, or voted against what a quorum
    /// agreed on; never because it didn't vote, or because of a cycle that too few trainers took part in
    function isAtFault(
        address federation,
        JobId job,
        uint256 seat,
        Ending calldata ended
    ) internal view returns (bool) {
        if (ended.payload.length == FINALISED) {
            (bytes32 resultHash, uint144 bitmaps, bytes32 words, ) = abi.decode(
                ended.payload,
                (bytes32, uint144, bytes32, uint32)
            );
            Board finished = Board.wrap(bitmaps);
            return _wasAbsent(finished, seat, Phase.FINALIZE) || _votedOther(finished, seat, resultHash, words, ended);
        }
        if (ended.payload.length != FAILED) revert Refusals.Committee_NotACycle(job);
        return _failed(federation, job, seat, ended);
    }

    function _failed(address federation, JobId job, uint256 seat, Ending calldata ended) private view returns (bool) {
        (
            CycleId cycle,
            uint128 updates,
            bytes32 sheets,
            uint144 bitmaps,
            bytes32 words,
            Phase reached,
            ,

        ) = abi.decode(ended.payload, (CycleId, uint128, bytes32, uint144, bytes32, Phase, uint256, uint32));
        Board board = Board.wrap(bitmaps);
        if (_wasAbsent(board, seat, reached)) return true;
        if (reached != Phase.VOTE || words == 0) return false;

        bytes32 nothing = keccak256(
            abi.encode(block.chainid, federation, job, cycle, updates, sheets, bytes32(0), bytes32(0))
        );
        return _votedOther(board, seat, nothing, words, ended);
    }

    /// @param reached the phase that ran out; FINALIZE where all before it are over
    function _wasAbsent(Board board, uint256 seat, Phase reached) private pure returns (bool) {
        if (reached < Phase.ATTEST) return false;
        bool due = board.due().has(seat);
        if (reached < Phase.SCORE) return due && !board.acted(reached).has(seat);
        bool committed = board.acted(Phase.SCORE).has(seat);
        if (due && !committed) return true;
        return reached > Phase.SCORE && committed && !board.acted(Phase.REVEAL).has(seat);
    }

    /// @param words hash of the votes, which `ended.words` must have; nobody asks for them where the seat has no vote
    function _votedOther(
        Board board,
        uint256 seat,
        bytes32 resultHash,
        bytes32 words,
        Ending calldata ended
    ) private pure returns (bool) {
        if (!board.acted(Phase.VOTE).has(seat)) return false;
        if (keccak256(abi.encodePacked(ended.words)) != words) revert Refusals.Committee_WrongWords(words);
        return !ended.words[seat].isFor(resultHash, seat);
    }

    function _link(bytes32 history, bytes32 payload) private pure returns (bytes32) {
        return keccak256(abi.encode(history, payload));
    }
}
