"""What nodes say of the block that everything rests on: no archive can tell which block is on the chain."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.audit.facts import Facts
from hansa.audit.report import Finding, Report
from hansa.protocol.errors import ChainUnavailable
from hansa.protocol.text import redact
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.witness import Stance


def compare_block(facts: Facts, urls: Sequence[str], report: Report) -> None:
    """Asks each endpoint for the block's hash: a finding where it has another one, a gap where it does not say.

    FatalError for a URL that is none.
    """
    at = facts.at
    for url in urls:
        name, chain = redact(url), Chain([url])
        try:
            if chain.chain_id != facts.chain_id:
                report.fail(Finding(f"the chain of {name}", str(facts.chain_id), str(chain.chain_id)))
                continue
            [stance] = chain.witnessed(at).told.values()
        except ChainUnavailable:
            stance = Stance.SILENT
        finally:
            chain.close()
        if stance is Stance.AGREES:
            report.ok("endpoints that have this very block")
        elif stance is Stance.DIFFERS:
            report.fail(Finding(f"block {at.number} by {name}", f"0x{at.hash.hex()}", "another block, or none"))
        else:
            report.gap(f"block {at.number} by {name}", f"it {stance.value}")
