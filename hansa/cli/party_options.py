"""Options of `hansa up` and `hansa demo`: who fills the committee, who may train, who pays for gas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from hansa.cli.command import in_panel
from hansa.devnet.admissions import ADMISSIONS
from hansa.sponsor.committees import APPOINTED, CONSENSUS

PARTIES = in_panel("Parties")


@dataclass(frozen=True)
class PartyOptions:
    """As they were typed; None: not at all."""

    consensus: Annotated[
        str | None,
        PARTIES("--consensus", help=f"Who fills the committee: {', '.join(CONSENSUS)}; {APPOINTED} by default."),
    ] = None
    admission: Annotated[
        str | None,
        PARTIES(
            "--admission", help="Who may train: open, credential, or reputation (of an earlier job); open by default."
        ),
    ] = None
    gasless: Annotated[bool, PARTIES("--gasless", help="Trainers have no coin: they sign, validators send.")] = False

    def chosen(self) -> dict[str, Any]:
        """Fields of a `Setup`."""
        return {
            "consensus": self.consensus or APPOINTED,
            "admission": self.admission or ADMISSIONS[0],
            "gasless": self.gasless,
        }
