"""Options of differential privacy, and what is shown of a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, cast

from rich.console import Console

from client.privacy.accountant import Unit, epsilon_of
from client.privacy.budget import PrivacySettings
from client.privacy.ledger import NAME, PrivacyLedger
from hansa.cli.command import in_panel
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.federation import Federation
from hansa.runtime.workspace import Workspace

PRIVACY = in_panel("Differential privacy")


@dataclass(frozen=True)
class BudgetOptions:
    """All but --epsilon say how; without it none is taken."""

    epsilon: Annotated[
        float | None,
        PRIVACY(
            "--epsilon",
            help="Give away no more of your rows than this, in all jobs together: updates get noise. Off by default.",
        ),
    ] = None
    delta: Annotated[float, PRIVACY("--delta", help="How likely more than that may be told.")] = 1e-5
    clip: Annotated[float, PRIVACY("--clip", help="The longest gradient of a row; a longer one is shortened.")] = 1.0
    unit: Annotated[
        str, PRIVACY("--unit", help="Whom it protects: one row, or the party (everything that you have).")
    ] = "row"
    dp_steps: Annotated[int, PRIVACY("--dp-steps", help="Steps a round, each over all rows.", min=1, max=1000)] = 1
    slow: Annotated[
        bool, PRIVACY("--slow", help="One row's gradient after the other: for modules that can't be vectorised.")
    ] = False

    def settings(
        self, workspace: Workspace, *, rounds: int | None = None, colluders: int | None = None
    ) -> PrivacySettings | None:
        """FatalError for a budget that is none, or for options without one."""
        if self.epsilon is None:
            given = [field.name for field in fields(self) if getattr(self, field.name) != field.default]
            if given:
                raise FatalError(
                    f"--{given[0].replace('_', '-')} is given without --epsilon",
                    cause="it says how to keep a privacy budget, and there is none",
                    next_step="add --epsilon, such as --epsilon 2, or leave it out",
                )
            return None
        return PrivacySettings(
            file=workspace.dir / NAME,
            epsilon=self.epsilon,
            delta=self.delta,
            clip=self.clip,
            unit=cast(Unit, self.unit),
            rounds=rounds,
            steps=self.dp_steps,
            colluders=colluders,
            slow=self.slow,
        )


@dataclass(frozen=True)
class PrivacyOptions(BudgetOptions):
    """Those of a trainer's own machine."""

    rounds: Annotated[
        int | None, PRIVACY("--rounds", help="How many rounds the budget shall last; the job's by default.", min=1)
    ] = None
    colluders: Annotated[
        int | None,
        PRIVACY(
            "--colluders",
            help="In a masked job: add a part of the noise, the others of the group the rest, though so many of them "
            "may tell theirs. All of it is your own by default.",
            min=0,
        ),
    ] = None

    def own_settings(self, workspace: Workspace) -> PrivacySettings | None:
        return self.settings(workspace, rounds=self.rounds, colluders=self.colluders)


@dataclass(frozen=True)
class PrivacyStatus:
    """What the rows that a trainer last used in a job have spent, in all jobs; None: without bound.

    replaced: ε where a row is exchanged for another, not left out; alone: where no noise but the trainer's own counts.
    """

    unit: str
    epsilon: float  # the budget
    delta: float
    spent: float | None
    left: float
    replaced: float | None
    alone: float | None
    updates: int


def privacy_status(file: Path, federation: Federation, job: JobId, account: Address) -> PrivacyStatus | None:
    """None where a trainer has had no budget in a job."""
    if not file.is_file():
        return None
    place = f"{federation.chain.chain_id}/{federation.address.lower()}"
    with PrivacyLedger(file) as ledger:
        found = ledger.standing(place, job, account.lower())
    if found is None:
        return None
    squared = found.spent.of(found.unit)
    spent, alone = epsilon_of(squared, found.delta), epsilon_of(found.spent.alone, found.delta)
    replaced = epsilon_of(4 * squared if found.unit == "row" else squared, found.delta)
    return PrivacyStatus(
        unit=found.unit,
        epsilon=found.epsilon,
        delta=found.delta,
        spent=_rounded(spent),
        left=max(0.0, round(found.epsilon - spent, 4)),
        replaced=_rounded(replaced),
        alone=_rounded(alone),
        updates=found.releases,
    )


def _rounded(epsilon: float) -> float | None:
    return None if math.isinf(epsilon) else round(epsilon, 4)


def show_privacy(console: Console, found: PrivacyStatus) -> None:
    """A budget in two lines."""
    spent = "no bound" if found.spent is None else f"ε {found.spent:.3g} of {found.epsilon:g} spent"
    unit = f"δ {found.delta:g}, unit {found.unit}"
    console.print(f"  privacy     {spent}, {found.left:.3g} left ({unit}), over all jobs on these rows")
    notes = []
    if found.unit == "row" and found.replaced is not None:
        notes.append(f"ε {found.replaced:.3g} where a row is exchanged for another")
    if found.alone != found.spent and found.alone is not None:
        notes.append(f"ε {found.alone:.3g} by your own noise alone")
    if notes:
        console.print(f"              {'; '.join(notes)}")
