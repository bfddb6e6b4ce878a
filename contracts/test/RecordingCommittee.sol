// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {JobId} from "../interfaces/IFederation.sol";

/// @dev Serves only who asks as of one time: a test learns `asOf` by what `open` accepts.
contract RecordingCommittee is ICommittee {
    error WrongQuestion(uint256 asOf, uint256 counter, bytes32 draw);

    address[] private _members;
    uint256 public expectedAsOf;

    constructor(address[] memory members) {
        _members = members;
    }

    function expect(uint256 asOf) external {
        expectedAsOf = asOf;
    }

    function select(JobId, uint256 counter, bytes32 draw, uint256 asOf) external view returns (address[] memory) {
        if (asOf != expectedAsOf) revert WrongQuestion(asOf, counter, draw);
        return _members;
    }
}
