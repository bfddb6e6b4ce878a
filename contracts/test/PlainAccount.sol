// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev The least account that outlives its key: who holds the key acts through it, and it, or whoever guards it, names
/// another key.
contract PlainAccount {
    error NotAllowed(address account);

    address public owner;
    address public immutable guardian;

    constructor(address owner_, address guardian_) {
        owner = owner_;
        guardian = guardian_;
    }

    function execute(address to, bytes calldata data) external returns (bytes memory) {
        if (msg.sender != owner) revert NotAllowed(msg.sender);
        (bool success, bytes memory answer) = to.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }

    function setOwner(address next) external {
        if (msg.sender != owner && msg.sender != guardian) revert NotAllowed(msg.sender);
        owner = next;
    }
}
