// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A seat's vote in one word: 192 bits of the sealed vote, above them the metric
library Votes {
    function make(uint192 sealedVote, int64 metric) internal pure returns (uint256) {
        return (uint256(uint64(metric)) << 192) | sealedVote;
    }

    function isFor(uint256 word, bytes32 resultHash, uint256 seat) internal pure returns (bool) {
        return uint192(word) == uint192(uint256(keccak256(abi.encode(resultHash, seat))));
    }

    function metricOf(uint256 word) internal pure returns (int64) {
        return int64(uint64(word >> 192));
    }
}
