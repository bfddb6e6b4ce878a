// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Credential, ICredentials} from "../interfaces/ICredentials.sol";
import {IdentityRefusals} from "../libraries/IdentityRefusals.sol";

/// @title Credentials: issued, expiring, revocable
contract Credentials is ICredentials, EIP712 {
    bytes32 private constant ATTEST =
        keccak256(
            "Attest(address issuer,bytes32 schema,address subject,uint48 expires,bytes data,uint256 nonce,uint256 deadline)"
        );
    bytes32 private constant REVOKE = keccak256("Revoke(address issuer,bytes32 uid,uint256 nonce,uint256 deadline)");

    /// @inheritdoc ICredentials
    mapping(address issuer => mapping(bytes32 schema => mapping(address subject => bytes32 uid))) public latest;
    /// @inheritdoc ICredentials
    mapping(address issuer => uint256) public nonce;

    mapping(bytes32 uid => Credential) private _credentials;

    constructor() EIP712("Hansa credentials", "1") {}

    /// @inheritdoc ICredentials
    function attest(
        bytes32 schema,
        address subject,
        uint48 expires,
        bytes calldata data
    ) external returns (bytes32 uid) {
        return _attest(msg.sender, schema, subject, expires, data);
    }

    /// @inheritdoc ICredentials
    function attestByDelegation(
        address issuer,
        bytes32 schema,
        address subject,
        uint48 expires,
        bytes calldata data,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 uid) {
        bytes memory message = abi.encode(
            ATTEST,
            issuer,
            schema,
            subject,
            expires,
            keccak256(data),
            nonce[issuer]++,
            deadline
        );
        _requireSigned(issuer, message, deadline, signature);
        return _attest(issuer, schema, subject, expires, data);
    }

    /// @inheritdoc ICredentials
    function revoke(bytes32 uid) external {
        _revoke(msg.sender, uid);
    }

    /// @inheritdoc ICredentials
    function revokeByDelegation(address issuer, bytes32 uid, uint256 deadline, bytes calldata signature) external {
        bytes memory message = abi.encode(REVOKE, issuer, uid, nonce[issuer]++, deadline);
        _requireSigned(issuer, message, deadline, signature);
        _revoke(issuer, uid);
    }

    /// @inheritdoc ICredentials
    function isValid(address issuer, bytes32 schema, address subject) external view returns (bool) {
        Credential storage credential = _credentials[latest[issuer][schema][subject]];
        return block.timestamp < credential.expires && credential.revoked == 0;
    }

    /// @inheritdoc ICredentials
    function credentialOf(bytes32 uid) external view returns (Credential memory) {
        return _credentials[uid];
    }

    function _attest(
        address issuer,
        bytes32 schema,
        address subject,
        uint48 expires,
        bytes calldata data
    ) private returns (bytes32 uid) {
        if (expires <= block.timestamp) revert IdentityRefusals.Credentials_Expired(expires);

        uint48 time = uint48(block.timestamp);
        bytes32 previous = latest[issuer][schema][subject];
        uid = keccak256(
            abi.encode(block.chainid, address(this), schema, issuer, subject, time, expires, data, previous)
        );
        latest[issuer][schema][subject] = uid;
        _credentials[uid] = Credential(schema, issuer, time, expires, subject, 0, data);

        emit CredentialIssued(uid, issuer, subject, schema, expires, data);
    }

    function _revoke(address issuer, bytes32 uid) private {
        Credential storage credential = _credentials[uid];
        if (credential.issuer != issuer) revert IdentityRefusals.Credentials_NotIssuer(uid, issuer);
        if (credential.revoked != 0) revert IdentityRefusals.Credentials_AlreadyRevoked(uid);

        credential.revoked = uint48(block.timestamp);

        emit CredentialRevoked(uid, issuer, credential.subject, credential.schema);
    }

    function _requireSigned(
        address issuer,
        bytes memory message,
        uint256 deadline,
        bytes calldata signature
    ) private view {
        if (block.timestamp > deadline) revert IdentityRefusals.Credentials_TooLate(issuer, deadline);
        address signer = ECDSA.recover(_hashTypedDataV4(keccak256(message)), signature);
        if (signer != issuer) revert IdentityRefusals.Credentials_WrongSigner(issuer, signer);
    }
}
