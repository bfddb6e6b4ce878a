"""Whether a job's events are all that its blocks hold, and at the places that they are said to be."""

from __future__ import annotations

from hansa.audit.ethereum import check_block
from hansa.audit.evidence import Evidence
from hansa.audit.report import Finding, Wrong, require_equal, shown
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Log


def check_proofs(evidence: Evidence) -> bool:
    """Raises Wrong where headers and receipts say something else than the facts. False where there are none."""
    if not evidence.headers and not evidence.receipts:
        return False
    require_equal("blocks with a header", set(evidence.blocks) | {evidence.at.number}, set(evidence.headers))
    require_equal("blocks with receipts", set(evidence.blocks), set(evidence.receipts))
    known = {**evidence.blocks, evidence.at.number: evidence.at}
    at = evidence.at
    require_equal("the block that the answers are of", at, evidence.blocks.get(at.number, at))
    said: dict[int, list[Log]] = {}
    for log in evidence.logs:
        said.setdefault(log.block, []).append(log)
    for number, block in sorted(known.items()):
        logs = check_block(block, evidence.headers[number], evidence.receipts.get(number))
        held = [log for log in logs if _concerns(evidence, log)]
        for one, other in zip(held, said.get(number, []), strict=False):
            if one != other:
                held_and_said = _describe(one), _describe(other)
                raise Wrong(Finding("an event, by its block's receipts", *held_and_said, block=number))
        require_equal("events of the job, by the block's receipts", len(held), len(said.get(number, [])), block=number)
    return True


def _concerns(evidence: Evidence, log: Log) -> bool:
    if len(log.topics) < 2:
        return False
    of_job = log.topics[1] == evidence.job.to_bytes(32, "big")
    if log.address == evidence.vault.lower():
        return of_job and log.topics[0] in artifact("Vault").events
    federation = artifact("Federation")
    if log.address != evidence.federation.lower() or log.topics[0] not in federation.events:
        return False
    return of_job and log.topics[0] != federation.event("KeyAnnounced").topic


def _describe(log: Log) -> str:
    return f"index {log.index} of {log.address}, topics {shown(log.topics)}, data {shown(log.data)}"
