// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "./IFederation.sol";

/// @title Who may train
interface IAdmission {
    /// @dev Asked by staticcall with 300k gas at `enrol`, and with empty data at `submit` where the terms say so.
    /// No withdrawal ever asks.
    function admits(JobId job, address account, bytes calldata data) external view returns (bool);
}
