"""The folder of a local chain: what in it the chain's command made, and may clear away, and what is its user's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hansa.devnet.anvil import CHAIN_ID, published_address
from hansa.devnet.setup import Setup
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address
from hansa.runtime.accounts import PASSWORD_FILE
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.deploy_progress import FILE as DEPLOYING
from hansa.runtime.files import write_file
from hansa.runtime.keystore import Keyfile
from hansa.runtime.workspace import GUARD, JOURNALS, Workspace
from hansa.sponsor.committees import APPOINTED

MARK = "devnet.json"  # says that a local chain's command made the folder
STATE = "chain-state.json"  # of a chain that is kept
PASSWORD = "hansa"  # of the published accounts' keystores
KEYS = "keys"
CLEARED = {
    "up": (STATE, "anvil.log", "chain", "deployment.json", GUARD, "kubo", "store"),
    "demo": ("anvil.log", "baselines.json", "chain", "deployment.json", "job-1.hansa", "kubo", "logs", GUARD, "store"),
}
"""What a new chain in the folder replaces, by the command that made it, beside keys and journals, of which a user may
have more."""
WATCHED = tuple(sorted({name for names in CLEARED.values() for name in names}))


@dataclass(frozen=True)
class Devnet:
    """What made a folder, and which accounts its chain has.

    maker: the command, `up` or `demo`. gas_limit, url: how its chain is known, and where it was last.
    federation: the contract, once it is there. chain, store: their kinds. consensus, admission, gasless: of the job
    that it is furnished for, seats: of its committee (0: as many as validators), pool: that these are drawn from.
    """

    maker: str
    trainers: int
    validators: int
    gas_limit: int = 0
    url: str = ""
    federation: str | None = None
    chain: str = "anvil"
    store: str = "local"
    consensus: str = APPOINTED
    admission: str = "open"
    gasless: bool = False
    seats: int = 0
    pool: Address | None = None

    @classmethod
    def of(cls, maker: str, setup: Setup) -> Devnet:
        """What a command makes of a set-up."""
        accounts = setup.appointed + setup.stakers
        return cls(
            maker,
            setup.trainers,
            accounts,
            chain=setup.chain,
            store=setup.store,
            consensus=setup.consensus,
            admission=setup.admission,
            gasless=setup.gasless,
            seats=setup.validators,
        )

    @property
    def setup(self) -> Setup:
        """The parties that it was made for."""
        return Setup(
            trainers=self.trainers,
            validators=self.seats or self.validators,
            consensus=self.consensus,
            chain=self.chain,
            store=self.store,
            admission=self.admission,
            gasless=self.gasless,
        )

    @property
    def names(self) -> list[str]:
        return account_names(self.trainers, self.validators)

    @classmethod
    def load(cls, directory: Path) -> Devnet | None:
        """None where no local chain's command made the folder; FatalError where its mark makes no sense."""
        try:
            return cls(**json.loads((directory / MARK).read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise FatalError(
                f"{directory / MARK} can't be read", cause=error, next_step="name another --dir"
            ) from error

    def save(self, directory: Path, **changes: str | int) -> Devnet:
        """Writes it, with changes; what was written."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        directory.mkdir(parents=True, exist_ok=True)
        write_file(directory / MARK, (json.dumps(asdict(changed)) + "\n").encode())
        return changed


def account_names(trainers: int, validators: int) -> list[str]:
    """Who gets the published accounts, in order."""
    parts = [f"trainer-{i}" for i in range(1, trainers + 1)] + [f"validator-{i}" for i in range(1, validators + 1)]
    return ["sponsor", *parts]


def make_room(directory: Path, made: Devnet) -> None:
    """Marks a folder as `made` says, emptied of what the same command left in it.

    FatalError, with nothing changed, where it holds anything that the command did not make.
    """
    before = Devnet.load(directory)
    if before is not None and before.maker != made.maker:
        raise FatalError(
            f"{directory} is that of a chain by `hansa {before.maker}`", next_step="name another directory with --dir"
        )
    if theirs := sorted(_everything(directory) if before is None else _foreign(directory, before)):
        raise FatalError(
            f"{directory} holds {', '.join(theirs)}",
            cause=f"no `hansa {made.maker}` made that, so none replaces it",
            next_step="name another directory with --dir, or move that away",
        )
    if before is not None:
        for path in [directory / name for name in (*CLEARED[made.maker], KEYS, JOURNALS)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    made.save(directory)


def require_deployment(directory: Path, made: Devnet) -> Deployment:
    """The deployment of a folder's own chain; FatalError where another one is in its place."""
    found = Workspace(directory).deployment()
    if not _is_its(found, made):
        raise FatalError(
            f"{directory / 'deployment.json'} is a deployment on another chain",
            cause=f"the folder's own chain has the federation at {made.federation}",
            next_step="name another directory with --dir, or bring its own file back",
        )
    return found


def _is_its(deployment: Deployment, made: Devnet) -> bool:
    return (deployment.chain_id, deployment.federation) == (CHAIN_ID, made.federation)


def _everything(directory: Path) -> Iterator[str]:
    """What a new chain would replace or mix with, by name; an empty folder is nothing."""
    yield from filter(lambda name: _is_something(directory / name), (*WATCHED, DEPLOYING, KEYS, JOURNALS))


def _is_something(path: Path) -> bool:
    return path.is_symlink() or path.is_file() or (path.is_dir() and any(path.iterdir()))


def _foreign(directory: Path, made: Devnet) -> Iterator[str]:
    """What is not the chain's own in the folder that it made, by name: links too, which none makes."""
    for name in (*WATCHED, KEYS, JOURNALS):
        path = directory / name
        if path.is_symlink() or (name in WATCHED and name not in CLEARED[made.maker] and _is_something(path)):
            yield name
    for path in (directory / "store").rglob("*"):
        if path.is_symlink() or (path.is_file() and not path.name.startswith(("Qm", "."))):
            yield f"store/{path.relative_to(directory / 'store')}"
    published = {name: published_address(index) for index, name in enumerate(made.names)}
    own = tuple(f"{name}.sqlite" for name in published) + tuple(f"{each.lower()}-" for each in published.values())
    for path in (directory / KEYS).glob("*"):
        if not (_is_password(path) or _is_published(path, published)):
            yield f"{KEYS}/{path.name}"
    for path in (directory / JOURNALS).glob("*"):
        if not path.name.startswith(own):
            yield f"{JOURNALS}/{path.name}"
    if (directory / DEPLOYING).exists():
        yield DEPLOYING
    file = directory / "deployment.json"
    if file.exists() and not _is_its(Deployment.load(file), made):
        yield file.name


def _is_password(path: Path) -> bool:
    return path.name == PASSWORD_FILE and path.is_file() and path.read_bytes().strip() == PASSWORD.encode()


def _is_published(path: Path, published: Mapping[str, Address]) -> bool:
    """Whether a file is the keystore that a chain's command makes of a published account."""
    if path.suffix != ".json" or path.stem not in published:
        return False
    try:
        return Address(Keyfile.load(path, PASSWORD).address) == published[path.stem]
    except FatalError:
        return False
