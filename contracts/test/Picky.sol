// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IFederation, JobId} from "../interfaces/IFederation.sol";

/// @dev Ends something, opens a cycle in the same transaction, and undoes both unless it likes the committee.
contract Picky {
    error Unliked(uint256 seats);

    function tryBoth(IFederation federation, bytes calldata end, JobId job, address[] calldata own, uint256 wanted) external {
        if (end.length > 0) {
            (bool done, bytes memory why) = address(federation).call(end);
            if (!done) _bubble(why);
        }
        federation.open(job);

        address[] memory members = federation.stateAt(job, block.timestamp).committee;
        uint256 found;
        for (uint256 i = 0; i < members.length; ++i) {
            for (uint256 k = 0; k < own.length; ++k) if (members[i] == own[k]) ++found;
        }
        if (found < wanted) revert Unliked(found);
    }

    function _bubble(bytes memory why) private pure {
        assembly ("memory-safe") {
            revert(add(why, 32), mload(why))
        }
    }
}
