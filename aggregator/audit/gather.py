"""Facts of a job from a chain, all at one block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aggregator.audit.facts import Facts, Question, answer_bytes, fixed_questions, question_key, questions
from aggregator.audit.report import Wrong
from aggregator.audit.walk import Walk
from protocol.chain.client import Block, Log, Reading, read_block
from protocol.chain.codec import artifact
from protocol.chain.federation import Federation
from protocol.errors import FatalError
from protocol.types import JobId

AT_ONCE = 500  # readings in one request


def gather(federation: Federation, job: JobId) -> Facts:
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
    known = Facts(chain.chain_id, federation.address, federation.vault, job, at, logs, _blocks(federation, logs), {})
    asked = list(fixed_questions(job, at))
    try:
        walk = Walk(known)
        walk.events()
        asked += questions(walk.history, len(walk.course.finalised))
    except Wrong:
        pass  # the audit will say so; what depends on the events is not asked then
    answers = _answers(federation, asked, at)
    return Facts(known.chain_id, known.federation, known.vault, job, at, logs, known.blocks, answers)


def _logs(federation: Federation, job: JobId, at: Block) -> tuple[Log, ...]:
    chain, topic = federation.chain, job.to_bytes(32, "big")
    first = chain.first_block
    kinds = [event.topic for event in artifact("Federation").events.values() if event.name != "KeyAnnounced"]
    found = chain.logs(federation.address, [kinds, topic], first, at)
    found += chain.logs(federation.vault, [list(artifact("Vault").events), topic], first, at)
    members = sorted(members_of(found))
    if members:
        keys = [bytes(12) + bytes.fromhex(member[2:]) for member in members]
        found += chain.logs(federation.address, [artifact("Federation").event("KeyAnnounced").topic, keys], first, at)
    return tuple(sorted(found, key=lambda log: (log.block, log.index)))


def members_of(logs: Iterable[Log]) -> set[str]:
    """Everybody who had a seat, in lower case."""
    event = artifact("Federation").event("CycleOpened")
    opened = (log for log in logs if log.topics[:1] == (event.topic,))
    return {member for log in opened for member in event.decode(log.topics, log.data)["committee"]}


def _blocks(federation: Federation, logs: Iterable[Log]) -> dict[int, Block]:
    numbers = sorted({log.block for log in logs})
    found: dict[int, Block] = {}

    def check(answers: list[object]) -> None:
        for number, answer in zip(numbers, answers, strict=True):
            found[number] = read_block(answer, hex(number))

    if numbers:
        federation.chain.rpc.ask([("eth_getBlockByNumber", [hex(number), False]) for number in numbers], check=check)
    return found


def _answers(federation: Federation, asked: list[Question], at: Block) -> Mapping[bytes, bytes]:
    addresses = {"Federation": federation.address, "Vault": federation.vault}
    found: dict[bytes, bytes] = {}
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        functions = [artifact(contract).functions[name] for contract, name, _ in part]
        readings: list[Reading] = [
            (addresses[contract], function, arguments)
            for (contract, _, arguments), function in zip(part, functions, strict=True)
        ]
        for question, function, values in zip(part, functions, federation.chain.read(readings, at), strict=True):
            found[question_key(question)] = answer_bytes(function, values)
    return found


