// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PoolTerms} from "../interfaces/IStakedCommittee.sol";
import {Refusals} from "../libraries/Refusals.sol";
import {StakedCommittee} from "./StakedCommittee.sol";

/// @title Some members are appointed, and sit in every cycle; a pool fills the other seats
/// @dev An appointed account that has staked too is passed over where it is drawn: the next draw takes the seat.
contract HybridCommittee is StakedCommittee {
    constructor(PoolTerms memory terms, address[] memory members) StakedCommittee(terms) {
        if (members.length == 0 || members.length >= terms.maxSeats) {
            revert Refusals.Committee_WrongMembers(members.length);
        }
        _appoint(members);
    }
}
