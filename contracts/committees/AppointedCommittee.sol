// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {JobId} from "../interfaces/IFederation.sol";
import {Refusals} from "../libraries/Refusals.sol";

/// @title Proof of authority: the same appointed members in every cycle
contract AppointedCommittee is ICommittee {
    address[] private _members; // ascending

    /// @param members in any order; as many as the job has seats
    constructor(address[] memory members) {
        uint256 number = members.length;
        if (number == 0 || number > 24) revert Refusals.Committee_WrongMembers(number);

        for (uint256 i = 1; i < number; ++i) {
            address member = members[i];
            uint256 place = i;
            for (; place > 0 && members[place - 1] > member; --place) members[place] = members[place - 1];
            members[place] = member;
        }

        address previous;
        for (uint256 i = 0; i < number; ++i) {
            if (members[i] <= previous) revert Refusals.Committee_WrongMembers(number);
            previous = members[i];
        }

        _members = members;
    }

    /// @inheritdoc ICommittee
    function select(JobId, uint256, bytes32, uint256) external view returns (address[] memory) {
        return _members;
    }
}
