"""What deployment.json says as ${NAME}: passwords and keys of endpoints, known to this machine alone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hansa.protocol.errors import FatalError
from hansa.protocol.text import PLACEHOLDER, carries_secret, redact
from hansa.runtime.files import is_open_to_others

STORE_SECRETS = ("auth", "pinning_token")  # settings of a store
FILE = "secrets.env"  # beside deployment.json: NAME=value, a line each
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


@dataclass(frozen=True)
class Secrets:
    """Where the values of placeholders are: the environment, then `secrets.env` in `folder`. Two of them are equal."""

    folder: Path | None = field(default=None, compare=False)

    def expand(self, text: str) -> str:
        """`text` with a value in each placeholder's place: for a connection, never to be kept or shown.

        FatalError where nobody gave one, or others can read the file.
        """
        return PLACEHOLDER.sub(lambda found: os.environ.get(found[1]) or self._kept(found[1]), text)

    def _kept(self, name: str) -> str:
        value = _read(self.folder / FILE).get(name) if self.folder is not None else None
        if not value:
            raise FatalError(
                f"deployment.json asks for ${{{name}}}, which nobody gave",
                next_step=f"set {name} in the environment, or write {name}=… into {(self.folder or Path()) / FILE}",
            )
        return value


def require_no_secrets(places: Mapping[str, str | None]) -> None:
    """FatalError where an address holds a user or what looks like a key.

    places: what each address is called in deployment.json.
    """
    for name, url in places.items():
        if url is not None and carries_secret(url):
            raise FatalError(
                f"{name} {redact(url)} holds a password or a key",
                cause="deployment.json is handed on and served",
                next_step="write ${NAME} in its place, and set NAME in the environment or in "
                f"{FILE} beside deployment.json (chmod 600)",
            )


def require_given_by_name(store: Mapping[str, str]) -> None:
    """FatalError where a store's settings hold a secret itself, instead of the ${NAME} that stands for it."""
    for what in STORE_SECRETS:
        if what in store and not PLACEHOLDER.search(store[what]):
            raise FatalError(
                f"the store's {what} stands in deployment.json itself",
                next_step=f"write ${{NAME}} in its place, and set NAME in the environment or in {FILE}",
            )


def _read(file: Path) -> dict[str, str]:
    """The names of a file and their values; none where there is no file."""
    try:
        if is_open_to_others(file):
            raise FatalError(f"{file} can be read by others", next_step=f"run chmod 600 {file}")
        lines = [_LINE.fullmatch(line.strip()) for line in file.read_text().splitlines()]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise FatalError(f"{file} can't be read", cause=error) from error
    return {found[1]: _unquoted(found[2]) for found in lines if found is not None}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
