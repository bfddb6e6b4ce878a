"""Lets `brownie run` work in a checkout whose path has a dot in it, such as a temporary directory.

Brownie imports a script by its absolute path with dots for slashes, which splits `tmp.x` into two packages. This
finder, asked after all others, gives such halves as empty packages. Set-up has Python load it whenever it starts as
`brownie`.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
STARTUP = 'import sys; any(a.endswith("bin/brownie") for a in sys.orig_argv[:3]) and __import__("scripts.dotted_paths")'


class DottedPaths(MetaPathFinder):
    """Finds the packages that stand for `ROOT` and its parents."""

    def __init__(self, root: Path) -> None:
        self.folders = {".".join(folder.parts[1:]): folder for folder in (*reversed(root.parents), root)}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(f"{dotted}.".startswith(f"{fullname}.") for dotted in self.folders):
            return None
        above = [dotted for dotted in self.folders if f"{fullname}.".startswith(f"{dotted}.")]
        nearest = max(above, key=len, default="")
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(self.folders[nearest])]
        return spec


def install() -> None:
    """Writes the start-up line into this environment; its name sorts after the line that makes `scripts` importable."""
    Path(sysconfig.get_path("purelib"), "hansa_dotted_paths.pth").write_text(STARTUP + "\n")


if __name__ == "__main__":
    install()
elif "." in str(ROOT):
    sys.meta_path.append(DottedPaths(ROOT))
