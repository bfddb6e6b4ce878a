// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CycleId} from "../interfaces/IFederation.sol";

/// @title The name of an attempt: the seed's low 40 bits, a counter (23 bits), "everybody is due" (1 bit)
library Cycles {
    uint256 private constant COUNTER_MASK = (1 << 23) - 1;

    /// @param count of the job's opened cycles, this one included
    function make(bytes32 seed, uint256 count, bool everybodyDue) internal pure returns (CycleId) {
        return CycleId.wrap(uint64((uint256(seed) << 24) | (count << 1) | (everybodyDue ? 1 : 0)));
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
