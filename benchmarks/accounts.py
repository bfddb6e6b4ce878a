"""The privacy account beside that of opacus, another library's: its bounds of the same noise."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from benchmarks.peers import offered
from benchmarks.report import Cell, Section
from client.privacy.accountant import epsilon_of, mu_squared_of, sigma_for

INSTALL = "pip install --target build/bench --no-deps opacus==1.6.0"  # scipy comes with the other peers
ACCOUNTS = {"RDP": "RDPAccountant", "PRV": "PRVAccountant"}


def bounds(sigma: float, steps: int, delta: float) -> dict[str, float] | None:
    """ε of so many full-batch steps by each of opacus' accounts; None where it is not installed."""
    found = offered("opacus.accountants")
    if found is None:
        return None
    made = {name: getattr(found, kind)() for name, kind in ACCOUNTS.items()}
    for accountant in made.values():
        accountant.history = [(sigma, 1.0, steps)]
    with warnings.catch_warnings(action="ignore"):
        return {name: float(accountant.get_epsilon(delta)) for name, accountant in made.items()}


def section(epsilons: Iterable[float], rounds: int, delta: float) -> Section:
    """For each ε the noise that lasts for so many rounds, and what opacus makes of it."""
    rows: list[list[Cell]] = []
    for epsilon in epsilons:
        sigma = sigma_for(mu_squared_of(epsilon, delta), rounds)
        peer = bounds(sigma, rounds, delta) or dict.fromkeys(ACCOUNTS)
        rows.append([f"ε {epsilon:g}", sigma, epsilon_of(rounds / sigma**2, delta), *peer.values()])
    notes = [f"δ {delta:g}, {rounds} steps over all rows. PRV adds 0.01, its own error; RDP is a bound by moments."]
    if offered("opacus.accountants") is None:
        notes.append(f"No peer: {INSTALL}")
    columns = ["budget", "noise, clips", "this account", *(f"opacus {name}" for name in ACCOUNTS)]
    return Section("ε of the same noise, by this account and by opacus'", columns, rows, notes, 3)
