// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What an issuer says of a subject, until it ends or is taken back.
struct Credential {
    bytes32 schema; // keccak256 of its name; what `data` means
    address issuer; // 0: there is no such credential
    uint48 time; // of issue
    uint48 expires; // the first second in which it is not valid any more
    address subject;
    uint48 revoked; // when; 0: it is not
    bytes data;
}

/// @title Credentials: anybody issues them about anybody; who trusts whom, an admission says
/// @notice Only the latest one of an issuer, a schema and a subject counts.
/// @dev Delegated calls take the issuer's EIP-712 signature (domain "Hansa credentials", version 1, this chain and
/// contract) over Attest(address issuer,bytes32 schema,address subject,uint48 expires,bytes data,uint256 nonce,uint256
/// deadline) or Revoke(address issuer,bytes32 uid,uint256 nonce,uint256 deadline), until the second `deadline` is over.
/// An issuer that is a contract calls itself.
interface ICredentials {
    event CredentialIssued(
        bytes32 indexed uid,
        address indexed issuer,
        address indexed subject,
        bytes32 schema,
        uint48 expires,
        bytes data
    );
    event CredentialRevoked(bytes32 indexed uid, address indexed issuer, address indexed subject, bytes32 schema);

    /// @return uid keccak256(abi.encode(chainid, contract, schema, issuer, subject, time, expires, data, uid of the one
    /// before it))
    function attest(
        bytes32 schema,
        address subject,
        uint48 expires,
        bytes calldata data
    ) external returns (bytes32 uid);

    function attestByDelegation(
        address issuer,
        bytes32 schema,
        address subject,
        uint48 expires,
        bytes calldata data,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 uid);

    /// @notice Takes back one of the caller's own credentials, for good.
    function revoke(bytes32 uid) external;

    function revokeByDelegation(address issuer, bytes32 uid, uint256 deadline, bytes calldata signature) external;

    /// @return uid of the newest one; 0 for none
    function latest(address issuer, bytes32 schema, address subject) external view returns (bytes32 uid);

    /// @return whether the latest one is neither revoked nor over
    function isValid(address issuer, bytes32 schema, address subject) external view returns (bool);

    function credentialOf(bytes32 uid) external view returns (Credential memory);

    /// @return number that the issuer's next signed message must name
    function nonce(address issuer) external view returns (uint256 number);
}
