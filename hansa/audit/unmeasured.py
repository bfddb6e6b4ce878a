"""Sheets that are silent: what a validator says whose measurements are not finite."""

from __future__ import annotations

from hansa.audit.report import Report
from hansa.protocol.errors import Malformed
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.sheet import decode_sheet
from hansa.protocol.types import Code
from hansa.runtime.history.records import CycleRecord


def note_silent_sheets(report: Report, cycle: CycleRecord) -> None:
    """Notes each sheet of a cycle that gives gain and news of 0 to every update that it calls ok."""
    for revealed in cycle.sheets:
        try:
            ok = [entry for entry in decode_sheet(revealed.sheet, len(cycle.updates)) if entry.code == Code.OK]
        except Malformed:
            continue
        if ok and not any(entry.gain or entry.news for entry in ok):
            report.gap(
                f"what {cycle.committee[revealed.seat]} measured in cycle {cycle_counter(cycle.cycle)}",
                "its sheet gives every update 0, as one does whose measurements are not finite",
                expected=True,
            )
