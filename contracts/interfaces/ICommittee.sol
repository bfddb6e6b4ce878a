// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "./IFederation.sol";

/// @title Who sits on a cycle's committee
interface ICommittee {
    /// @notice The members for one cycle.
    /// @dev Asked by staticcall with 3M gas; at most 832 bytes of the answer are read. An answer that isn't exactly the
    /// job's number of seats, strictly ascending, reverts `open`.
    /// @param counter of the job's opened cycles, the one that is drawn for included
    /// @param draw what nobody could choose: the same in every job only by chance
    /// @param asOf time as of which stakes count: when the previous cycle opened; for the first cycle when ENROL ended,
    /// which may be this very second, so a stake that changed at `asOf` itself must not count
    function select(
        JobId job,
        uint256 counter,
        bytes32 draw,
        uint256 asOf
    ) external view returns (address[] memory);
}
