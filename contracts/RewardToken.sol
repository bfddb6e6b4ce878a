// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A token for test networks; a job may name any ERC-20
contract RewardToken is ERC20, ERC20Permit {
    /// @param supply minted to whoever deploys, in units of 1e-18
    constructor(uint256 supply) ERC20("Hansa Reward", "HANSA") ERC20Permit("Hansa Reward") {
        _mint(msg.sender, supply);
    }
}
