// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IDidRegistry} from "../interfaces/IDidRegistry.sol";
import {IdentityRefusals} from "../libraries/IdentityRefusals.sol";

/// @title ERC-1056: whom an identity belongs to, its delegates and its attributes
contract DidRegistry is IDidRegistry, EIP712 {
    bytes32 private constant CHANGE_OWNER =
        keccak256("ChangeOwner(address identity,address newOwner,uint256 nonce,uint256 deadline)");
    bytes32 private constant ADD_DELEGATE =
        keccak256(
            "AddDelegate(address identity,bytes32 delegateType,address delegate,uint256 validity,uint256 nonce,uint256 deadline)"
        );
    bytes32 private constant REVOKE_DELEGATE =
        keccak256(
            "RevokeDelegate(address identity,bytes32 delegateType,address delegate,uint256 nonce,uint256 deadline)"
        );
    bytes32 private constant SET_ATTRIBUTE =
        keccak256(
            "SetAttribute(address identity,bytes32 name,bytes value,uint256 validity,uint256 nonce,uint256 deadline)"
        );
    bytes32 private constant REVOKE_ATTRIBUTE =
        keccak256("RevokeAttribute(address identity,bytes32 name,bytes value,uint256 nonce,uint256 deadline)");

    /// @inheritdoc IDidRegistry
    mapping(address identity => address) public owners;
    /// @inheritdoc IDidRegistry
    mapping(address identity => mapping(bytes32 typeHash => mapping(address delegate => uint256))) public delegates;
    /// @inheritdoc IDidRegistry
    mapping(address identity => uint256) public changed;
    /// @inheritdoc IDidRegistry
    mapping(address identity => uint256) public nonce;

    constructor() EIP712("Hansa DID registry", "1") {}

    /// @inheritdoc IDidRegistry
    function changeOwner(address identity, address newOwner) external {
        _requireOwner(identity, msg.sender);
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IDidRegistry
    function changeOwnerSigned(
        address identity,
        address newOwner,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory message = abi.encode(CHANGE_OWNER, identity, newOwner, nonce[identity]++, deadline);
        _requireSigned(identity, message, deadline, signature);
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IDidRegistry
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity) external {
        _requireOwner(identity, msg.sender);
        _setDelegate(identity, delegateType, delegate, block.timestamp + validity);
    }

    /// @inheritdoc IDidRegistry
    function addDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory message = abi.encode(
            ADD_DELEGATE,
            identity,
            delegateType,
            delegate,
            validity,
            nonce[identity]++,
            deadline
        );
        _requireSigned(identity, message, deadline, signature);
        _setDelegate(identity, delegateType, delegate, block.timestamp + validity);
    }

    /// @inheritdoc IDidRegistry
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external {
        _requireOwner(identity, msg.sender);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IDidRegistry
    function revokeDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory message = abi.encode(
            REVOKE_DELEGATE,
            identity,
            delegateType,
            delegate,
            nonce[identity]++,
            deadline
        );
        _requireSigned(identity, message, deadline, signature);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IDidRegistry
    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity) external {
        _requireOwner(identity, msg.sender);
        _setAttribute(identity, name, value, block.timestamp + validity);
    }

    /// @inheritdoc IDidRegistry
    function setAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory message = abi.encode(
            SET_ATTRIBUTE,
            identity,
            name,
            keccak256(value),
            validity,
            nonce[identity]++,
            deadline
        );
        _requireSigned(identity, message, deadline, signature);
        _setAttribute(identity, name, value, block.timestamp + validity);
    }

    /// @inheritdoc IDidRegistry
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external {
        _requireOwner(identity, msg.sender);
        _setAttribute(identity, name, value, 0);
    }

    /// @inheritdoc IDidRegistry
    function revokeAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory message = abi.encode(
            REVOKE_ATTRIBUTE,
            identity,
            name,
            keccak256(value),
            nonce[identity]++,
            deadline
        );
        _requireSigned(identity, message, deadline, signature);
        _setAttribute(identity, name, value, 0);
    }

    /// @inheritdoc IDidRegistry
    function identityOwner(address identity) public view returns (address) {
        address owner = owners[identity];
        return owner == address(0) ? identity : owner;
    }

    /// @inheritdoc IDidRegistry
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool) {
        return delegates[identity][keccak256(abi.encode(delegateType))][delegate] > block.timestamp;
    }

    function _changeOwner(address identity, address newOwner) private {
        owners[identity] = newOwner;

        emit DIDOwnerChanged(identity, newOwner, _change(identity));
    }

    function _setDelegate(address identity, bytes32 delegateType, address delegate, uint256 validTo) private {
        delegates[identity][keccak256(abi.encode(delegateType))][delegate] = validTo;

        emit DIDDelegateChanged(identity, delegateType, delegate, validTo, _change(identity));
    }

    function _setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validTo) private {
        emit DIDAttributeChanged(identity, name, value, validTo, _change(identity));
    }

    /// @return previous block of the identity's last event before this one
    function _change(address identity) private returns (uint256 previous) {
        previous = changed[identity];
        changed[identity] = block.number;
    }

    function _requireSigned(
        address identity,
        bytes memory message,
        uint256 deadline,
        bytes calldata signature
    ) private view {
        if (block.timestamp > deadline) revert IdentityRefusals.Did_TooLate(identity, deadline);
        _requireOwner(identity, ECDSA.recover(_hashTypedDataV4(keccak256(message)), signature));
    }

    function _requireOwner(address identity, address account) private view {
        if (account != identityOwner(identity)) revert IdentityRefusals.Did_NotOwner(identity, account);
    }
}
