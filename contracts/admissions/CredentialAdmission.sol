// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdmission} from "../interfaces/IAdmission.sol";
import {ICredentials} from "../interfaces/ICredentials.sol";
import {JobId} from "../interfaces/IFederation.sol";
import {IdentityRefusals} from "../libraries/IdentityRefusals.sol";

/// @title Who has a valid credential of one of these issuers may train
contract CredentialAdmission is IAdmission {
    uint256 private constant MOST = 16; // issuers, so that an answer stays within its gas

    ICredentials public immutable credentials;
    bytes32 public immutable schema;

    address[] private _issuers;

    constructor(ICredentials credentials_, bytes32 schema_, address[] memory issuers_) {
        if (issuers_.length == 0 || issuers_.length > MOST) revert IdentityRefusals.Admission_WrongNumber(issuers_.length);

        credentials = credentials_;
        schema = schema_;
        _issuers = issuers_;
    }

    /// @inheritdoc IAdmission
    function admits(JobId, address account, bytes calldata) external view returns (bool) {
        for (uint256 i = 0; i < _issuers.length; ++i) {
            if (credentials.isValid(_issuers[i], schema, account)) return true;
        }
        return false;
    }

    function issuers() external view returns (address[] memory) {
        return _issuers;
    }
}
