"""What a federation keeps of its secrets is its owner's alone, while its daemons run and afterwards."""

from __future__ import annotations

import os
from pathlib import Path

from federations import federation, finish

FOLDERS = ("journals", "keys", "logs")


def open_to_others(directory: Path) -> set[str]:
    """What others have any right to of the folders that hold secrets."""
    found = [path for name in FOLDERS for path in [directory / name, *(directory / name).rglob("*")]]
    return {str(path.relative_to(directory)) for path in found if path.exists() and path.stat().st_mode & 0o077}


def test_files__of_running_daemons__are_never_open_to_others(tmp_path: Path) -> None:
    """Content keys and salts in journals and write-ahead logs, unsealed integers in blobs."""
    before = os.umask(0o022)
    try:
        seen: set[str] = set()
        names: set[str] = set()
        with federation(tmp_path, rounds=2) as lab:
            lab.start_all()

            def over() -> bool:
                names.update(path.name for path in (tmp_path / "journals").rglob("*"))
                seen.update(open_to_others(tmp_path))
                return lab.state().phase.is_over

            lab.wait_until(over, 120.0, "the end")
            finish(lab)
            seen |= open_to_others(tmp_path)
    finally:
        os.umask(before)
    assert {"trainer-1.sqlite-wal", "trainer-1.sqlite.blobs"} <= names and any(n.startswith("Qm") for n in names)
    assert seen == set()
