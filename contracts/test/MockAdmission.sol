// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdmission} from "../interfaces/IAdmission.sol";
import {JobId} from "../interfaces/IFederation.sol";

/// @dev Admits who is not refused; or misbehaves.
contract MockAdmission is IAdmission {
    enum Mode {
        HONEST,
        REVERT,
        NOTHING, // returns no bytes
        TWO, // returns 2, which is no bool
        BURN, // uses all gas
        HUGE, // returns 100 kB of ones
        ANSWERING_REVERT // reverts with an honest answer
    }

    error Unwilling();

    Mode public mode;
    mapping(address account => bool) public refused;
    bytes32 public wanted; // hash of the data that is asked for; 0: any

    function setMode(Mode next) external {
        mode = next;
    }

    function setRefused(address account, bool on) external {
        refused[account] = on;
    }

    function setWanted(bytes32 hash) external {
        wanted = hash;
    }

    function admits(JobId, address account, bytes calldata data) external view returns (bool) {
        Mode current = mode;
        if (current == Mode.REVERT) revert Unwilling();
        if (current == Mode.BURN) while (true) account = address(uint160(uint256(keccak256(abi.encode(account)))));
        if (current != Mode.HONEST) _misbehave(current);
        return !refused[account] && (wanted == 0 || keccak256(data) == wanted);
    }

    function _misbehave(Mode current) private pure {
        assembly ("memory-safe") {
            switch current
            case 2 {
                return(0, 0)
            }
            case 3 {
                mstore(0, 2)
                return(0, 32)
            }
            case 5 {
                let at := mload(0x40)
                mstore(at, 1)
                return(at, 100000)
            }
            case 6 {
                mstore(0, 1)
                revert(0, 32)
            }
        }
    }
}
