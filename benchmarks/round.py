"""A whole round at scale: every party a process of its own, a real store and chain, and no training to speak of."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.clocked import NAMES, Timed, play_clocked
from benchmarks.deployed import Deployed, deployed, is_installed
from benchmarks.peers import INSTALL
from benchmarks.processes import cpu_seconds
from benchmarks.report import Cell, Plot, Report, Section, load
from hansa.devnet.federation import LocalFederation
from hansa.devnet.setup import Setup
from hansa.protocol.types import Phase

MILLION = 10**6
LONG = 4 * 3600  # seconds of each phase: however slow the machine, none runs out
PATIENCE = 1800.0  # seconds
TASK = "benchmarks.synthetic:Synthetic"
SHOWN = (Phase.SUBMIT, Phase.SCORE, Phase.REVEAL, Phase.VOTE, Phase.FINALIZE)
KINDS = ("trainer", "validator")


@dataclass
class Party:
    """What one process did in the last round. cpu: seconds, all told; memory: bytes at its peak, in all rounds;
    start: bytes before it did anything."""

    name: str
    cpu: float
    calls: list[Timed]
    memory: int
    start: int

    def spent(self, step: str, wall: bool = False) -> float:
        return sum(call.wall if wall else call.cpu for call in self.calls if call.step == step)


@dataclass
class Measured:
    """phases: seconds of the last round by the clock; the rounds before it are in `rounds` only."""

    parties: list[Party]
    rounds: list[float]
    phases: dict[str, float]

    def of(self, kind: str) -> list[Party]:
        return [party for party in self.parties if party.name.startswith(kind)]


def run(
    quick: bool,
    trainers: int | None = None,
    parameters: int | None = None,
    validators: int = 3,
    rounds: int = 2,
) -> Report:
    trainers = trainers or (4 if quick else 10)
    parameters = parameters or (MILLION if quick else 25 * MILLION)
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder) / "hansa", trainers, parameters, validators, rounds)
        peer = deployed(Path(folder) / "flower", trainers, parameters, rounds) if is_installed() else None
    title = f"Round {rounds} of {trainers} × {parameters:,} int8, {validators} validators"
    sections = [
        _by_party(found, title, trainers, parameters),
        _by_step(found, "Seconds by step, mean over the parties"),
        _by_phase(found, "Seconds of the clock"),
        _beside(found, peer, trainers, parameters),
    ]
    plot = Plot(
        title,
        "CPU seconds, mean",
        NAMES,
        {kind: [mean(party.spent(step) for party in found.of(kind)) for step in NAMES] for kind in KINDS},
    )
    return Report("round", quick, sections, plots=[plot])


def measured(folder: Path, trainers: int, parameters: int, validators: int, rounds: int) -> Measured:
    """Plays a job of so many rounds; the last is measured. Of one round alone the daemons' start may be a part."""
    setup = Setup(
        task=TASK,
        trainers=trainers,
        validators=validators,
        rounds=rounds,
        times=dict.fromkeys(("enrol", "open", "submit", "score", "reveal", "vote", "finalize"), LONG),
        settings={"parameters": parameters},
    )
    with LocalFederation(setup, folder) as local:
        outs = {name: folder / f"{name}.json" for name in local.workers}
        for name, worker in local.workers.items():
            role = replace(worker.arguments[0])
            role.fields["allow"] = frozenset([TASK])
            worker.target, worker.arguments = play_clocked, (role, outs[name])
        watch = _Watch(local)
        local.start_all(PATIENCE)
        local.wait_until(watch.is_over, PATIENCE * rounds, "the job's end", watch=list(local.workers))
        local.wait_until(lambda: all(out.is_file() for out in outs.values()), PATIENCE, "the daemons' figures")
        parties = []
        for name, out in outs.items():
            known: dict[str, Any] = json.loads(out.read_text())
            calls = [Timed(*call) for call in known["calls"]]
            calls = [call for call in calls if watch.began[-2] <= call.at <= watch.began[-1]]
            parties.append(
                Party(name, watch.cpu[-1][name] - watch.cpu[-2][name], calls, known["memory"], known["start"])
            )
    lengths = [later - sooner for sooner, later in zip(watch.began, watch.began[1:], strict=False)]
    return Measured(parties, lengths, watch.phases)


class _Watch:
    """Looks at a federation until its job is over. began, cpu: the clock and each process's CPU seconds at the last
    look before a round, since its first steps may be over at the next, and at the end."""

    def __init__(self, local: LocalFederation) -> None:
        self.began: list[float] = []
        self.cpu: list[dict[str, float]] = []
        self.phases: dict[str, float] = {}
        self._local = local
        self._round = 0
        self._phase: tuple[Phase, float] | None = None
        self._before = (time.monotonic(), dict.fromkeys(local.workers, 0.0))  # as at the last look; none has started

    def is_over(self) -> bool:
        state, now = self._local.state(), time.monotonic()
        cpu = dict(self._before[1])  # of who has ended: as at the last look
        for name, worker in self._local.workers.items():
            with suppress(FileNotFoundError, ProcessLookupError):
                cpu[name] = cpu_seconds(worker.pid)
        is_new = state.phase in SHOWN and state.round > self._round
        if is_new or state.phase.is_over:
            before = self._before if is_new else (now, cpu)
            self._round = state.round
            self.began.append(before[0])
            self.cpu.append(before[1])
            self.phases = self.phases if state.phase.is_over else {}
        self._before = (now, cpu)
        if self._phase is not None and self._phase[0] in SHOWN:
            name = self._phase[0].name.lower()
            self.phases[name] = self.phases.get(name, 0.0) + now - self._phase[1]
        self._phase = (state.phase, now)
        return state.phase.is_over


def _by_party(found: Measured, title: str, trainers: int, parameters: int) -> Section:
    columns = [
        "",
        "CPU s, mean",
        "CPU s, most",
        "of it known steps",
        "peak MB, mean",
        "peak MB, most",
        "× float32 model",
    ]
    rows: list[list[Cell]] = []
    for kind in KINDS:
        parties = found.of(kind)
        extra = max(party.memory - party.start for party in parties)
        beside = trainers * parameters if kind == "validator" else parameters
        rows.append([
            f"{len(parties)} {kind}s",
            mean(party.cpu for party in parties),
            max(party.cpu for party in parties),
            mean(sum(party.spent(step) for step in NAMES) for party in parties),
            mean(party.memory for party in parties) / 1e6,
            max(party.memory for party in parties) / 1e6,
            (extra - beside) / (4 * parameters),
        ])  # fmt: skip
    notes = [
        f"{load()}. Peak: VmHWM, with {parties[0].start / 1e6:.0f} MB of interpreter and torch;",
        "× float32 model: without those and the bytes of the updates themselves, as multiples of the model's.",
    ]
    return Section(title, columns, rows, notes)


def _by_step(found: Measured, title: str) -> Section:
    columns = ["", *(f"{kind}, {what}" for kind in KINDS for what in ("CPU s", "clock s"))]
    rows: list[list[Cell]] = []
    for step in NAMES:
        cells = [mean(party.spent(step, wall) for party in found.of(kind)) for kind in KINDS for wall in (False, True)]
        rows.append([step, *cells])
    rest = [mean(party.cpu - sum(map(party.spent, NAMES)) for party in found.of(kind)) for kind in KINDS]
    rows.append(["all else", rest[0], None, rest[1], None])
    notes = ["`(task)` is the made-up training and gradient itself; a call counts where it ends."]
    return Section(title, columns, rows, notes)


def _by_phase(found: Measured, title: str) -> Section:
    rows: list[list[Cell]] = [[f"round {number}", seconds] for number, seconds in enumerate(found.rounds, 1)]
    rows += [[f"  of the last: {name}", seconds] for name, seconds in found.phases.items()]
    return Section(title, ["", "s"], rows)


def _beside(found: Measured, peer: Deployed | None, trainers: int, parameters: int) -> Section:
    """The same round without training by Flower's deployment: a server that averages, and nobody who checks it."""
    ours = [found.rounds[-1], sum(party.cpu for party in found.parties), sum(p.memory for p in found.parties) / 1e6]
    rows: list[list[Cell]] = [["Hansa: int8, sealed, screened, measured, voted by three", *ours]]
    if peer is not None:
        rows.append(["Flower 1.41: float32, one server's mean", peer.rounds[-1], peer.cpu, peer.memory / 1e6])
    notes = [
        "The last round. CPU: of all processes but Hansa's chain; Flower's by round, on average.",
        "Memory: Hansa's the sum of each process's peak, Flower's the most of all at one time.",
        "Flower starts a client's process anew in each round.",
    ]
    notes += [] if peer else [f"Flower is not installed: {INSTALL}"]
    return Section(f"Beside it: {trainers} × {parameters:,}", ["", "s", "CPU s", "MB"], rows, notes)
