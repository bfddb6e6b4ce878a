"""What ethash mines with: a gigabyte for each 30,000 blocks, made once into a cache for all chains of this user."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from hansa.devnet.chains.node import done
from hansa.runtime.log import open_log

FILES: Final = {0: "full-R23-0000000000000000", 30_000: "full-R23-290decd9548b62a8"}
"""By the first block that is mined with it: those of epoch 0, and of the next, which a miner makes in advance where it
is not there. Named by 8 bytes of the epoch's seed: Ethereum wiki, "Ethash-DAG-Disk-Storage-Format"."""


def made_dags(geth: str) -> Path:
    """The folder of the cache, with all of FILES; where some are not there they are made, which takes minutes."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hansa" / "ethash"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for block, name in FILES.items():
            if not (cache / name).exists():
                for part in cache.glob(f"{name}.*"):
                    part.unlink()
                open_log().info("making a gigabyte that geth mines with, once", file=str(cache / name))
                done([geth, "makedag", str(block), str(cache)])
    return cache
