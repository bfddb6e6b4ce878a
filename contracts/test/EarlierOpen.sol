// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {JobId} from "../interfaces/IFederation.sol";

/// @dev How `open` once drew, and in which second it could be called: a committee chosen by the order of reveals, or by
/// whoever ends a cycle and opens the next in one transaction, or by who builds the parent block. It keeps no job.
contract EarlierOpen {
    enum Rule {
        SHEETS, // by the sheets alone, which the order of reveals changes
        PARENT // by the parent's hash, in the very second in which the last cycle ended
    }

    ICommittee private immutable _committee;
    Rule private immutable _rule;
    uint256 public since;
    address[] public members;

    error Unliked();

    constructor(ICommittee committee, Rule rule) {
        (_committee, _rule) = (committee, rule);
    }

    function end() external {
        since = block.timestamp;
    }

    function open(JobId job, bytes32 sheets) external {
        bytes32 seed = _rule == Rule.SHEETS
            ? keccak256(abi.encode(sheets))
            : keccak256(abi.encode(sheets, blockhash(block.number - 1)));
        members = _committee.select(job, 1, seed, block.timestamp);
    }

    /// @notice What an attacker sends: end and open in one, undone unless its accounts get so many seats.
    function endAndOpen(JobId job, bytes32 sheets, address[] calldata own, uint256 wanted) external {
        this.end();
        this.open(job, sheets);
        uint256 found;
        for (uint256 i = 0; i < members.length; ++i) {
            for (uint256 k = 0; k < own.length; ++k) if (members[i] == own[k]) ++found;
        }
        if (found < wanted) revert Unliked();
    }
}
