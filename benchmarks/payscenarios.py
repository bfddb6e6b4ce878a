"""Who plays in each line of the pay table: riders, the absent, the split, liars on the committee.

The subject, x, is a rider without rows, or one of the honest trainers (each in turn, by the seed) who does something
else. Its pay is compared with the whole pay, or with what the same trainer gets in an honest job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks import riders
from benchmarks.simulate import Behaviour, Job, Lie, Player, Sheets, play
from benchmarks.worlds import World, cut
from hansa.protocol.sheet import LIMIT, Entry
from hansa.protocol.types import Code

WEIGHT = 10
"""Everybody's bond, in units of the least one: a trainer can split it into two and ten."""
Against = Literal["all pay", "honest"]


@dataclass(frozen=True)
class Scenario:
    """subjects: whose pay is added up; against: what it is divided by; target: the most that was aimed at."""

    name: str
    job: Job
    subjects: tuple[str, ...]
    against: Against
    target: str = ""


@dataclass(frozen=True)
class Setting:
    """What all scenarios of one world and seed share."""

    world: World
    rounds: int
    steps: int
    seed: int
    seats: int

    @property
    def subject(self) -> int:
        return self.seed % len(self.world.rows)

    @property
    def name(self) -> str:
        return f"trainer {self.subject}"

    def players(self) -> list[Player]:
        return [Player(f"trainer {i}", rows, weight=WEIGHT) for i, rows in enumerate(self.world.rows)]

    def job(self, players: Sequence[Player], lie: Lie | None = None) -> Job:
        return Job(self.world, tuple(players), self.rounds, self.steps, self.seed, self.seats, lie=lie)

    def honest(self) -> Job:
        return self.job(self.players())


def scenarios(setting: Setting) -> list[Scenario]:
    return [*_riders(setting), *_workers(setting), *_split(setting), *_liars(setting), *_converged(setting)]


def _riders(setting: Setting) -> list[Scenario]:
    found = []
    for name, act in riders.RIDERS.items():
        rider = Player("x", None, act, WEIGHT)
        target = "0" if name == "copier" else "≤ 1"
        job = setting.job([*setting.players(), rider])
        found.append(Scenario(f"rider: {name}", job, ("x",), "all pay", target))
    return found


def _workers(setting: Setting) -> list[Scenario]:
    def fair(attended: int) -> str:
        return f"fair {100 * attended / setting.rounds:.0f}"

    behaviours: dict[str, tuple[Behaviour, str]] = {
        "absent in rounds 1–3": (riders.in_rounds(lambda r: r > 3), fair(setting.rounds - 3)),
        "absent in every second round": (riders.in_rounds(lambda r: r % 2 == 1), fair((setting.rounds + 1) // 2)),
        "works in round 1 only, then absent": (riders.in_rounds(lambda r: r == 1), "≤ 15"),
        "works in round 1 only, then rides": (riders.in_rounds(lambda r: r == 1, riders.delta_noise), "≤ 15"),
        "works in round 3 only, rides otherwise": (riders.in_rounds(lambda r: r == 3, riders.delta_noise), ""),
        "works in round 1 only, then the course + half of it": (partial(riders.mixed, 0.5), ""),
        "works in round 1 only, then the course − half of it": (partial(riders.mixed, -0.5), ""),
        "stale: sends round 1's work again": (riders.stale, ""),
    }
    found = []
    for name, (act, target) in behaviours.items():
        players = setting.players()
        players[setting.subject] = replace(players[setting.subject], act=act)
        found.append(Scenario(name, setting.job(players), (setting.name,), "honest", target))
    return found


def _split(setting: Setting) -> list[Scenario]:
    found = []
    for parts in (2, 10):
        players = setting.players()
        whole = players.pop(setting.subject)
        assert whole.rows is not None
        pieces = cut(whole.rows, parts, setting.seed)
        several = [Player(f"part {i}", rows, weight=WEIGHT // parts) for i, rows in enumerate(pieces)]
        players[setting.subject : setting.subject] = several
        names = tuple(player.name for player in several)
        target = "≤ 105" if parts == 2 else ""
        found.append(Scenario(f"one trainer as {parts}", setting.job(players), names, "honest", target))
    return found


def _liars(setting: Setting) -> list[Scenario]:
    quorum = setting.seats // 2 + 1
    lies: dict[str, tuple[Lie, str]] = {}
    for number in (1, 5):
        quorum_lies = f"quorum lies in round {number}"
        lies[f"{quorum_lies} for a friend"] = (_lying(setting, LIMIT, quorum, {number}), "≤ 150")
        alone = _lying(setting, LIMIT, quorum, {number}, alone=True)
        lies[f"{quorum_lies} for a friend, all others 0"] = (alone, "≤ 150")
        lies[f"{quorum_lies} against a victim"] = (_lying(setting, -LIMIT, quorum, {number}), "")
    if setting.seats == 3:
        always = set(range(1, setting.rounds + 1))
        one_lies = "1 of 3 absent, 1 lies every round"
        lies[f"{one_lies} for a friend"] = (_lying(setting, LIMIT, 1, always, alone=True, absent=1), "")
        # Of two sheets' values the one nearer 0 counts: a lone liar takes most by saying 0.
        lies[f"{one_lies} against a victim"] = (_lying(setting, 0, 1, always, absent=1), "")
    return [
        Scenario(name, setting.job(setting.players(), lie), (setting.name,), "honest", target)
        for name, (lie, target) in lies.items()
    ]


def _lying(setting: Setting, value: int, liars: int, rounds: set[int], *, alone: bool = False, absent: int = 0) -> Lie:
    """The first `liars` seats give the subject's update this gain and news, and with `alone` all others 0; the last
    `absent` seats reveal no sheet."""
    who = setting.name

    def lie(number: int, submitted: Sequence[str], sheets: Sheets) -> Sheets:
        revealed = sheets[: len(sheets) - absent]
        if number not in rounds or who not in submitted:
            return revealed
        for sheet in revealed[:liars]:
            if alone:
                sheet[:] = [Entry(entry.code) for entry in sheet]
            sheet[submitted.index(who)] = Entry(Code.OK, value, value)
        return revealed

    return lie


def _converged(setting: Setting) -> list[Scenario]:
    """From a model that four times as many rounds have trained already: little is left to measure but noise."""
    trained = play(replace(setting.honest(), rounds=4 * setting.rounds, rule="mean"))
    start: dict[str, NDArray[np.float32]] = trained.models[-1].tensors
    found = []
    for name in ("noise", "delta + noise"):
        players = [*setting.players(), Player("x", None, riders.RIDERS[name], WEIGHT)]
        job = replace(setting.job(players), start=start)
        found.append(Scenario(f"converged start, rider: {name}", job, ("x",), "all pay"))
    return found
