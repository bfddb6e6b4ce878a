"""Blocks that a round takes: real daemons on a chain whose every block is made by this benchmark.

A round's blocks are those after the one that ended the last round, up to the one that ends it. Two ways of making them:

- *every step meets the next block*: a block is made as soon as all that a phase waits for is in the pool.
- *a phase takes two blocks*: the last of those who act in a phase is a block later than the others. Of a committee's
  phases that is one validator, of SUBMIT one trainer: it is stopped (SIGSTOP) before the phase begins, and goes on when
  the first block of the phase, with what all others did, is made; the second block is made when it has acted, too.
  Where one alone acts, in OPEN and FINALIZE, an empty block comes before it can.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.report import Cell, Report, Section, load
from benchmarks.still import still
from hansa.devnet.anvil import rpc
from hansa.devnet.federation import LocalFederation
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Phase
from hansa.runtime.chain.structs import JobState

PATIENCE = 120.0  # seconds for one act
LOOK = 0.01  # seconds between two looks at the pool
ACTS = (Phase.OPEN, Phase.SUBMIT, Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE)
AFTER = {Phase.OPEN: Phase.SUBMIT, Phase.SUBMIT: Phase.SCORE, Phase.SCORE: Phase.REVEAL, Phase.REVEAL: Phase.VOTE}
"""Phases in which several act, by the one before. After VOTE and FINALIZE one alone acts."""
TARGETS = {"every step meets the next block": 6, "a phase takes two blocks": 10}


def run(quick: bool, trainers: int = 5, validators: int = 5, rounds: int | None = None) -> Report:
    rounds = rounds or (2 if quick else 5)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), trainers, validators, rounds)
    rows: list[list[Cell]] = []
    for name, by_round in found.items():
        means = [sum(blocks[phase] for blocks in by_round) / rounds for phase in ACTS]
        rows.append([name, max(blocks.total() for blocks in by_round), f"≤ {TARGETS[name]}", *means])
    columns = ["", "blocks, most", "target", *(phase.name for phase in ACTS)]
    notes = [
        f"{rounds} rounds each; by phase: their mean. {load()}.",
        "FINALIZE takes no block where the last vote finalises in its own transaction.",
    ]
    title = f"Blocks of a round, {trainers} trainers and {validators} validators"
    return Report("blocks", quick, [Section(title, columns, rows, notes, digits=1)])


def measured(folder: Path, trainers: int, validators: int, rounds: int) -> dict[str, list[Counter[Phase]]]:
    """Blocks by phase of each round, by the way of making blocks."""
    with still(folder, trainers, validators, len(TARGETS) * (rounds + 1) + 10) as local:
        local.start_all()
        local.wait_until(lambda: local.state().phase >= Phase.OPEN, PATIENCE, "the end of enrolment")
        maker = BlockMaker(local)
        return {name: maker.play(rounds, late=number == 1) for number, name in enumerate(TARGETS)}


class BlockMaker:
    """Makes every block of a federation's chain from now on."""

    def __init__(self, local: LocalFederation) -> None:
        self._local = local
        self._held: list[int] = []  # processes that are stopped
        self._rpc("evm_setIntervalMining", 0)
        self._rpc("evm_setAutomine", False)

    def play(self, rounds: int, *, late: bool) -> list[Counter[Phase]]:
        """What is left of the round under way, then so many; blocks by phase of each. late: a phase takes two."""
        try:
            return [self._round(late) for _ in range(rounds + 1)][1:]
        finally:
            self._let_go()

    def _round(self, late: bool) -> Counter[Phase]:
        blocks = Counter[Phase]()
        state = self._local.state()
        begun = state.round
        while state.round == begun:
            blocks[state.phase] += self._phase(state, late)
            state = self._local.state()
        return blocks

    def _phase(self, state: JobState, late: bool) -> int:
        """Blocks until all have acted. late: whoever acts last was held when the phase began."""
        left, blocks = _left(state), 0
        if late:
            if self._wait_for(left - 1) < left:
                self._rpc("evm_mine")
                left, blocks = 1, 1
            self._let_go()
        self._wait_for(left)
        if late:
            self._hold(AFTER.get(state.phase))
        self._rpc("evm_mine")
        return blocks + 1

    def _wait_for(self, acts: int) -> int:
        """How many transactions are in the pool, once there are so many."""
        end = time.monotonic() + PATIENCE
        while (found := int(self._rpc("txpool_status")["pending"], 16)) < acts:
            if time.monotonic() > end:
                raise FatalError(f"only {found} of {acts} acts came", next_step=f"{self._local.workspace.dir}/logs")
            time.sleep(LOOK)
        return found

    def _hold(self, phase: Phase | None) -> None:
        """Stops who is late in the next phase: a trainer or a validator; where one alone acts, every validator."""
        kind = "trainer" if phase == Phase.SUBMIT else "validator"
        pids = [worker.pid for name, worker in self._local.workers.items() if name.startswith(kind) and worker.pid]
        self._held = pids if phase is None else pids[-1:]
        for pid in self._held:
            os.kill(pid, signal.SIGSTOP)

    def _let_go(self) -> None:
        for pid in self._held:
            os.kill(pid, signal.SIGCONT)
        self._held = []

    def _rpc(self, method: str, *parameters: Any) -> Any:
        return rpc(self._local.anvil.url, method, *parameters)


def _left(state: JobState) -> int:
    """How many are yet to act in a phase."""
    match state.phase:
        case Phase.OPEN | Phase.FINALIZE:
            return 1
        case Phase.SUBMIT:
            return state.enrolled - state.submitted
        case Phase.SCORE:
            return (state.due & ~state.committed).bit_count()
        case Phase.REVEAL:
            return (state.committed & ~state.revealed).bit_count()
        case Phase.VOTE:
            return (state.revealed & ~state.voted).bit_count()
    raise FatalError(f"the job came to {state.phase.name}", next_step="look into its daemons' logs")
