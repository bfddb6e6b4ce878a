// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../interfaces/IFederation.sol";
import {PoolTerms, Stake} from "../interfaces/IStakedCommittee.sol";
import {StakedCommittee} from "../committees/StakedCommittee.sol";

/// @dev A pool that fills itself with accounts that paid nothing, to be measured. Their addresses are their leaves + 2^16.
contract FilledPool is StakedCommittee {
    uint256 private constant FIRST_ACCOUNT = 1 << 16;

    constructor(PoolTerms memory terms) StakedCommittee(terms) {}

    /// @param units of each new account, from the next leaf on
    function fill(uint96[] calldata units) external {
        for (uint256 i = 0; i < units.length; ++i) {
            address account = address(uint160(FIRST_ACCOUNT + leafCount));
            Stake storage own = _stakes[account];
            own.staked = units[i] * this.poolTerms().unit;
            own.leaf = _giveLeaf(account, type(uint256).max);
            _weigh(own);
        }
    }

    /// @notice Some accounts of chance stake one unit more.
    function churn(uint256 luck, uint256 changes) external {
        uint96 unit = this.poolTerms().unit;
        for (uint256 i = 0; i < changes; ++i) {
            Stake storage own = _stakes[_leaves[uint256(keccak256(abi.encode(luck, i))) % leafCount].account];
            own.staked += unit;
            _weigh(own);
        }
    }

    /// @notice Leaves are emptied without anybody's unstaking.
    function empty(uint256 first, uint256 count) external {
        for (uint256 leaf = first; leaf < first + count; ++leaf) {
            Stake storage own = _stakes[_leaves[leaf].account];
            own.staked = 0;
            _weigh(own);
        }
    }

    /// @notice As a report would.
    function slash(address account) external {
        _burn(account);
    }

    /// @return counts how often each leaf's account is drawn, over as many cycles from `first` on
    function tally(
        JobId job,
        uint256 first,
        uint256 cycles,
        uint256 asOf
    ) external view returns (uint256[] memory counts) {
        counts = new uint256[](leafCount);
        for (uint256 counter = first; counter < first + cycles; ++counter) {
            address[] memory members = this.select(job, counter, keccak256(abi.encode(counter)), asOf);
            for (uint256 i = 0; i < members.length; ++i) ++counts[uint160(members[i]) - FIRST_ACCOUNT];
        }
    }

    /// @return what `select` costs
    function gasOf(JobId job, uint256 counter, uint256 asOf) external view returns (uint256) {
        bytes32 draw = keccak256(abi.encode(counter));
        uint256 had = gasleft();
        this.select(job, counter, draw, asOf);
        return had - gasleft();
    }
}
