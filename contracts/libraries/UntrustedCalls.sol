// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdmission} from "../interfaces/IAdmission.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {JobId} from "../interfaces/IFederation.sol";
import {Refusals} from "./Refusals.sol";

/// @title Questions to contracts that nobody vouches for: by staticcall, with bounded gas, copying a bounded answer
library UntrustedCalls {
    uint256 private constant SELECT_GAS = 3_000_000;
    uint256 private constant ADMIT_GAS = 300_000;
    uint256 private constant CALL_OVERHEAD_GAS = 10_000;
    uint256 private constant LARGEST_COMMITTEE = 832; // bytes: offset, length, 24 addresses

    /// @return members exactly `seats` of them, strictly ascending
    function select(
        ICommittee committee,
        JobId job,
        uint256 counter,
        bytes32 draw,
        uint256 asOf,
        uint256 seats
    ) internal view returns (address[] memory members) {
        bytes memory question = abi.encodeCall(ICommittee.select, (job, counter, draw, asOf));
        bytes memory answer = _ask(address(committee), SELECT_GAS, question, LARGEST_COMMITTEE);
        if (answer.length < 64 + 32 * seats || _word(answer, 0) != 32 || _word(answer, 1) != seats) {
            revert Refusals.Federation_BadCommittee(job, address(committee));
        }

        uint256 previous;
        for (uint256 i = 2; i < seats + 2; ++i) {
            uint256 member = _word(answer, i);
            if (member <= previous || member > type(uint160).max) {
                revert Refusals.Federation_BadCommittee(job, address(committee));
            }
            previous = member;
        }

        // From its length word on, the checked answer is laid out as an address[] is in memory.
        assembly ("memory-safe") {
            members := add(answer, 64)
        }
    }

    function admits(IAdmission admission, JobId job, address account, bytes memory data) internal view returns (bool) {
        bytes memory question = abi.encodeCall(IAdmission.admits, (job, account, data));
        bytes memory answer = _ask(address(admission), ADMIT_GAS, question, 32);
        return answer.length == 32 && _word(answer, 0) == 1;
    }

    /// @dev Insists that all of `gasLimit` gets there: nobody can choose an answer by sending less gas.
    /// @return answer its first `sizeLimit` bytes; empty when the call failed
    function _ask(
        address to,
        uint256 gasLimit,
        bytes memory question,
        uint256 sizeLimit
    ) private view returns (bytes memory answer) {
        answer = new bytes(sizeLimit);
        if (gasleft() < (gasLimit * 64) / 63 + CALL_OVERHEAD_GAS) revert Refusals.Federation_TooLittleGas(gasLimit);

        assembly ("memory-safe") {
            let success := staticcall(gasLimit, to, add(question, 32), mload(question), add(answer, 32), sizeLimit)
            let size := returndatasize()
            if gt(size, sizeLimit) {
                size := sizeLimit
            }
            mstore(answer, mul(success, size))
        }
    }

    function _word(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(data, add(32, mul(32, index))))
        }
    }
}
