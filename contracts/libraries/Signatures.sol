// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {CycleId, JobId} from "../interfaces/IFederation.sol";
import {Refusals} from "./Refusals.sol";

/// @title What an account signs instead of sending it: EIP-712, of this chain and this contract
/// @dev The domain is worked out at each call: after a fork of the chain a signature counts on one side alone. There are
/// no nonces: each act is taken once. Contract accounts send for themselves.
library Signatures {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Hansa");
    bytes32 private constant VERSION = keccak256("1");
    bytes32 private constant ENROL =
        keccak256("Enrol(uint256 job,bytes32 termsHash,uint96 bond,bytes data,uint256 deadline)");
    bytes32 private constant SUBMIT = keccak256("Submit(uint256 job,uint64 cycle,bytes32 seed,bytes32 digest)");
    bytes32 private constant REJOIN = keccak256("Rejoin(uint256 job,uint64 cycle)");

    function enrol(
        JobId job,
        bytes32 termsHash,
        uint96 bond,
        bytes calldata data,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(ENROL, job, termsHash, bond, keccak256(data), deadline));
    }

    function submit(JobId job, CycleId cycle, bytes32 seed, bytes32 digest) internal pure returns (bytes32) {
        return keccak256(abi.encode(SUBMIT, job, cycle, seed, digest));
    }

    function rejoin(JobId job, CycleId cycle) internal pure returns (bytes32) {
        return keccak256(abi.encode(REJOIN, job, cycle));
    }

    /// @param signed hash of what `account` must have signed
    function check(JobId job, bytes32 signed, address account, bytes calldata signature) internal view {
        bytes32 domain = keccak256(abi.encode(DOMAIN, NAME, VERSION, block.chainid, address(this)));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, signed));
        (address signer, ECDSA.RecoverError error, ) = ECDSA.tryRecover(digest, signature);
        if (error != ECDSA.RecoverError.NoError || signer != account) {
            revert Refusals.Federation_WrongSignature(job, account);
        }
    }
}
