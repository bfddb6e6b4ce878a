// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {JobId} from "../interfaces/IFederation.sol";

/// @dev A committee that answers what it is told to, in order or not, or misbehaves. Its mode can change at any time.
contract MockCommittee is ICommittee {
    enum Mode {
        HONEST,
        REVERT,
        NOTHING, // returns no bytes
        GARBAGE, // returns 832 bytes of noise
        BURN, // uses all gas
        HUGE, // returns 100 kB that begin with an honest answer
        DIRTY, // an address with high bits set
        LONG_REVERT, // reverts with 100 kB
        DIRTY_LAST, // the first member again at the end, with high bits set: it still ascends
        ANSWERING_REVERT, // reverts with an honest answer
        THIRSTY // answers only where all of its gas arrives
    }

    error Unwilling();

    Mode public mode;
    address[] public members;

    constructor(address[] memory first) {
        members = first;
    }

    function setMembers(address[] calldata next) external {
        members = next;
    }

    function setMode(Mode next) external {
        mode = next;
    }

    function select(JobId, uint256, bytes32, uint256) external view returns (address[] memory) {
        uint256 gas = gasleft();
        Mode current = mode;
        if (current == Mode.THIRSTY && gas > 2_999_000) return members;
        if (current == Mode.REVERT || current == Mode.THIRSTY) revert Unwilling();
        if (current == Mode.BURN) _burnGas();
        if (current == Mode.HONEST) return members;
        _misbehave(current);
        return members;
    }

    function _burnGas() private view {
        uint256 x = gasleft();
        while (true) x = uint256(keccak256(abi.encode(x)));
    }

    function _misbehave(Mode current) private view {
        address[] memory list = members;
        assembly ("memory-safe") {
            let at := sub(list, 32) // offset, length, addresses
            let size := mul(32, add(2, mload(list)))
            switch current
            case 2 {
                return(0, 0)
            }
            case 3 {
                let noise := mload(0x40)
                for {
                    let i := 0
                } lt(i, 832) {
                    i := add(i, 32)
                } {
                    mstore(add(noise, i), not(i))
                }
                return(noise, 832)
            }
            case 5 {
                mstore(at, 32)
                return(at, 100000)
            }
            case 6 {
                mstore(at, 32)
                mstore(add(list, 32), or(mload(add(list, 32)), shl(200, 1)))
                return(at, size)
            }
            case 7 {
                revert(0, 100000)
            }
            case 8 {
                mstore(at, 32)
                mstore(add(at, sub(size, 32)), or(mload(add(list, 32)), shl(200, 1)))
                return(at, size)
            }
            case 9 {
                mstore(at, 32)
                revert(at, size)
            }
        }
    }
}
