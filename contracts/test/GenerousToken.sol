// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Delivers one unit more than it was told to, while it gives.
contract GenerousToken is ERC20 {
    bool public giving;

    constructor(uint256 supply) ERC20("Generous", "GEN") {
        _mint(msg.sender, supply);
    }

    function setGiving(bool on) external {
        giving = on;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (giving) super._update(address(0), to, 1);
    }
}
