// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdmission} from "../interfaces/IAdmission.sol";
import {JobId} from "../interfaces/IFederation.sol";

/// @title Everybody may train
contract OpenAdmission is IAdmission {
    /// @inheritdoc IAdmission
    function admits(JobId, address, bytes calldata) external pure returns (bool) {
        return true;
    }
}
