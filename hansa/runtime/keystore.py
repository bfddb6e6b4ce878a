"""Keys: keystore V3 files, and the X25519 secret that follows from an account's key."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from hansa.protocol.errors import BadKey
from hansa.protocol.types import Address

ENCRYPTION_INFO = b"hansa x25519"
FULL_COST = 262_144  # scrypt n, as geth has it: 0.7 s and 256 MB to open
LIGHT_COST = 4_096  # for keys that everybody knows


def encryption_secret(account: LocalAccount) -> bytes:
    """The account's X25519 secret, 32 bytes: no second key file is needed, and none can be lost."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=ENCRYPTION_INFO).derive(bytes(account.key))


class Keyfile:
    """A private key under a password, as geth and other wallets read it."""

    @staticmethod
    def create(path: Path | str, password: str, private_key: bytes | None = None, light: bool = False) -> LocalAccount:
        """Writes a new file, mode 0600, and returns its account. BadKey if the file exists."""
        account = _account(private_key)
        document = Account.encrypt(account.key, password, kdf="scrypt", iterations=LIGHT_COST if light else FULL_COST)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise BadKey(
                f"{target} exists", cause="a key is never overwritten", next_step="choose another name"
            ) from None
        except OSError as error:
            raise BadKey(f"{target} can't be written", cause=error.strerror) from error
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        return account

    @staticmethod
    def load(path: Path | str, password: str) -> LocalAccount:
        """Opens a file. BadKey for a wrong password, another format, or a file that others can read."""
        target = Path(path)
        try:
            mode = target.stat().st_mode
            document = json.loads(target.read_text())
        except OSError as error:
            raise BadKey(f"key file {target} can't be read", cause=error.strerror) from error
        except ValueError as error:
            raise BadKey(f"{target} is not a key file", cause="it is not JSON") from error
        if mode & 0o077:
            raise BadKey(f"key file {target} can be read by others", next_step=f"run chmod 600 {target}")
        try:
            return _account(bytes(Account.decrypt(document, password)))
        except ValueError as error:
            if "MAC" in str(error):
                raise BadKey(f"the password of {target} is wrong", next_step="try again") from None
            raise BadKey(f"{target} is not a keystore V3 file", cause=error) from error
        except (TypeError, KeyError, AttributeError, NotImplementedError) as error:
            raise BadKey(f"{target} is not a keystore V3 file", cause=type(error).__name__) from error

    @staticmethod
    def address(path: Path | str) -> Address:
        """The address that a file says it is for, without its password."""
        try:
            return Address(to_checksum_address("0x" + json.loads(Path(path).read_text())["address"].removeprefix("0x")))
        except OSError as error:
            raise BadKey(f"key file {path} can't be read", cause=error.strerror) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadKey(f"{path} is not a keystore V3 file", cause="it has no address") from error


def _account(private_key: bytes | None) -> LocalAccount:
    account: LocalAccount = Account.create() if private_key is None else Account.from_key(private_key)
    return account
