// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId} from "../interfaces/IFederation.sol";

/// @title The name of an attempt: history (40 bits), counter (23 bits), "everybody is due" (1 bit)
library Cycles {
    uint256 private constant COUNTER_MASK = (1 << 23) - 1;

    /// @param lastResult hash of the last finalised cycle's result, 0 at first
    function make(
        bytes32 lastResult,
        bytes32 seed,
        uint256 count,
        bool everybodyDue
    ) internal pure returns (CycleId) {
        uint256 history = uint256(keccak256(abi.encode(lastResult, seed, count)));
        return CycleId.wrap(uint64((history << 24) | (count << 1) | (everybodyDue ? 1 : 0)));
    }

    function counter(CycleId cycle) internal pure returns (uint32) {
        return uint32((CycleId.unwrap(cycle) >> 1) & COUNTER_MASK);
    }

    function everybody(CycleId cycle) internal pure returns (bool) {
        return CycleId.unwrap(cycle) & 1 == 1;
    }

    function isSame(CycleId cycle, CycleId other) internal pure returns (bool) {
        return CycleId.unwrap(cycle) == CycleId.unwrap(other);
    }
}
