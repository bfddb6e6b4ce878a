// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Refuses to move tokens to chosen accounts, as tokens with a deny list do.
contract FreezingToken is ERC20 {
    error Frozen(address account);

    mapping(address account => bool) public frozen;

    constructor(uint256 supply) ERC20("Freezing", "FRZ") {
        _mint(msg.sender, supply);
    }

    function setFrozen(address account, bool on) external {
        frozen[account] = on;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (frozen[to]) revert Frozen(to);
        super._update(from, to, value);
    }
}
