// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Calls back in the middle of the next transfer, once, and goes on whether or not that worked.
contract ReentrantToken is ERC20 {
    address public target;
    bytes public data;
    bool public called;
    bool public succeeded;
    bytes public answer;

    constructor(uint256 supply) ERC20("Reentrant", "RE") {
        _mint(msg.sender, supply);
    }

    function arm(address to, bytes calldata call) external {
        target = to;
        data = call;
        called = false;
        succeeded = false;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (target == address(0) || from == address(0)) return;

        address armed = target;
        target = address(0);
        called = true;
        (succeeded, answer) = armed.call(data);
    }
}
