"""Records tests/vectors/job-1.hansa anew, and in job-1.keys.json the content keys of its updates.

`python tests/vectors/write/record_job.py` plays `hansa demo --rounds 3` and takes both from what it leaves. Needed
where the pay rule or a file format has changed; `python tests/vectors/write/view_vectors.py` then writes what the page
must show of it, and `python tests/vectors/write/demo_acts.py` the acts by which the page's tests play it again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from vector_file import VECTORS
from view_vectors import folded

from hansa.audit.archive import Archive
from hansa.protocol.cid import to_cid
from hansa.runtime.journal import Journal


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["hansa", "demo", "--rounds", "3", "--dir", folder], check=True)
        archive = Path(folder) / "job-1.hansa"
        keys = _content_keys(archive, Path(folder) / "journals")
        shutil.copyfile(archive, VECTORS / "job-1.hansa")
    (VECTORS / "job-1.keys.json").write_text(json.dumps(keys, indent=1, sort_keys=True) + "\n")
    return 0


def _content_keys(path: Path, journals: Path) -> dict[str, str]:
    """By the CID of the sealed update, from the journals of those who sealed them."""
    with Archive.open(path) as archive:
        job, cycles = archive.facts.job, folded(archive.facts).cycles
    keys: dict[str, str] = {}
    for file in sorted(journals.glob("trainer-*.sqlite")):
        with Journal(file) as journal:
            known = [journal.recall((job, cycle.seed, "update")) for cycle in cycles]
        keys |= {to_cid(update["digest"]): update["key"].hex() for update in known if update is not None}
    return keys


if __name__ == "__main__":
    sys.exit(main())
