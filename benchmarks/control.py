"""What a round costs beside learning: real daemons that have next to nothing to train, measure or aggregate.

*Work* is from the block in which a cycle opens to the one that finalises its round. The *wait* before, most of it for
the second in which a cycle can be opened, is shown apart. *Between phases*: from the block of a phase's last
transaction to that of the next phase's first. Blocks are anvil's, which mines each transaction at once, and one more
each second; they came when its WebSocket told of them. CPU is of the daemons' processes, the chain's apart.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from benchmarks.deployed import Deployed, deployed, has_simulation, is_installed
from benchmarks.heads import Heads
from benchmarks.peers import INSTALL
from benchmarks.processes import cpu_seconds
from benchmarks.report import Cell, Report, Section, load
from benchmarks.still import PARAMETERS, still
from benchmarks.traffic import Traffic, play_counted
from hansa.devnet.federation import LocalFederation
from hansa.devnet.processes import proportional_memory
from hansa.runtime.chain.abi import artifact

PATIENCE = 3600.0  # seconds
LOOK = 0.1  # seconds between two looks at the job
WARM = 2  # rounds that are not counted: daemons start, caches are cold
SIZES, QUICK_SIZES = ((3, 3, 200), (10, 5, 30), (50, 5, 10)), ((3, 3, 6),)
"""Trainers, validators, counted rounds."""
STEPS = ("CycleOpened", "UpdateSubmitted", "ScoresCommitted", "ScoresRevealed", "ResultVoted", "RoundFinalized")
KINDS = ("trainer", "validator")


@dataclass
class Used:
    """By one daemon, until a moment. cpu: seconds; memory: bytes."""

    cpu: float
    memory: int
    traffic: Traffic


@dataclass
class Played:
    """One federation's counted rounds. between: for each round, and each of STEPS, the seconds and blocks from the step
    before it, from the last round's end for the first; work: seconds of each round. used: of each daemon, at the first
    look in the first counted round, the middle one, and the last one. chain: CPU seconds of the chain a round."""

    trainers: int
    validators: int
    between: list[list[tuple[float, int]]]
    work: list[float]
    moments: list[int]  # rounds
    used: list[dict[str, Used]]
    chain: float

    @property
    def name(self) -> str:
        return f"{self.trainers} + {self.validators}"

    def each(self, kind: str, of: str) -> float:
        """CPU seconds, or a field of Traffic, by daemon and round, on average."""
        first, last = self.used[0], self.used[-1]
        names = [name for name in first if name.startswith(kind)]

        def value(used: Used) -> float:
            return used.cpu if of == "cpu" else float(getattr(used.traffic, of))

        spans = self.moments[-1] - self.moments[0]
        return mean(value(last[name]) - value(first[name]) for name in names) / spans


def run(quick: bool, trainers: int | None = None, validators: int = 5, rounds: int | None = None) -> Report:
    sizes: Sequence[tuple[int, int, int]] = QUICK_SIZES if quick else SIZES
    if trainers is not None:
        sizes = ((trainers, validators, rounds or 10),)
    played, beside = [], []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            played.append(play(Path(folder) / "hansa", *size))
            beside.append(list(_flower(Path(folder), size[0], quick)))
    return Report("control", quick, [_times(played), _costs(played), _memory(played), _peers(played, beside)])


def _flower(folder: Path, clients: int, quick: bool) -> Iterator[tuple[str, Deployed]]:
    """By its engine's name, where that is installed."""
    if is_installed():
        yield "deployment", deployed(folder / "deployment", clients, PARAMETERS, 2 if quick else 5)
    if has_simulation():
        yield "simulation", deployed(folder / "simulation", clients, PARAMETERS, 10 if quick else 50, simulated=True)


def play(folder: Path, trainers: int, validators: int, rounds: int) -> Played:
    with still(folder, trainers, validators, WARM + rounds + 1) as local:
        outs = {name: folder / f"{name}.traffic" for name in local.workers}
        for name, worker in local.workers.items():
            worker.target, worker.arguments = play_counted, (*worker.arguments, outs[name])
        watch = _Watch(local, outs, [WARM + 1, WARM + 1 + rounds // 2, WARM + 1 + rounds])
        with Heads(local.anvil.ws) as heads:
            local.start_all(PATIENCE)
            local.wait_until(watch.is_over, PATIENCE, "the job's end", watch=list(local.workers), every=LOOK)
        found = _rounds(local, heads)[WARM : WARM + rounds]
    between, work = [row for row, _ in found], [seconds for _, seconds in found]
    return Played(trainers, validators, between, work, watch.moments, watch.used, watch.chain / rounds)


class _Watch:
    """Looks at the daemons at the beginning of some rounds. chain: the chain's CPU seconds from the first on."""

    def __init__(self, local: LocalFederation, outs: dict[str, Path], moments: list[int]) -> None:
        self.moments = moments
        self.used: list[dict[str, Used]] = []
        self.chain = 0.0
        self._local, self._outs, self._before = local, outs, 0.0

    def is_over(self) -> bool:
        state = self._local.state()
        if len(self.used) < len(self.moments) and state.round >= self.moments[len(self.used)]:
            self.used.append({name: self._look(name) for name in self._outs})
            spent = cpu_seconds(self._local.anvil.process.pid)
            self._before = self._before or spent
            self.chain = spent - self._before
        return state.phase.is_over

    def _look(self, name: str) -> Used:
        pid = self._local.workers[name].pid or 0
        traffic = Traffic()
        with suppress(OSError):  # nothing was noted yet
            traffic = Traffic(**json.loads(self._outs[name].read_text()))
        return Used(cpu_seconds(pid), proportional_memory(pid), traffic)


def _rounds(local: LocalFederation, heads: Heads) -> list[tuple[list[tuple[float, int]], float]]:
    """Of each finalised round: seconds and blocks before each of STEPS, and its work in seconds."""
    federation, job = local.session.federation, local.posted.job
    events = {artifact("Federation").event(name).topic: name for name in STEPS}
    logs = federation.chain.logs(
        federation.address, [list(events), job.to_bytes(32, "big")], 0, federation.chain.latest()
    )
    rounds, blocks, ended = [], defaultdict[str, list[int]](list), 0
    for log in logs:
        name = events[log.topics[0]]
        blocks[name].append(log.block)
        if name != STEPS[-1]:
            continue
        row, before = [], ended or min(blocks[STEPS[0]])
        for step in STEPS:
            first = min(blocks[step])
            row.append((heads.came[first] - heads.came[before], first - before))
            before = max(blocks[step])
        rounds.append((row, heads.came[before] - heads.came[min(blocks[STEPS[0]])]))
        blocks, ended = defaultdict(list), before
    return rounds


def _times(played: list[Played]) -> Section:
    columns = ["trainers + validators", "work, s", "most", "wait, s", *(f"to {step}" for step in STEPS[1:]), "blocks"]
    rows: list[list[Cell]] = []
    for one in played:
        seconds = [median(row[place][0] for row in one.between) for place in range(len(STEPS))]
        blocks = [median(row[place][1] for row in one.between) for place in range(1, len(STEPS))]
        rows.append([one.name, median(one.work), max(one.work), *seconds, " ".join(f"{count:.0f}" for count in blocks)])
    notes = [
        "Medians over the rounds; between the phases seconds, and in the last column blocks, in the same order.",
        f"Target: 10 + 5 ≤ 0.4 s of work on two processors. {load()}.",
    ]
    return Section("A round without training", columns, rows, notes)


def _costs(played: list[Played]) -> Section:
    columns = ["", "requests", "calls", "kB sent", "kB received", "CPU ms", "chain's CPU ms"]
    rows: list[list[Cell]] = []
    for one in played:
        for kind in KINDS:
            sent, received = (one.each(kind, field) / 1000 for field in ("sent", "received"))
            requests, calls, cpu = (one.each(kind, field) for field in ("requests", "calls", "cpu"))
            chain = 1000 * one.chain if kind == KINDS[0] else None
            rows.append([f"{one.name}: {kind}", requests, calls, sent, received, 1000 * cpu, chain])
    notes = ["By daemon and round, on average. Requests: HTTP's; calls: what is asked in them. Target: ≤ 25 requests."]
    return Section("Requests, bytes and CPU", columns, rows, notes, digits=1)


def _memory(played: list[Played]) -> Section:
    columns = ["", "rounds", "MB at first", "half-way", "at last"]
    rows: list[list[Cell]] = []
    for one in played:
        for kind in KINDS:
            sizes = [mean(u.memory for name, u in used.items() if name.startswith(kind)) / 1e6 for used in one.used]
            rows.append([f"{one.name}: {kind}", one.moments[-1] - one.moments[0], *sizes])
    notes = ["A daemon's own pages, and its share of those that all have (PSS), on average."]
    return Section("Memory", columns, rows, notes, digits=1)


def _peers(played: list[Played], beside: list[list[tuple[str, Deployed]]]) -> Section:
    """The same number of trainers and parameters by Flower's engines."""
    rows: list[list[Cell]] = []
    for one, peers in zip(played, beside, strict=True):
        parties = (one.trainers, one.validators)
        cpu = sum(one.each(kind, "cpu") * count for kind, count in zip(KINDS, parties, strict=True))
        memory = sum(used.memory for used in one.used[-1].values()) / 1e6
        wait = median(row[0][0] for row in one.between)
        rows.append([f"{one.name}: Hansa", median(one.work) + wait, cpu, memory])
        for engine, peer in peers:
            name = f"{one.trainers}: Flower 1.41, {engine}"
            rows.append([name, median(peer.rounds), peer.cpu, peer.memory / 1e6])
    notes = [
        "Seconds of a round by the clock, Hansa's with the wait; CPU of a round, of all processes but Hansa's chain.",
        "Memory: Hansa's the sum of its daemons', Flower's the most of all at one time. Its deployment engine starts",
        "each client's process anew in each round; its simulation engine plays all clients on Ray's processes, one for",
        "each processor, without a network, a chain, keys or a store.",
    ]
    notes += [] if all(len(peers) == 2 for peers in beside) else [f"Not all of Flower is installed: {INSTALL}"]
    return Section("Beside it", ["", "s", "CPU s", "MB"], rows, notes)
