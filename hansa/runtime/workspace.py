"""A directory that holds one party's view of a deployment: deployment.json, keystores, journals."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from hansa.protocol.errors import FatalError
from hansa.runtime.chain.deployment import Deployment

DEFAULT_DIR = ".hansa"
JOURNALS = "journals"
GUARD = "masked.sqlite"  # weights that this party's updates were summed over


@dataclass(frozen=True)
class Workspace:
    """Where a party's files are: `dir`, else HANSA_DIR, else `.hansa`."""

    dir: Path = field(default_factory=lambda: Path(os.environ.get("HANSA_DIR", DEFAULT_DIR)))

    @property
    def keys(self) -> Path:
        return self.dir / "keys"

    @property
    def deployment_file(self) -> Path:
        return self.dir / "deployment.json"

    def deployment(self) -> Deployment:
        """The deployment that this directory holds; FatalError where it holds none."""
        if not self.deployment_file.is_file():
            raise FatalError(
                f"{self.dir} holds no deployment.json",
                next_step="run `hansa up`, `hansa deploy` or `hansa demo --keep`, or name the directory with --dir",
            )
        return Deployment.load(self.deployment_file)

    def journal(self, address: str, noun: str = "cli") -> Path:
        """Where an account's journal is; daemons and commands have one each."""
        return self.dir / JOURNALS / f"{address.lower()}-{noun}.sqlite"
