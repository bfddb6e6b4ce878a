"""A finalised round in words: its metric, and why updates were left out. For `job watch` and the demo."""

from __future__ import annotations

from collections.abc import Mapping

from hansa.cli.job.state import metric_text
from hansa.cli.tables import LONGEST_NAME, shortened
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.tables import USED, VERDICTS
from hansa.protocol.text import counted, escape_untrusted
from hansa.protocol.types import Address
from hansa.runtime.amounts import fixed
from hansa.runtime.history.records import CycleRecord

MOST_NAMED = 4  # updates that were left out, in a line


def updates_text(cycle: CycleRecord, ledger: RoundLedger, names: Mapping[Address, str]) -> str:
    """'3 of 4 updates used: trainer-2's was left out, it made the error larger'. names: of accounts."""
    left = [
        f"{_short(update.trainer, names)}'s {VERDICTS[ledger.judgements[place].code].left_out}"
        for place, update in enumerate(cycle.updates)
        if place not in ledger.included
    ]
    if not left:
        return counted(len(cycle.updates), "update")
    more = [f"{len(left) - MOST_NAMED} more"] if len(left) > MOST_NAMED else []
    used = USED.format(used=len(ledger.included), updates=counted(len(cycle.updates), "update"))
    return f"{used}: {'; '.join(left[:MOST_NAMED] + more)}"


def change_text(metric: int, before: int | None) -> str:
    """'0.8125 (+0.0250)'; before: the metric of the round before, None where there was none. Both in 1e-9."""
    if before is None or NO_METRIC in (metric, before):
        return metric_text(metric)
    change = fixed(metric - before, 9, 4)
    return f"{metric_text(metric)} ({change if metric < before else f'+{change}'})"


def _short(account: Address, names: Mapping[Address, str]) -> str:
    return escape_untrusted(names[account], LONGEST_NAME) if account in names else shortened(account, short=True)
