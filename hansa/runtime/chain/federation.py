"""Typed reads of one federation and its vault, each at a block; and the calls that change them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hansa.protocol.errors import ChainUnavailable, FatalError, HansaError, WrongChain
from hansa.protocol.types import Address, BlockNumber, CycleId, JobId, Phase, Place, Wei
from hansa.runtime.chain.abi import BadEncoding, ContractError, artifact
from hansa.runtime.chain.calls import Call, Calls, approve_call, transfer_call
from hansa.runtime.chain.client import Block, Chain, Reading, Witness, read_log
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.node_errors import Nonsense, is_behind
from hansa.runtime.chain.structs import Books, JobState, JobTerms, T, address, from_tuple

__all__ = [
    "Books",
    "Call",
    "Federation",
    "JobState",
    "JobTerms",
    "approve_call",
    "transfer_call",
    "vault_of",
]

GONE_SECONDS = 600.0  # for which a job that was there is waited for, where every endpoint says that it is not


class _NoJob(FatalError):
    """A job that isn't there."""


class Federation(Calls):
    """Reads at the latest block unless `at` names one. ChainUnavailable, or WrongChain where nothing is deployed."""

    def __init__(self, chain: Chain, deployment: Deployment) -> None:
        self.chain = chain
        self.deployment = deployment
        self.address = deployment.federation
        self.vault = deployment.vault
        self._terms: dict[JobId, JobTerms] = {}
        self._since: dict[JobId, BlockNumber] = {}  # the first block at which a job was found
        self._gone: dict[JobId, float] = {}  # since when a job that was there is not, monotonic seconds

    def check(self) -> None:
        """WrongChain unless every endpoint is the deployment's chain and its contracts are there."""
        self.chain.rpc.check_all()
        self.chain.require_contract(self.address, "federation")

        def check(answers: list[tuple[Any, ...]]) -> None:
            if address(answers[0][0]) != self.vault:
                raise FatalError(
                    f"the federation {self.address} has another vault than {self.vault}",
                    cause="deployment.json was changed by hand, or belongs to another federation",
                    next_step="ask whoever deployed it for the file",
                )

        self.chain.read([(self.address, artifact("Federation").functions["vault"], ())], check=check)

    # --- a job

    def place(self, job: JobId, cycle: CycleId) -> Place:
        return Place(self.chain.chain_id, self.address, job, cycle)

    def state(self, job: JobId, at: Block | None = None) -> JobState:
        """A job at a block, its phase as of that block's time; Phase.NONE where it isn't there.

        A job that was there, and that a reorganisation took, is ChainUnavailable for GONE_SECONDS; then a FatalError.
        """
        block = at if at is not None else self.chain.head()
        found: list[JobState] = []

        def check(answers: list[tuple[Any, ...]]) -> None:
            found.append(self._record(JobState, answers[0][0]))
            if found[-1].phase == Phase.NONE:
                raise _NoJob(f"there is no job {job} at {self.address}")

        reading = (self.address, artifact("Federation").functions["stateAt"], (job, block.timestamp))
        try:
            self.chain.read([reading], block, check)
            self._came_back(job, block)
        except _NoJob as error:
            self._has_gone(job, block, error)
        return found[-1]

    def _has_gone(self, job: JobId, block: Block, error: _NoJob) -> None:
        """Raises what it means that a job isn't there; nothing for one that wasn't at an earlier block either."""
        if job not in self._since or block.number < self._since[job]:
            return
        if time.monotonic() - self._gone.setdefault(job, time.monotonic()) > GONE_SECONDS:
            raise error
        raise ChainUnavailable(
            f"job {job} is not on the chain any more", cause="a reorganisation took it", next_step="it may come back"
        ) from error

    def _came_back(self, job: JobId, block: Block) -> None:
        """Notes that a job is there; FatalError where it is another one since a reorganisation took it."""
        self._since.setdefault(job, block.number)
        before = self._terms.pop(job, None) if self._gone.pop(job, None) is not None else None
        if before is not None and self.terms(job) != before:
            raise FatalError(f"job {job} is another one since a reorganisation", next_step="look at its terms anew")

    def witnessed(
        self, job: JobId, block: Block, state: JobState, trainers: Mapping[Address, tuple[bool, int]] | None = None
    ) -> Witness:
        """What every endpoint says of `block`, and of the job and these trainers at it: see Chain.witnessed."""
        functions, own = artifact("Federation").functions, trainers or {}
        readings: list[Reading] = [(self.address, functions["stateAt"], (job, block.timestamp))]
        readings += [(self.address, functions["trainerOf"], (job, trainer)) for trainer in own]

        def agrees(answers: list[tuple[Any, ...]]) -> bool:
            return self._record(JobState, answers[0][0]) == state and answers[1:] == list(own.values())

        return self.chain.witnessed(block, readings, agrees)

    def witnessed_contracts(self) -> Witness:
        """What every endpoint says of the latest block, and of the contracts at it."""
        reading = (self.address, artifact("Federation").functions["vault"], ())
        return self.chain.witnessed(
            self.chain.latest(), [reading], lambda answers: address(answers[0][0]) == self.vault
        )

    def states(self, jobs: Sequence[JobId], at: Block) -> list[JobState]:
        """As `state`, for many in one request."""
        function = artifact("Federation").functions["stateAt"]
        readings: list[Reading] = [(self.address, function, (job, at.timestamp)) for job in jobs]
        return [self._record(JobState, found) for (found,) in self.chain.read(readings, at)]

    def terms(self, job: JobId) -> JobTerms:
        """Read once: they never change. FatalError where there is no such job."""
        if job not in self._terms:

            def check(answers: list[tuple[Any, ...]]) -> None:
                found = self._record(JobTerms, answers[0][0])
                if found.seats == 0:
                    raise _NoJob(
                        f"there is no job {job} at {self.address}", next_step="`hansa job list` shows those there are"
                    )
                self._terms[job] = found

            self.chain.read([(self.address, artifact("Federation").functions["termsOf"], (job,))], check=check)
        return self._terms[job]

    def sponsor(self, job: JobId) -> Address:
        return self.state(job).sponsor

    def job_count(self) -> int:
        return int(self._read("jobCount"))

    def trainer(self, job: JobId, trainer: Address, at: Block | None = None) -> tuple[bool, int]:
        """Whether it is enrolled, and the counter of the last cycle that it submitted in (0: none)."""
        return self.trainers(job, [trainer], at)[0]

    def trainers(self, job: JobId, trainers: Sequence[Address], at: Block | None = None) -> list[tuple[bool, int]]:
        """As `trainer`, for many in one request."""
        function = artifact("Federation").functions["trainerOf"]
        readings: list[Reading] = [(self.address, function, (job, trainer)) for trainer in trainers]
        return [(bool(enrolled), int(counter)) for enrolled, counter in self.chain.read(readings, at)]

    def enrolments(self, trainer: Address, jobs: Sequence[JobId], at: Block | None = None) -> set[JobId]:
        """Those of `jobs` that a trainer is enrolled in, in one request."""
        function = artifact("Federation").functions["trainerOf"]
        readings: list[Reading] = [(self.address, function, (job, trainer)) for job in jobs]
        return {job for job, (enrolled, _) in zip(jobs, self.chain.read(readings, at), strict=True) if enrolled}

    # --- money

    def books(self, job: JobId, at: Block | None = None) -> Books:
        return self._record(Books, self._read_vault("booksOf", job, at=at)[0])

    def bond(self, job: JobId, trainer: Address, at: Block | None = None) -> Wei:
        return Wei(self._read_vault("bondOf", job, trainer, at=at)[0])

    def bonds(self, job: JobId, trainers: Sequence[Address], at: Block | None = None) -> list[Wei]:
        """As `bond`, for many in one request."""
        function = artifact("Vault").functions["bondOf"]
        readings: list[Reading] = [(self.vault, function, (job, trainer)) for trainer in trainers]
        return [Wei(held) for (held,) in self.chain.read(readings, at)]

    def fees(self, job: JobId, member: Address, at: Block | None = None) -> Wei:
        """Booked for a member and not claimed yet; what its present seat counts is not among them."""
        return Wei(self._read_vault("feesOf", job, member, at=at)[0])

    def claimed(self, job: JobId, trainer: Address, round_: int, at: Block | None = None) -> bool:
        return bool(self._read_vault("isClaimed", job, trainer, round_, at=at)[0])

    def claimed_rounds(self, job: JobId, trainer: Address, rounds: Sequence[int], at: Block | None = None) -> set[int]:
        """Those of `rounds` that are claimed, in one request."""
        function = artifact("Vault").functions["isClaimed"]
        readings: list[Reading] = [(self.vault, function, (job, trainer, round_)) for round_ in rounds]
        return {round_ for round_, (done,) in zip(rounds, self.chain.read(readings, at), strict=True) if done}

    def token_balance(self, token: Address, owner: Address, at: Block | None = None) -> Wei:
        return Wei(self.chain.read([(token, artifact("RewardToken").functions["balanceOf"], (owner,))], at)[0][0])

    def allowance(self, token: Address, owner: Address) -> Wei:
        """What the vault may take from `owner`."""
        function = artifact("RewardToken").functions["allowance"]
        return Wei(self.chain.read([(token, function, (owner, self.vault))])[0][0])

    # --- committees and keys

    def expected_committee(self, job: JobId, terms: JobTerms, state: JobState) -> tuple[Address, ...] | None:
        """The members that the next `open` would draw, as far as that can be asked before; None where it can't."""
        if state.committee_kept:
            return state.committee
        select = artifact("ICommittee").functions["select"]
        try:
            drawn = self.chain.read([(terms.committee, select, (job, state.cycle, bytes(32), state.opened_at))])[0][0]
            return tuple(address(member) for member in drawn)
        except (ContractError, Nonsense, WrongChain, ValueError):
            return None

    def member_keys(self, committee: Sequence[Address], before_block: BlockNumber) -> list[bytes | None]:
        """Each member's X25519 key: the last one announced before the block that opened the cycle; None: none."""
        event = artifact("Federation").event("KeyAnnounced")
        topics = [bytes(12) + bytes.fromhex(member[2:]) for member in committee]
        if not topics or before_block <= self.chain.first_block:
            return [None] * len(committee)
        last = self.chain.block(before_block - 1)
        found: dict[bytes, bytes] = {}
        for log in self.chain.logs(self.address, [event.topic, topics], self.chain.first_block, last):
            try:
                found[log.topics[1]] = event.decode(log.topics, log.data)["key"]
            except BadEncoding as error:
                raise Nonsense("KeyAnnounced", error) from error
        return [found.get(topic) for topic in topics]

    def agreed_member_keys(self, committee: Sequence[Address], before_block: BlockNumber) -> list[bytes | None]:
        """As `member_keys`. ChainUnavailable unless every endpoint that answers names the same, and none lags."""

        def ask(chain: Chain) -> list[bytes | None] | HansaError:
            try:
                return Federation(chain, self.deployment).member_keys(committee, before_block)
            except HansaError as error:
                return error

        if len(self.chain.rpc.endpoints) == 1:
            return self.member_keys(committee, before_block)
        with ThreadPoolExecutor() as pool:
            told = list(pool.map(ask, self.chain.alone))
        keys = [found for found in told if isinstance(found, list)]
        errors = [error for error in told if isinstance(error, HansaError)]
        if not keys or any(isinstance(error, ChainUnavailable) and is_behind(error) for error in errors):
            raise errors[0]
        if any(found != keys[0] for found in keys):
            raise ChainUnavailable("the RPC endpoints name different encryption keys of the committee")
        return keys[0]

    def announced_key(self, account: Address) -> bytes | None:
        """The key that would be in force if a cycle opened in the next block."""
        return self.member_keys([account], BlockNumber(self.chain.head().number + 1))[0]

    def posted_in(self, receipt: Mapping[str, Any]) -> JobId:
        """The job that a transaction posted."""
        event = artifact("Federation").event("JobPosted")
        logs = (read_log(entry) for entry in receipt.get("logs") or ())
        for log in logs:
            if log.address == self.address.lower() and log.topics[:1] == (event.topic,):
                return JobId(int.from_bytes(log.topics[1], "big"))
        raise FatalError("the transaction posted no job")

    # --- reading

    def _read(self, function: str, *arguments: Any, at: Block | None = None) -> Any:
        return self.chain.read([(self.address, artifact("Federation").functions[function], arguments)], at)[0][0]

    def _read_vault(self, function: str, *arguments: Any, at: Block | None = None) -> tuple[Any, ...]:
        return self.chain.read([(self.vault, artifact("Vault").functions[function], arguments)], at)[0]

    @staticmethod
    def _record(kind: type[T], values: Sequence[Any]) -> T:
        try:
            return from_tuple(kind, values)
        except ValueError as error:
            raise Nonsense(kind.__name__, error) from error


def vault_of(chain: Chain, federation: Address) -> Address:
    return address(chain.read([(federation, artifact("Federation").functions["vault"], ())])[0][0])
