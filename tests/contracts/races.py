"""Calls that compete: sent into one block, in an order that is told."""

from __future__ import annotations

from node import now, together

OK, WRONG, EARLY = "ok", "Federation_WrongPhase", "Federation_TooEarly"
CYCLE = "Federation_WrongCycle"


def race(time, *calls):
    """What became of calls sent into one block: 'ok', or the error without its arguments."""
    receipts = together(time, *calls)
    return [OK if receipt.status else str(receipt.revert_msg).partition(":")[0] for receipt in receipts]


def soon():
    """Some seconds from now, within the phase."""
    return now() + 7
