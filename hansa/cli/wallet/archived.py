"""A job out of an archive, as `wallet why` and `job export` read it: after an audit that found nothing wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hansa.audit.paid import Settlement
from hansa.audit.run import require_sound
from hansa.cli.wallet.portfolio import Problem
from hansa.protocol.errors import FatalError
from hansa.protocol.text import counted


@dataclass(frozen=True)
class ArchiveView:
    """The file, and the block that all of it rests on. bound: whether it does."""

    file: str
    chain_id: int
    block: int
    block_hash: str
    bound: bool


def read_archived(path: Path, job: int | None) -> tuple[Settlement, ArchiveView, list[Problem]]:
    """Audits an archive; problems: that not everything could be checked. FatalError where anything in it is wrong, or
    it is of another job than the one named."""
    report, facts, settlement = require_sound(path, "nothing is told from it")
    if job not in (None, facts.job):
        raise FatalError(
            f"{path} is of job {facts.job}, not of job {job}", next_step="leave the job out, or name another file"
        )
    problems = []
    if report.exit_code:
        missing = sum(not gap.expected for gap in report.gaps)
        absent = counted(missing, "of the things to check is", "of the things to check are")
        why = f"{absent} not in {path}; `hansa audit --archive {path}` says which"
        problems.append(Problem(facts.job, why, is_grave=False))
    block, is_bound = facts.at, facts.proof is not None
    view = ArchiveView(str(path), facts.chain_id, block.number, f"0x{block.hash.hex()}", is_bound)
    return settlement, view, problems
