"""deployment.json: where the contracts of one federation are, and how to reach chain and store."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated, Any

from eth_utils.address import (
    is_checksum_address,
    is_checksum_formatted_address,
    is_hex_address,
    to_checksum_address,
)
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError

from hansa.protocol.errors import FatalError
from hansa.protocol.spec import first_problem
from hansa.protocol.types import Address


def checksummed(value: str) -> Address:
    """An address with its checksum. ValueError for what is none, and for mixed case that is another's (ERC-55)."""
    if not is_hex_address(value):
        raise ValueError("an address is 0x and 40 hexadecimal digits")
    if is_checksum_formatted_address(value) and not is_checksum_address(value):
        raise ValueError("its checksum is wrong, so a character is not the one that was meant: copy it again")
    return Address(to_checksum_address(value))


ChainAddress = Annotated[Address, AfterValidator(checksummed)]


class Allowed(BaseModel):
    """What this user trusts: addresses, and names of task modules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: list[ChainAddress] = []
    committees: list[ChainAddress] = []
    admissions: list[ChainAddress] = []
    tasks: list[str] = []


class Deployment(BaseModel):
    """One federation on one chain, as its users share it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    chain_id: PositiveInt
    rpc: Annotated[list[str], Field(min_length=1)]
    ws: str | None = None
    federation: ChainAddress
    vault: ChainAddress
    token: ChainAddress
    admission: ChainAddress
    committee: ChainAddress | None = None
    first_block: NonNegativeInt  # nothing of the federation is older
    store: dict[str, str]  # {'kind': 'local', 'path': …} or {'kind': 'kubo', 'api': …}
    gateway: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None  # where the page gets files: gateway/CID
    confirmations: NonNegativeInt = 0
    allowed: Allowed = Allowed()

    @classmethod
    def load(cls, path: Path | str) -> Deployment:
        """Reads the file; FatalError names the field that is wrong."""
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except OSError as error:
            raise FatalError(f"{path} can't be read", cause=error.strerror) from error
        except ValidationError as error:
            raise FatalError(f"{path} is not a deployment", cause=first_problem(error)) from error

    def save(self, path: Path | str) -> None:
        """Writes the file at once, so that no reader sees half of it."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            part.write_text(self.model_dump_json(indent=2, exclude_none=True) + "\n")
            part.replace(target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()

    def updated(self, **changes: Any) -> Deployment:
        """A checked copy with some fields changed."""
        return Deployment.model_validate({**self.model_dump(), **changes})
