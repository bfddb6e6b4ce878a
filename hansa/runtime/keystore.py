"""Keys: keystore V3 files, and the X25519 secret that follows from an account's key."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from hansa.protocol.errors import BadKey, WrongPassword
from hansa.protocol.types import Address
from hansa.runtime.files import is_open_to_others, private_file, private_folder, unwritable

ENCRYPTION_INFO = b"hansa x25519"
FULL_COST = 262_144  # scrypt n, as geth has it: 0.7 s and 256 MB to open
LIGHT_COST = 4_096  # for keys that everybody knows
MOST_MEMORY = 2**30  # bytes for scrypt; 4 times what geth takes
MOST_HASHES = 2**24  # of scrypt's blocks, or PBKDF2's rounds
MOST_WIDTH = 2**12  # scrypt's r · p: each costs four of its slower hashes, whatever n is; wallets have 8 to 64
KEY_BYTES = 32, 1024  # that are drawn; 32 are used
PARAMETERS = {"scrypt": ("n", "r", "p"), "pbkdf2": ("c",)}
AGAIN = "use a backup, or export the key again"
_ADDRESS = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")


def encryption_secret(account: LocalAccount) -> bytes:
    """The account's X25519 secret, 32 bytes: no second key file is needed, and none can be lost."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=ENCRYPTION_INFO).derive(bytes(account.key))


class Keyfile:
    """A private key under a password, as geth and other wallets read it."""

    @staticmethod
    def create(path: Path | str, password: str, private_key: bytes | None = None, light: bool = False) -> LocalAccount:
        """Writes a new file, mode 0600, and returns its account. BadKey if the file exists, or for no password."""
        _require_password(path, password)
        account = _account(private_key)
        document = Account.encrypt(account.key, password, kdf="scrypt", iterations=LIGHT_COST if light else FULL_COST)
        target = Path(path)
        private_folder(target.parent)
        try:
            descriptor = private_file(target, os.O_WRONLY | os.O_EXCL)
        except FileExistsError:
            raise BadKey(
                f"{target} exists", cause="a key is never overwritten", next_step="choose another name"
            ) from None
        except OSError as error:
            raise unwritable(target, error, BadKey) from error
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        return account

    @staticmethod
    def load(path: Path | str, password: str) -> LocalAccount:
        """Opens a file. BadKey for no or a wrong password, another format, a file that others can read, or one that
        says another address than its key's; WrongPassword is one."""
        target = Path(path)
        document, stated = _read(target)
        if is_open_to_others(target):
            raise BadKey(f"key file {target} can be read by others", next_step=f"run chmod 600 {target}")
        _require_password(target, password)
        _require_affordable(target, document["crypto"])
        try:
            account = _account(bytes(Account.decrypt(document, password)))
        except ValueError as error:
            if "MAC" in str(error):
                raise WrongPassword(f"the password of {target} is wrong", next_step="try again") from None
            raise BadKey(f"{target} is not a keystore V3 file", cause=error) from error
        except (TypeError, KeyError, AttributeError, NotImplementedError, AssertionError, RecursionError) as error:
            raise BadKey(f"{target} is not a keystore V3 file", cause=type(error).__name__) from error
        if stated not in (None, account.address.lower()):
            raise BadKey(
                f"key file {target} says that it is for {stated}",
                cause=f"its key is that of {account.address}",
                next_step="find out who changed it, and use a backup",
            )
        return account

    @staticmethod
    def address(path: Path | str) -> Address | None:
        """The address that a file says it is for, without its password; None where it says none."""
        stated = _read(Path(path))[1]
        return None if stated is None else Address(to_checksum_address(stated))


def read_keystore(path: Path) -> tuple[dict[str, Any], str | None]:
    """The document, its names in lower case, and the address that it says it is for (0x, lower case); None where it
    says none, as V3 allows.

    OSError where it can't be read, ValueError or RecursionError for what is no keystore.
    """
    fields = _lowered(json.loads(path.read_text()))
    if not isinstance(fields, dict) or not isinstance(fields.get("crypto"), dict):
        raise ValueError("it has no crypto section")
    stated = fields.get("address") or None
    found = _ADDRESS.fullmatch(stated) if isinstance(stated, str) else None
    if stated is not None and found is None:
        raise ValueError("its address is none")
    return fields, None if found is None else f"0x{found[1].lower()}"


def _lowered(document: Any) -> Any:
    """As what opens it reads it, so that what is checked is what is used."""
    if isinstance(document, dict):
        return {name.lower(): _lowered(value) for name, value in document.items()}
    return document


def _read(path: Path) -> tuple[dict[str, Any], str | None]:
    try:
        return read_keystore(path)
    except OSError as error:
        raise BadKey(f"key file {path} can't be read", cause=error.strerror) from error
    except json.JSONDecodeError as error:
        raise BadKey(f"{path} is not a key file", cause="it is not JSON") from error
    except (ValueError, RecursionError) as error:
        raise BadKey(f"{path} is not a keystore V3 file", cause=error) from error


def _require_affordable(path: Path, crypto: dict[str, Any]) -> None:
    """BadKey for a file that would take more memory or time to open than anybody's: what asks for it isn't signed."""
    kdf, asked = crypto.get("kdf"), crypto.get("kdfparams")
    names = PARAMETERS.get(kdf) if isinstance(kdf, str) else None
    if names is None or not isinstance(asked, dict):
        raise _no_keystore(path, "its key is derived by neither scrypt nor pbkdf2")
    wrong = next((name for name in (*names, "dklen") if type(asked.get(name)) is not int or asked[name] < 1), None)
    if wrong is not None:
        raise _no_keystore(path, f"{wrong} of its {kdf} is no whole number above 0")
    if asked["dklen"] < KEY_BYTES[0]:
        raise _no_keystore(path, f"its {kdf} gives fewer than {KEY_BYTES[0]} bytes")
    n, r, p, c = (asked[name] if name in names else 0 for name in ("n", "r", "p", "c"))
    hashes = n * r * p + c * -(-asked["dklen"] // KEY_BYTES[0])
    if 128 * n * r > MOST_MEMORY or hashes > MOST_HASHES or r * p > MOST_WIDTH or asked["dklen"] > KEY_BYTES[1]:
        raise BadKey(
            f"{path} would take more to open than any key file",
            cause="the cost that it names was changed, or is a mistake",
            next_step=AGAIN,
        )


def _no_keystore(path: Path, cause: str) -> BadKey:
    return BadKey(f"{path} is not a keystore V3 file", cause=cause, next_step=AGAIN)


def _require_password(path: Path | str, password: str) -> None:
    if not password:
        raise BadKey(f"the password of {path} is empty", cause="it would protect nothing", next_step="give one")


def _account(private_key: bytes | None) -> LocalAccount:
    account: LocalAccount = Account.create() if private_key is None else Account.from_key(private_key)
    return account
