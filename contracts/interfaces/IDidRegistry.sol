// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title ERC-1056: whom an identity belongs to, its delegates and its attributes
/// @notice Every account is an identity and its own owner until it says otherwise. Events, views and calls are those of
/// ethr-did-registry 1.3.0, so that resolvers of did:ethr read it as they stand. Its signed calls named no chain; here
/// they are EIP-712 messages of the domain "Hansa DID registry", version 1, this chain and this contract.
/// @dev A change reverts with `Did_NotOwner` for anybody but the identity's owner. A signed call takes its owner's
/// signature over the same arguments, the identity's `nonce` and a `deadline`, the last second in which it is taken;
/// an owner that is a contract calls itself. The type of `changeOwnerSigned` is ChangeOwner(address identity,address
/// newOwner,uint256 nonce,uint256 deadline); the others are formed likewise, in the order of their arguments.
interface IDidRegistry {
    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);
    event DIDDelegateChanged(
        address indexed identity,
        bytes32 delegateType,
        address delegate,
        uint256 validTo,
        uint256 previousChange
    );
    /// @param validTo 0 for a revoked one
    event DIDAttributeChanged(
        address indexed identity,
        bytes32 name,
        bytes value,
        uint256 validTo,
        uint256 previousChange
    );

    function changeOwner(address identity, address newOwner) external;

    function changeOwnerSigned(
        address identity,
        address newOwner,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @param validity seconds from now on
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity) external;

    function addDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external;

    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external;

    function revokeDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @param validity seconds from now on
    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity) external;

    function setAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external;

    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external;

    function revokeAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 deadline,
        bytes calldata signature
    ) external;

    function identityOwner(address identity) external view returns (address);

    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool);

    /// @return owner 0 for an identity that never changed hands
    function owners(address identity) external view returns (address owner);

    /// @param typeHash keccak256(abi.encode(delegateType))
    /// @return validTo the second from which on it is none
    function delegates(address identity, bytes32 typeHash, address delegate) external view returns (uint256 validTo);

    /// @return number of the block of the identity's last event; 0 for none
    function changed(address identity) external view returns (uint256 number);

    /// @return number that the next signed call for the identity must name
    function nonce(address identity) external view returns (uint256 number);
}
