"""One look at a job in one request: the head, the job's state, what one account is in it, and what is new.

A state is asked for at a time, and the head's is known only with the head: it is asked for at the time of the last one.
What comes is the state of now as well, where the phase that it names lasts beyond the head's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hansa.protocol.errors import HansaError
from hansa.protocol.links import NO_KEY
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.chain.abi import ContractError, artifact
from hansa.runtime.chain.blocks import Block, block_request, read_block
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.logs import checked_logs, logs_request
from hansa.runtime.chain.node_errors import NodeError
from hansa.runtime.chain.readings import Reading, decoded, requests_of
from hansa.runtime.chain.rpc import Request
from hansa.runtime.chain.structs import Enrolled, JobState, from_tuple
from hansa.runtime.history.reader import News

TRIES = 3  # while the head moves on


@dataclass(frozen=True)
class Glance:
    """What stands at `head`. own, key: of the accounts that were asked about. news: None where they were not got."""

    head: Block
    state: JobState
    own: Enrolled | None
    key: bytes | None
    news: News | None


@dataclass(frozen=True)
class Glancer:
    """Asks about one job. trainer: whose enrolment is asked for, member: whose encryption key."""

    federation: Federation
    job: JobId
    topics: Sequence[Any]  # of its events
    trainer: Address | None = None
    member: Address | None = None

    def look(self, last: Block, upto: Block | None) -> Glance | None:
        """last: the last head. upto: up to where events were read. None where anything is not as usual: then it is to
        be asked for step by step, with patience."""
        chain = self.federation.chain
        for _ in range(TRIES):
            chain.listen()
            readings = self._readings(last)
            answers = chain.rpc.glance(self._batch(readings, upto))
            if answers is None:
                return None
            try:
                found, last = self._read(readings, answers, last, upto)
            except (HansaError, ValueError):
                return None
            if last.number < chain.floor.least:
                return None
            if found is not None:
                chain.found(found.head)
                return found
        return None

    def _readings(self, last: Block) -> list[Reading]:
        functions, address = artifact("Federation").functions, self.federation.address
        readings: list[Reading] = [(address, functions["stateAt"], (self.job, last.timestamp))]
        if self.trainer is not None:
            readings.append((address, functions["trainerOf"], (self.job, self.trainer)))
        if self.member is not None:
            readings.append((address, functions["keyOf"], (self.member,)))
        return readings

    def _batch(self, readings: Sequence[Reading], upto: Block | None) -> list[Request]:
        """The head comes first and last: what is between is of it where both are the same."""
        head = block_request("latest")
        return [head, *requests_of(readings, "latest"), *self._news_requests(upto), head]

    def _news_requests(self, upto: Block | None) -> list[Request]:
        if upto is None:
            return []
        asked = logs_request(self.federation.address, self.topics, upto.number + 1, "latest")
        return [asked, block_request(hex(upto.number))]

    def _read(
        self, readings: Sequence[Reading], answers: list[Any], last: Block, upto: Block | None
    ) -> tuple[Glance | None, Block]:
        """What was seen, None where it is not all of the head; and the head. HansaError or ValueError for nonsense."""
        head, again = read_block(answers[0], "latest"), read_block(answers[-1], "latest")
        first, rest = answers[1 : len(readings) + 1], answers[len(readings) + 1 : -1]
        told = [decoded(function, _given(answer)) for (_, function, _), answer in zip(readings, first, strict=True)]
        state = from_tuple(JobState, told.pop(0)[0])
        lasts = state.deadline == 0 or head.timestamp < state.deadline
        if head != again or not (last.timestamp <= head.timestamp and lasts) or state.phase == Phase.NONE:
            return None, again
        own = Enrolled(*told.pop(0)) if self.trainer is not None else None
        key = told.pop(0)[0] if self.member is not None else NO_KEY
        news = None if upto is None else self._news(rest, head, upto)
        return Glance(head, state, own, None if key == NO_KEY else key, news), head

    def _news(self, answers: list[Any], head: Block, upto: Block) -> News | None:
        logs, known = answers
        if any(isinstance(answer, NodeError | ContractError) for answer in answers):
            return None  # a node may refuse a span that begins after its head
        start = upto.number + 1
        found = checked_logs(logs, self.federation.address, self.topics, start, head.number)
        return News(read_block(known, hex(upto.number)), tuple(found))


def _given(answer: Any) -> Any:
    if isinstance(answer, NodeError | ContractError):
        raise answer
    return answer
