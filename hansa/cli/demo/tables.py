"""The demo's closing tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from hansa.cli.demo.gas import Gas
from hansa.cli.demo.report import Accuracy, Conservation, Reward, ScoreRow, ValidatorPay
from hansa.cli.job.rounds import change_text
from hansa.cli.job.state import metric_text
from hansa.cli.tables import fitting
from hansa.cli.top.screen import sparkline
from hansa.devnet.federation import LocalFederation
from hansa.protocol.pay import Record
from hansa.protocol.text import counted, escape_untrusted
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token, fixed
from hansa.runtime.snapshot import FullSnapshot

ROUNDS_A_LINE = 8
LINES = {
    "federated": "federated",
    "local_own": "own model, own rows",
    "local_all": "own model, all rows",
    "pooled": "one model, all rows",
    "majority": "commonest answer",
}


def show_accuracy(console: Console, accuracy: Accuracy, measure: str) -> None:
    """The measure by party and in the mean."""
    parties = list(accuracy.federated.by_trainer)
    if not parties:
        return
    width = 30 + sum(max(len(party), 5) + 2 for party in parties)  # with the names of lines, and the mean
    shown = parties if width <= console.width else []
    table = _table(measure, *shown, "mean")
    means = {"pooled": accuracy.pooled, "majority": accuracy.majority, **accuracy.others}
    lines = {name: getattr(accuracy, name) for name in ("federated", "local_own", "local_all")}
    for name, line in {**lines, **{name: ScoreRow(mean, {}) for name, mean in means.items()}}.items():
        if line.mean is None:
            continue
        cells = [f"{line.by_trainer[party]:.3f}" if party in line.by_trainer else "" for party in shown]
        table.add_row(LINES.get(name, name), *cells, f"{line.mean:.3f}", style="bold" if name == "federated" else "")
    console.print(table)


def show_metric(console: Console, name: str, metrics: Sequence[int], baselines: Mapping[str, int]) -> None:
    """The job's metric by round (1e-9), and what its sponsor compares it with."""
    if not metrics:
        return
    known = "".join(f", {escape_untrusted(other)} {metric_text(value)}" for other, value in baselines.items())
    console.print(f"[bold]{name} by round[/], on rows of the validators, larger is better{known}")
    for start in range(0, len(metrics), ROUNDS_A_LINE):
        line = metrics[start : start + ROUNDS_A_LINE]
        console.print(f"  {start + 1:>3}  " + " ".join(f"{metric_text(value):>7}" for value in line))
    change = metrics[-1] - metrics[0]
    bars = sparkline(metrics, min(metrics), max(metrics))
    console.print(f"  {bars}  {change_text(metrics[-1], metrics[0])} since round 1" if change else f"  {bars}")


def show_rewards(
    console: Console, rewards: Sequence[Reward], snapshot: FullSnapshot, local: LocalFederation, token: Token
) -> None:
    """Who got what, and why: the sums that the last round's shares follow, and the share of all pay."""
    total = sum(row.pay for row in rewards)
    names = dict(zip(local.trainers, _labels(local), strict=True))

    def make(whole: bool) -> Table:
        more = ("strikes", "repute") if whole else ()
        table = _table("trainer", "counted", "gain", "news", "share", "pay", *more, "balance")
        for row in rewards:
            record = snapshot.rounds[-1].records.get(row.address, Record()) if snapshot.rounds else Record()
            table.add_row(
                names[row.address],
                _count_included(snapshot, row.address),
                fixed(record.gain, 6, 3),
                fixed(record.news, 6, 3),
                f"{100 * row.pay / total if total else 0.0:.1f} %",
                token.text(row.pay, 2, unit=False),
                *((str(row.strikes), f"{row.reputation / 1e6:.2f}") if whole else ()),
                token.text(row.balance, 2, unit=False),
            )
        return table

    console.print(fitting(console, make, True, False)[0])
    reward = token.text(snapshot.terms.reward_per_round, 2)
    console.print(
        f"[dim]A round pays {reward} in proportion to gain, what a trainer's updates took off the error so far "
        "(thousandths), as far as enough of it was news. `hansa wallet why` explains every token.[/]"
    )


def show_validators(
    console: Console, validators: Sequence[ValidatorPay], token: Token, names: Mapping[Address, str]
) -> None:
    """A line a validator."""
    table = _table("validator", "matched", "wrong", "missed", "paid")
    for row in validators:
        did = row.attendance
        counts = [str(count) for count in (did.matched, did.wrong, did.missed)]
        table.add_row(names[row.address], *counts, token.text(row.paid, 2, unit=False))
    console.print(table)


def show_conservation(console: Console, line: Conservation, token: Token) -> None:
    """Where the escrow went, in one line."""
    parts = " + ".join(
        f"{token.text(getattr(line, name), unit=False)} {name}" for name in ("paid", "refunded", "burnt", "left")
    )
    verdict = "[green]exactly[/]" if line.holds else "[red]not the same[/]"
    console.print(f"{token.text(line.escrowed)} escrowed = {parts}  ({verdict})")


def show_costs(console: Console, gas: Gas, local: LocalFederation) -> None:
    """Gas by call, seconds by step, memory by process."""
    table = _table("gas", "calls", "least", "mean", "most")
    for name, used in sorted(gas.by_call.items(), key=lambda item: -sum(item[1])):
        table.add_row(name, str(len(used)), f"{min(used):,}", f"{gas.mean(name):,}", f"{max(used):,}")
    console.print(table)
    console.print(f"[dim]{counted(gas.transactions, 'transaction')} cost {gas.paid / 1e18:.6f} of the chain's coin[/]")
    if gas.reverted:
        console.print(f"[dim]{gas.reverted} of {counted(gas.transactions, 'transaction')} reverted[/]")
    memory = {name: worker.peak_memory for name, worker in local.workers.items() if worker.peak_memory}
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


def _labels(local: LocalFederation) -> list[str]:
    """Each trainer's account and, where there is one, the party that it plays."""
    task: Any = local.prepared.task
    parties = task.parties() if hasattr(task, "parties") else []
    names = [local.known_as[trainer] for trainer in local.trainers]
    if len(parties) != len(names):
        return names
    return [f"{name} {party}" for name, party in zip(names, parties, strict=True)]


def _count_included(snapshot: FullSnapshot, trainer: Address) -> str:
    """How often its updates counted, e.g. 14/15."""
    places = [cycle.place_of(trainer) for cycle, _ in snapshot.finalised]
    rounds = zip(places, snapshot.rounds, strict=True)
    counted = [place in round_.included for place, round_ in rounds if place is not None]
    return f"{sum(counted)}/{len(counted)}"


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index == 0 or heading == "address" else "right", no_wrap=True)
    return table


def _mega(size: int) -> str:
    return f"{size / 2**20:.0f}"
