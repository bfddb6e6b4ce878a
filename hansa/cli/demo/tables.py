"""The demo's closing tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table

from hansa.cli.demo.report import is_conserved
from hansa.protocol.pay import Record

if TYPE_CHECKING:
    from rich.console import Console

    from hansa.cli.demo.gas import Gas
    from hansa.devnet.federation import LocalFederation
    from hansa.runtime.amounts import Token
    from hansa.runtime.snapshot import FullSnapshot

LINES = {
    "federated": "federated",
    "local_own": "own model, own rows",
    "local_all": "own model, all rows",
    "pooled": "one model, all rows",
    "majority": "commonest answer",
}


def show_accuracy(console: Console, data: Mapping[str, Any], measure: str) -> None:
    """The measure by party and in the mean."""
    accuracy = data["accuracy"]
    parties = list(accuracy["federated"]["by_trainer"])
    if not parties:
        return
    width = 30 + sum(max(len(party), 5) + 2 for party in parties)  # with the names of lines, and the mean
    shown = parties if width <= console.width else []
    table = _table(measure, *shown, "mean")
    for name, line in accuracy.items():
        by_party = line["by_trainer"] if isinstance(line, dict) else {}
        mean = line["mean"] if isinstance(line, dict) else line
        if mean is None:
            continue
        cells = [f"{by_party[party]:.3f}" if party in by_party else "" for party in shown]
        table.add_row(LINES.get(name, name), *cells, f"{mean:.3f}", style="bold" if name == "federated" else "")
    console.print(table)


def show_rewards(
    console: Console, data: Mapping[str, Any], view: FullSnapshot, lab: LocalFederation, token: Token
) -> None:
    """Who got what, and why: the averages that the last round's shares follow, and the share of all pay."""
    total = sum(int(row["pay"]) for row in data["rewards"])
    names = dict(zip(lab.trainers, _labels(lab), strict=True))
    table = _table("trainer", "counted", "gain", "news", "share", "pay", "strikes", "repute", "balance")
    for row in data["rewards"]:
        record = view.rounds[-1].records.get(row["address"], Record()) if view.rounds else Record()
        part = int(row["pay"]) / total if total else 0.0
        table.add_row(
            names[row["address"]],
            _verdicts(view, row["address"]),
            f"×{record.cg / record.dg:.2f}" if record.dg else "–",
            f"×{record.cn / record.dn:.2f}" if record.dn else "–",
            f"{100 * part:.1f} %",
            token.text(int(row["pay"]), 2, unit=False),
            str(row["strikes"]),
            f"{row['reputation'] / 1e6:.2f}",
            token.text(int(row["balance"]), 2, unit=False),
        )
    console.print(table)
    reward = token.text(view.context.terms.reward_per_round, 2)
    console.print(
        f"[dim]A round pays {reward} by the smallest of three running averages: gain (it helps), news (it brought "
        "data) and fresh (it still does; not shown); ×1 is the mean. `hansa wallet why` explains every token.[/]"
    )


def show_validators(console: Console, data: Mapping[str, Any], token: Token) -> None:
    table = _table("validator", "matched", "wrong", "missed", "paid")
    for row in data["validators"]:
        counts = [str(row[name]) for name in ("matched", "wrong", "missed")]
        table.add_row(_short(row["address"]), *counts, token.text(int(row["paid"]), 2, unit=False))
    console.print(table)


def show_conservation(console: Console, data: Mapping[str, Any], token: Token) -> None:
    line = data["conservation"]
    parts = " + ".join(
        f"{token.text(int(line[name]), unit=False)} {name}" for name in ("paid", "refunded", "burnt", "left")
    )
    verdict = "[green]exactly[/]" if is_conserved(line) else "[red]not the same[/]"
    console.print(f"{token.text(int(line['escrowed']))} escrowed = {parts}  ({verdict})")


def show_costs(console: Console, gas: Gas, lab: LocalFederation) -> None:
    """Gas by call, seconds by step, memory by process."""
    table = _table("gas", "calls", "least", "mean", "most")
    for name, used in sorted(gas.by_call.items(), key=lambda item: -sum(item[1])):
        table.add_row(name, str(len(used)), f"{min(used):,}", f"{gas.mean(name):,}", f"{max(used):,}")
    console.print(table)
    if gas.reverted:
        console.print(f"[dim]{gas.reverted} of {gas.transactions} transactions reverted[/]")
    memory = {name: worker.peak_memory for name, worker in lab.workers.items() if worker.peak_memory}
    if memory:
        groups: dict[str, list[int]] = {}
        for name, peak in memory.items():
            groups.setdefault(name.partition("-")[0], []).append(peak)
        each = ", ".join(f"{kind} {_mega(min(peaks))}–{_mega(max(peaks))} MB" for kind, peaks in groups.items())
        console.print(
            f"memory by process (shared pages divided): {each}; {len(memory)} daemons {_mega(sum(memory.values()))} MB"
        )


def show_time(console: Console, took: Mapping[str, float], phases: Mapping[str, float], seconds: float) -> None:
    """Where the time went."""
    parts = [f"{name} {value:.1f}" for name, value in took.items() if value >= 0.05]
    console.print(f"[bold]{seconds:.1f} s[/]: " + ", ".join(parts))
    if phases:
        console.print("  of the rounds: " + ", ".join(f"{name} {value:.1f}" for name, value in phases.items()))


def _labels(lab: LocalFederation) -> list[str]:
    task: Any = lab.prepared.task
    parties = task.parties() if hasattr(task, "parties") else []
    count = len(lab.trainers)
    return parties if len(parties) == count else [f"trainer-{i}" for i in range(1, count + 1)]


def _verdicts(view: FullSnapshot, trainer: str) -> str:
    """How often its updates counted, e.g. 14/15."""
    included = submitted = 0
    for (cycle, _), round_ in zip(view.finalised, view.rounds, strict=True):
        for place, update in enumerate(cycle.updates):
            if update.trainer == trainer:
                submitted += 1
                included += place in round_.included
    return f"{included}/{submitted}"


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index == 0 or heading == "address" else "right", no_wrap=True)
    return table


def _short(address: str) -> str:
    return f"{address[:8]}…{address[-4:]}"


def _mega(size: int) -> str:
    return f"{size / 2**20:.0f}"
