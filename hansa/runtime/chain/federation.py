"""Typed reads of one federation and its vault, each at a block; and the calls that change them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from hansa.protocol.errors import ChainUnavailable, FatalError, WrongChain
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.links import NO_KEY
from hansa.protocol.types import Address, BlockNumber, CycleId, JobId, Phase, Place, Wei
from hansa.runtime.chain.abi import ContractError, artifact
from hansa.runtime.chain.bytecode import require_contract
from hansa.runtime.chain.calls import Call, Calls, approve_call, transfer_call
from hansa.runtime.chain.client import Block, Chain, Reading, Witness, read_log
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.chain.node_errors import Nonsense
from hansa.runtime.chain.structs import Books, Enrolled, JobState, JobTerms, T, address, from_tuple

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
        require_contract(self.chain, self.address, "federation")

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

    def is_missed(self, job: JobId) -> bool:
        """Whether a job that was there was not at the last look."""
        return job in self._gone

    def came_later(self, job: JobId, block: Block) -> bool:
        """Whether a job was found, and only at later blocks than this."""
        return block.number < self._since.get(job, BlockNumber(0))

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
        self, job: JobId, block: Block, state: JobState, trainers: Mapping[Address, Enrolled] | None = None
    ) -> Witness:
        """What every endpoint says of `block`, and of the job and these trainers at it: see Chain.witnessed."""
        functions, own = artifact("Federation").functions, trainers or {}
        readings: list[Reading] = [(self.address, functions["stateAt"], (job, block.timestamp))]
        readings += [(self.address, functions["trainerOf"], (job, trainer)) for trainer in own]

        def agrees(answers: list[tuple[Any, ...]]) -> bool:
            return self._record(JobState, answers[0][0]) == state and answers[1:] == list(own.values())

        return self.chain.witnessed(block, readings, agrees)

    def witnessed_contracts(self) -> Witness:
        """What every endpoint says of the newest block that is settled, and of the contracts at it: of the latest where
        they are younger than that."""
        reading = (self.address, artifact("Federation").functions["vault"], ())
        latest = self.chain.latest()
        at = self.chain.below(latest, self.chain.confirmations)
        if at != latest:
            try:
                self.chain.read([reading], at)
            except WrongChain:
                at = latest
        return self.chain.witnessed(at, [reading], lambda answers: address(answers[0][0]) == self.vault)

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

    def check_terms(self, job: JobId) -> None:
        """ChainUnavailable where another endpoint tells other terms: no event and no accumulator binds them."""
        known, reading = self.terms(job), (self.address, artifact("Federation").functions["termsOf"], (job,))
        others = self.chain.contradicted(
            self.chain.latest(), [reading], lambda answers: self._record(JobTerms, answers[0][0]) == known
        )
        if others:
            raise ChainUnavailable(
                f"endpoints don't agree on the terms of job {job}",
                cause=f"{', '.join(others)} tells others",
                next_step="ask the sponsor for them, and name no endpoint that invents any",
            )

    def who_denies_bonds(self, job: JobId, bonds: Mapping[Address, Wei]) -> list[str]:
        """Endpoints that tell other bonds of trainers; the next one is preferred then."""
        function = artifact("Federation").functions["trainerOf"]
        readings: list[Reading] = [(self.address, function, (job, trainer)) for trainer in bonds]
        others = self.chain.contradicted(
            self.chain.latest(), readings, lambda answers: [bond for _, _, bond in answers] == list(bonds.values())
        )
        if others:
            self.chain.distrust()
        return others

    def terms_hash(self, job: JobId) -> bytes:
        """What `enrol` agrees to, from what the contracts hold."""
        return self.terms(job).hash(self.books(job).escrowed, self.sponsor(job))

    def sponsor(self, job: JobId) -> Address:
        return self.state(job).sponsor

    def job_count(self) -> int:
        return int(self._read("jobCount"))

    def trainer(self, job: JobId, trainer: Address, at: Block | None = None) -> Enrolled:
        return self.trainers(job, [trainer], at)[0]

    def trainers(self, job: JobId, trainers: Sequence[Address], at: Block | None = None) -> list[Enrolled]:
        """As `trainer`, for many in one request."""
        function = artifact("Federation").functions["trainerOf"]
        readings: list[Reading] = [(self.address, function, (job, trainer)) for trainer in trainers]
        return [
            Enrolled(bool(known), int(counter), Wei(bond)) for known, counter, bond in self.chain.read(readings, at)
        ]

    def enrolments(self, trainer: Address, jobs: Sequence[JobId], at: Block | None = None) -> set[JobId]:
        """Those of `jobs` that a trainer is enrolled in, in one request."""
        function = artifact("Federation").functions["trainerOf"]
        readings: list[Reading] = [(self.address, function, (job, trainer)) for job in jobs]
        return {job for job, (enrolled, *_) in zip(jobs, self.chain.read(readings, at), strict=True) if enrolled}

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

    def allowance(self, token: Address, owner: Address, at: Block | None = None) -> Wei:
        """What the vault may take from `owner`."""
        function = artifact("RewardToken").functions["allowance"]
        return Wei(self.chain.read([(token, function, (owner, self.vault))], at)[0][0])

    def approvals(self, token: Address, owner: Address, amount: int, at: Block | None = None) -> list[Call]:
        """What `owner` sends to let the vault take `amount`; nothing where it may. What an earlier approval left is
        taken back first: some tokens change none that is not zero."""
        left = self.allowance(token, owner, at)
        amounts = [] if left >= amount else [0, amount] if left else [amount]
        return [approve_call(token, self.vault, each) for each in amounts]

    # --- committees and keys

    def expected_committee(self, job: JobId, terms: JobTerms, state: JobState) -> tuple[Address, ...] | None:
        """The members of the next cycle where they are known before it opens: kept, or the same whatever is drawn."""
        if state.committee_kept:
            return state.committee
        select = artifact("ICommittee").functions["select"]
        counter = cycle_counter(state.cycle) + 1
        readings: list[Reading] = [
            (terms.committee, select, (job, counter, draw, state.opened_at)) for draw in (bytes(32), bytes([1]) * 32)
        ]
        try:
            (members,), (others,) = self.chain.read(readings, sender=self.address)
            return tuple(address(member) for member in members) if members == others else None
        except (ContractError, Nonsense, WrongChain, ValueError):
            return None

    def announced_keys(self, accounts: Sequence[Address], at: Block | None = None) -> list[bytes | None]:
        """Each account's X25519 key, that is in force for a cycle that opens next; None: none. In one request."""
        function = artifact("Federation").functions["keyOf"]
        readings: list[Reading] = [(self.address, function, (account,)) for account in accounts]
        return [key if key != NO_KEY else None for (key,) in self.chain.read(readings, at)]

    def announced_key(self, account: Address, at: Block | None = None) -> bytes | None:
        return self.announced_keys([account], at)[0]

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
