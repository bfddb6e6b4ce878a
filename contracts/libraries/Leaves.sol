// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Leaf} from "../interfaces/IVault.sol";

/// @title What a round's rewards root is made of
library Leaves {
    /// @dev What OpenZeppelin's MerkleProof gives for keccak256(bytes.concat(keccak256(abi.encode(trainer, pay, strike,
    /// reputation)))), in a third of the gas: a wallet claims many rounds at once.
    /// @return root its low 160 bits
    function rootOf(
        address trainer,
        Leaf calldata leaf,
        bytes32[] calldata proof
    ) internal pure returns (uint160 root) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, shr(96, shl(96, trainer)))
            calldatacopy(add(free, 32), leaf, 96)
            mstore(0, keccak256(free, 128))
            let node := keccak256(0, 32)

            let end := add(proof.offset, shl(5, proof.length))
            for {
                let at := proof.offset
            } lt(at, end) {
                at := add(at, 32)
            } {
                let sibling := calldataload(at)
                let place := shl(5, lt(sibling, node)) // the smaller one comes first
                mstore(place, node)
                mstore(sub(32, place), sibling)
                node := keccak256(0, 64)
            }
            root := shr(96, shl(96, node))
        }
    }
}
