// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {IFederation, JobId} from "../interfaces/IFederation.sol";
import {Refusals} from "../libraries/Refusals.sol";

/// @title Fully coupled: every cycle draws its members from the job's own trainers, each as likely as any other
/// @dev Serves any federation that asks. Whoever asks off chain calls from that federation's address. `asOf` doesn't matter:
/// the list of trainers is closed when ENROL ends.
contract TrainerCommittee is ICommittee {
    /// @inheritdoc ICommittee
    function select(
        JobId job,
        uint256 counter,
        bytes32 draw,
        uint256
    ) external view returns (address[] memory members) {
        IFederation federation = IFederation(msg.sender);
        uint256 seats = federation.termsOf(job).seats;
        uint256 enrolled = federation.stateAt(job, block.timestamp).enrolled;
        if (seats >= enrolled) revert Refusals.Committee_PoolTooSmall(job, seats);

        uint256[] memory drawn = new uint256[](seats); // indices, ascending
        members = new address[](seats);
        for (uint256 n = 0; n < seats; ++n) {
            uint256 index = uint256(keccak256(abi.encode(msg.sender, job, counter, draw, n))) % (enrolled - n);
            uint256 place;
            for (; place < n && index >= drawn[place]; ++place) ++index;
            for (uint256 i = n; i > place; --i) drawn[i] = drawn[i - 1];
            drawn[place] = index;

            address member = federation.trainerAt(job, index);
            for (place = n; place > 0 && members[place - 1] > member; --place) members[place] = members[place - 1];
            members[place] = member;
        }
    }
}
