// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobTerms, Phase} from "../interfaces/IFederation.sol";

/// @dev One slot: bitmaps of 24 seats (due, attested, released, committed, revealed, voted), then how long each of the
/// five phases from ATTEST to VOTE lasts, 22 bits each: its time in the terms, or less once it has closed early.
type Board is uint256;

/// @title What the committee has done in a cycle, and when its phases end
library Boards {
    uint256 private constant BITMAP = (1 << 24) - 1;
    uint256 private constant SPAN = (1 << 22) - 1; // seconds; holds the longest phase, 30 days
    uint256 private constant SPANS_AT = 6 * 24;

    function open(uint24 dueSeats, JobTerms storage terms) internal view returns (Board) {
        uint256 spans = uint256(terms.attestTime) |
            (uint256(terms.releaseTime) << 22) |
            (uint256(terms.scoreTime) << 44) |
            (uint256(terms.revealTime) << 66) |
            (uint256(terms.voteTime) << 88);
        return Board.wrap(dueSeats | (spans << SPANS_AT));
    }

    function due(Board board) internal pure returns (uint24) {
        return uint24(Board.unwrap(board) & BITMAP);
    }

    /// @return the six bitmaps, without the spans
    function bitmaps(Board board) internal pure returns (uint144) {
        return uint144(Board.unwrap(board));
    }

    /// @return bitmap of the seats that have acted in a phase
    function acted(Board board, Phase phase) internal pure returns (uint24) {
        return uint24((Board.unwrap(board) >> _bitmapAt(phase)) & BITMAP);
    }

    /// @return bitmap of the seats that a phase waits for; in REVEAL and VOTE also of those that may act
    function awaited(Board board, Phase phase) internal pure returns (uint24) {
        if (phase == Phase.REVEAL) return acted(board, Phase.SCORE);
        if (phase == Phase.VOTE) return acted(board, Phase.REVEAL);
        return due(board);
    }

    /// @return how long a phase lasts, in seconds
    function span(Board board, Phase phase) internal pure returns (uint256) {
        return (Board.unwrap(board) >> _spanAt(phase)) & SPAN;
    }

    function mark(Board board, Phase phase, uint8 seat) internal pure returns (Board) {
        return Board.wrap(Board.unwrap(board) | (1 << (_bitmapAt(phase) + seat)));
    }

    function close(Board board, Phase phase, uint256 time) internal pure returns (Board) {
        uint256 at = _spanAt(phase);
        return Board.wrap((Board.unwrap(board) & ~(SPAN << at)) | (time << at));
    }

    function has(uint24 seats, uint256 seat) internal pure returns (bool) {
        return (seats >> seat) & 1 == 1;
    }

    /// @dev Adds neighbouring bits, then pairs, then fours; the product sums the three bytes.
    function count(uint24 seats) internal pure returns (uint256 number) {
        unchecked {
            number = seats - ((uint256(seats) >> 1) & 0x555555);
            number = (number & 0x333333) + ((number >> 2) & 0x333333);
            number = (number + (number >> 4)) & 0x0f0f0f;
            return ((number * 0x010101) >> 16) & 0xff;
        }
    }

    function _bitmapAt(Phase phase) private pure returns (uint256) {
        return 24 * (uint256(phase) - uint256(Phase.SUBMIT));
    }

    function _spanAt(Phase phase) private pure returns (uint256) {
        return SPANS_AT + 22 * (uint256(phase) - uint256(Phase.ATTEST));
    }
}
