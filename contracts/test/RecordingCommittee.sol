// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {CycleId, JobId} from "../interfaces/IFederation.sol";

/// @dev Serves only who asks as of one time: a test learns `asOf` by what `open` accepts.
contract RecordingCommittee is ICommittee {
    error WrongQuestion(uint256 asOf, bytes32 seed);

    address[] private _members;
    uint256 public expectedAsOf;

    constructor(address[] memory members) {
        _members = members;
    }

    function expect(uint256 asOf) external {
        expectedAsOf = asOf;
    }

    function select(JobId, CycleId, bytes32 seed, uint256 asOf) external view returns (address[] memory) {
        if (asOf != expectedAsOf) revert WrongQuestion(asOf, seed);
        return _members;
    }
}
