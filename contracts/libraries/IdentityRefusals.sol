// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Every reason why a call about identities, credentials or admissions is refused
library IdentityRefusals {
    /// @dev Only an identity's owner changes it.
    error Did_NotOwner(address identity, address account);
    error Did_TooLate(address identity, uint256 deadline);

    error Credentials_NotIssuer(bytes32 uid, address account);
    error Credentials_AlreadyRevoked(bytes32 uid);
    /// @dev A credential ends later than the second in which it is issued.
    error Credentials_Expired(uint256 expires);
    error Credentials_WrongSigner(address issuer, address signer);
    error Credentials_TooLate(address issuer, uint256 deadline);

    /// @dev Between 1 and 16 issuers, or jobs.
    error Admission_WrongNumber(uint256 number);
}
