"""deployment.json: where the contracts of one federation are, and how to reach chain and store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from eth_utils.address import (
    is_checksum_address,
    is_checksum_formatted_address,
    is_hex_address,
    to_checksum_address,
)
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    PrivateAttr,
    ValidationError,
)

from hansa.protocol.errors import FatalError
from hansa.protocol.spec import first_problem
from hansa.protocol.types import Address
from hansa.runtime.files import unwritable, write_atomically
from hansa.runtime.secrets import Secrets, require_given_by_name, require_no_secrets


def checksummed(value: str) -> Address:
    """An address with its checksum. ValueError for what is none, and for mixed case that is another's (ERC-55)."""
    if not value.startswith("0x") or not is_hex_address(value):
        raise ValueError("an address is 0x and 40 hexadecimal digits")
    if is_checksum_formatted_address(value) and not is_checksum_address(value):
        raise ValueError("its checksum is wrong, so a character is not the one that was meant: copy it again")
    return Address(to_checksum_address(value))


ChainAddress = Annotated[Address, AfterValidator(checksummed)]
Confirmations = NonNegativeInt | Literal["safe", "finalized"]  # a count of blocks, or a block that nodes name


SITE = re.compile(r"https://[\w.-]+(:\d{1,5})?(/[\w.~/-]*)?", re.ASCII)


PEER = re.compile(r"/(ip4|ip6|dns|dns4|dns6)/[^/\s]+/(tcp|udp)/\d{1,5}(/[\w.-]+)*/p2p/(?P<id>\w+)", re.ASCII)
PEER_ID = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46,59}|[bk][0-9a-z]{50,64}")  # a multihash in base 58, or a CID of one


def peer(value: str) -> str:
    """A Kubo node's multiaddress. ValueError for anything else."""
    if (found := PEER.fullmatch(value)) is None:
        raise ValueError("a peer is a multiaddress like /dns4/east.example/tcp/4001/p2p/12D3KooW…, as `ipfs id` has it")
    if not PEER_ID.fullmatch(found["id"]):
        raise ValueError("what stands behind /p2p/ is no peer's ID: copy it whole from `ipfs id`")
    return value


def site(value: str) -> str:
    """Origin and path of a site, by https. ValueError for anything else: a user, a query, another scheme."""
    if not SITE.fullmatch(value):
        raise ValueError("an explorer is https://, a host and perhaps a path: no user, query or fragment")
    return value.rstrip("/")


class Allowed(BaseModel):
    """What this user trusts: addresses, and names of task modules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: list[ChainAddress] = []
    committees: list[ChainAddress] = []
    admissions: list[ChainAddress] = []
    tasks: list[str] = []


class Deployment(BaseModel):
    """One federation on one chain, as its users share it. An address may hold ${NAME}, never what it stands for: only
    `expanded` knows that, for a connection."""

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
    registry: ChainAddress | None = None  # of DIDs; None, as the next, in one made by an earlier version
    credentials: ChainAddress | None = None
    first_block: NonNegativeInt  # nothing of the federation is older
    store: dict[str, str]  # {'kind': 'local', 'path': …} or {'kind': 'kubo', 'api': …, 'auth': '${NAME}'}
    peers: list[Annotated[str, AfterValidator(peer)]] = []  # the parties' Kubo nodes, one's own too
    gateway: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None  # where the page gets files: gateway/CID
    explorer: Annotated[str, AfterValidator(site)] | None = None  # the page links to explorer/tx/0x…
    confirmations: Confirmations = 0
    allowed: Allowed = Allowed()
    _secrets: Secrets = PrivateAttr(default=Secrets())

    @classmethod
    def load(cls, path: Path | str) -> Deployment:
        """Reads the file; FatalError names the field that is wrong."""
        try:
            return cls.model_validate_json(Path(path).read_bytes()).with_secrets_of(Path(path).parent)
        except OSError as error:
            raise FatalError(f"{path} can't be read", cause=error.strerror) from error
        except ValidationError as error:
            raise FatalError(
                f"{path} is not a deployment",
                cause=first_problem(error),
                next_step="correct that, or take the file anew from whoever deployed",
            ) from error

    def save(self, path: Path | str) -> None:
        """Writes the file at once, so that no reader sees half of it. FatalError where it can't be written."""
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, (self.model_dump_json(indent=2, exclude_none=True) + "\n").encode())
        except OSError as error:
            raise unwritable(target, error) from error

    def updated(self, **changes: Any) -> Deployment:
        """A checked copy with some fields changed."""
        return Deployment.model_validate({**self.model_dump(), **changes}).with_secrets_of(self._secrets.folder)

    def with_secrets_of(self, folder: Path | None) -> Deployment:
        """A copy whose placeholders stand for what this folder's secrets.env says, unless the environment does."""
        copy = self.model_copy()
        copy._secrets = Secrets(folder)
        return copy

    def expanded(self, text: str) -> str:
        """One of its addresses as a connection needs it; FatalError where a secret is missing."""
        return self._secrets.expand(text)

    def require_no_secrets(self) -> None:
        """FatalError where one of its addresses holds a secret: it must not be handed on."""
        rpc = {f"rpc {place}:": url for place, url in enumerate(self.rpc, 1)}
        require_no_secrets(
            {
                **rpc,
                "ws": self.ws,
                "gateway": self.gateway,
                "explorer": self.explorer,
                "store": self.store.get("api"),
                "pinning": self.store.get("pinning"),
            }
        )
        require_given_by_name(self.store)
