"""Facts of a job from a chain, all at one block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hansa.audit.ethereum import check_block, header_bytes, receipt_bytes
from hansa.audit.evidence import Evidence, Question, answer_bytes, fixed_questions, question_key, questions
from hansa.audit.replay import EventReplay
from hansa.audit.report import Wrong
from hansa.protocol.errors import ChainUnavailable, FatalError
from hansa.protocol.types import JobId
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Block, Log, Reading, read_block
from hansa.runtime.chain.federation import Federation

AT_ONCE = 500  # readings in one request


def collect(federation: Federation, job: JobId) -> Evidence:
    """Reads everything that a job left on chain, `confirmations` deep. FatalError where there is no such job,
    WrongChain where the federation is not there (any more)."""
    chain = federation.chain
    federation.check()
    count = federation.job_count()
    if not 1 <= job <= count:
        raise FatalError(
            f"there is no job {job} at {federation.address}",
            cause=f"jobs 1 to {count} are posted" if count else "no job is posted, or the chain was reset",
            next_step="`hansa job list` shows them; an archive of it can be audited with --archive",
        )
    at = chain.below(chain.head(), chain.confirmations)
    logs = _logs(federation, job, at)
    known = Evidence(chain.chain_id, federation.address, federation.vault, job, at, logs, _blocks(federation, logs), {})
    asked = list(fixed_questions(job, at))
    try:
        replay = EventReplay(known)
        replay.events()
        asked += questions(replay.history, len(replay.rules.finalised))
    except Wrong:
        pass  # the audit will say so; what depends on the events is not asked then
    headers, receipts = _proofs(federation, known)
    return replace(known, answers=_answers(federation, asked, at), headers=headers, receipts=receipts)


def _logs(federation: Federation, job: JobId, at: Block) -> tuple[Log, ...]:
    chain, topic = federation.chain, job.to_bytes(32, "big")
    first = chain.first_block
    kinds = [event.topic for event in artifact("Federation").events.values() if event.name != "KeyAnnounced"]
    found = chain.logs(federation.address, [kinds, topic], first, at)
    found += chain.logs(federation.vault, [list(artifact("Vault").events), topic], first, at)
    return tuple(sorted(found, key=lambda log: (log.block, log.index)))


def _blocks(federation: Federation, logs: Iterable[Log]) -> dict[int, Block]:
    numbers = sorted({log.block for log in logs})
    found: dict[int, Block] = {}

    def check(answers: list[object]) -> None:
        for number, answer in zip(numbers, answers, strict=True):
            found[number] = read_block(answer, hex(number))

    if numbers:
        federation.chain.rpc.ask([("eth_getBlockByNumber", [hex(number), False]) for number in numbers], check=check)
    return found


def _proofs(federation: Federation, evidence: Evidence) -> tuple[dict[int, bytes], dict[int, tuple[bytes, ...]]]:
    """Headers and receipts of the blocks with events; nothing where the node or the chain has no such thing."""
    known = {**evidence.blocks, evidence.at.number: evidence.at}
    headers: dict[int, bytes] = {}
    receipts: dict[int, tuple[bytes, ...]] = {}
    try:
        for number, block in sorted(known.items()):
            wanted: list[tuple[str, list[Any]]] = [("eth_getBlockByNumber", [hex(number), False])]
            if number in evidence.blocks:
                wanted.append(("eth_getBlockReceipts", [hex(number)]))
            answers = federation.chain.rpc.ask(wanted)
            headers[number] = header_bytes(answers[0])
            if number in evidence.blocks:
                receipts[number] = tuple(receipt_bytes(receipt) for receipt in answers[1])
            check_block(block, headers[number], receipts.get(number))
    except (ChainUnavailable, Wrong, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}
    return headers, receipts


def _answers(federation: Federation, asked: list[Question], at: Block) -> Mapping[bytes, bytes]:
    addresses = {"Federation": federation.address, "Vault": federation.vault}
    found: dict[bytes, bytes] = {}
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        readings: list[Reading] = [(addresses[of], artifact(of).functions[name], given) for of, name, given in part]
        for question, reading, values in zip(part, readings, federation.chain.read(readings, at), strict=True):
            found[question_key(question)] = answer_bytes(reading[1], values)
    return found
