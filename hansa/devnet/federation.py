"""A federation on this machine: a chain, stores, a posted job, and every daemon a process that can be killed.

    with LocalFederation(Setup(rounds=3), directory) as federation:
        federation.start_all()
        federation.kill("trainer-2")
        federation.start("trainer-2")
        federation.wait_for_end()

The demo shows one, end-to-end tests break one.
"""

from __future__ import annotations

import contextlib
import functools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from eth_account import Account

from hansa.devnet.admissions import Admitting
from hansa.devnet.anvil import Anvil, published_key
from hansa.devnet.bootstrap import bootstrap
from hansa.devnet.chain_file import ChainFile
from hansa.devnet.chains.starting import ANVIL, start_chain
from hansa.devnet.folder import account_names
from hansa.devnet.gasless import relay_places, take_coin
from hansa.devnet.kubo import KuboNode, start_nodes
from hansa.devnet.pools import post_with_committee
from hansa.devnet.processes import Worker, warm_up
from hansa.devnet.roles import Role, measure_baselines, play
from hansa.devnet.setup import Setup, offer_of, phase_times, settings_of
from hansa.protocol.errors import TransientError
from hansa.protocol.types import Address
from hansa.runtime.accounts import address_of
from hansa.runtime.chain.structs import JobState
from hansa.runtime.chain.timing import fitted, pace_of
from hansa.runtime.claims import claim
from hansa.runtime.deploy import trusting
from hansa.runtime.job import JobContext
from hansa.runtime.session import Session
from hansa.runtime.snapshot import read_job
from hansa.runtime.transactions.signer import Signer, signing_with
from hansa.runtime.workspace import Workspace
from hansa.sponsor.admission import AdmissionChoice
from hansa.sponsor.committees import COUPLED
from hansa.sponsor.post import PreparedJob, prepare, with_baselines
from hansa.sponsor.privacy import with_privacy
from hansa.sponsor.terms import JobOffer
from hansa.sponsor.validation import DEALT, with_validation
from hansa.tasks.loading import BUILT_IN

SPONSOR = "sponsor"


class LocalFederation(Admitting):
    """A running federation. Every daemon has a name: trainer-1, …, validator-1, …; the sponsor is this process."""

    anvil: Anvil
    prepared: PreparedJob
    times: dict[str, int]  # seconds by phase

    def __init__(
        self, setup: Setup, directory: Path, *, say: Callable[[str], None] = lambda text: None, outlived: bool = False
    ) -> None:
        """outlived: chain and nodes may stay when this process is gone (`stop(keep_chain=True)`)."""
        self.setup = setup
        self.outlived = outlived
        self._kept = False
        self.workspace = Workspace(directory)
        self.names = account_names(setup.trainers, setup.appointed + setup.stakers)
        self.workers: dict[str, Worker] = {}
        self.nodes: dict[str, KuboNode] = {}
        self.took: dict[str, float] = {}  # seconds by step
        self.say = say
        self._study: Worker | None = None
        self._relays = relay_places(setup)

    # --- from nothing to a posted job

    def __enter__(self) -> LocalFederation:
        try:
            warm_up()
            self._set_up()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, TransientError):
                self.check_chain()  # why nothing answers
        finally:
            self.stop()

    def _set_up(self) -> None:
        self.workspace.dir.mkdir(parents=True, exist_ok=True)
        with self.timed("chain and contracts"):
            self.say("starting a chain")
            self.anvil = start_chain(
                self.setup.chain,
                self.workspace.dir,
                accounts=len(self.names),
                orphan=self.outlived,
                idle=self.setup.idle_chain,
            )
            if self.setup.store == "kubo":
                self.say(f"starting {len(self.names)} Kubo nodes")
                self.nodes = start_nodes(self.workspace.dir / "kubo", self.names, orphan=self.outlived)
            self.say("deploying the contracts")
            deployment = bootstrap(self.workspace, self.anvil, self.names, name="demo", store=self._store_of(SPONSOR))
        with self.timed("task and job"):
            self.say("preparing the task")
            self.prepared = prepare(
                self.setup.task,
                seed=self.setup.seed,
                settings=settings_of(self.setup),
                steps=self.setup.steps,
                publish_keys=self.setup.publish_keys,
            )
            if self.setup.validation_rows == DEALT:
                self.prepared = with_baselines(self.prepared, self.setup.validators)
            if self.setup.rehearsed:
                self.say("rehearsing the task")
            self.times = phase_times(self.setup, self.prepared)
            self.prepared, _ = with_privacy(self.prepared, self.offer, self.setup.privacy)
            self.prepared, _ = with_validation(self.prepared, self.offer, self.setup.validation_rows)
            self.session = Session(deployment)
            if self.setup.chain != ANVIL:
                self.times = {**fitted(self.times, {}, pace_of(self.session.chain)), **self.setup.times}
            choice = self.prepare_admission()
            self.say("posting the job")
            self.post(choice)

    def post(self, choice: AdmissionChoice, rounds: int | None = None) -> None:
        offer = self.offer if rounds is None else replace(self.offer, rounds=rounds)
        with self.sponsor() as signer:
            parts = (self.setup, offer, self.prepared, self.validators, choice)
            self.posted = post_with_committee(self.session, self.workspace, signer, *parts)
        self._trust_job()
        if self.setup.gasless:
            take_coin(self.anvil, self.trainers)
        for index, name in enumerate(self.names[1:], 1):
            self.workers[name] = self._worker(name, index)

    def _trust_job(self) -> None:
        task, file = self.prepared.spec.task, self.prepared.file
        own = [] if task in BUILT_IN else [task if file is None else str(file.resolve())]
        known, posted = self.session.deployment, self.posted
        self.session.deployment = trusting(known, posted.committee, own, posted.admission)
        self.session.deployment.save(self.workspace.deployment_file)

    def _store_of(self, name: str) -> dict[str, str] | None:
        """A Kubo node for each; the embedded store is one folder for all."""
        return {"kind": "kubo", "api": self.nodes[name].api} if self.nodes else None

    def _worker(self, name: str, index: int) -> Worker:
        deployment = self.session.deployment
        if (store := self._store_of(name)) is not None:
            deployment = deployment.updated(store=store)
        file = self.prepared.file
        fields: dict[str, Any] = {
            "deployment": deployment,
            "journal": self.workspace.dir / "journals" / f"{name}.sqlite",
            "job": self.posted.job,
            "task_file": file,
            "allow": frozenset([str(file)] if file else []),
        }
        kind = name.partition("-")[0]
        if kind == "trainer":
            own: dict[str, Any] = {"source": self.setup.sources[index - 1], "wait_for_bond": 30.0}
            own["relays"] = tuple(f"http://{place}" for place in self._relays.values())
            fields |= {**own, **self.setup.trainer_options}
        if kind == "trainer" and self.setup.consensus == COUPLED:
            kind, fields["validation"] = COUPLED, self.setup.validation_of(index - 1)
        if kind == "validator":
            fields["validation"] = self.setup.validation_of(index - 1 - self.setup.trainers)
            if threads := self.setup.validator_threads:
                fields["threads"] = threads[(index - 1 - self.setup.trainers) % len(threads)]
        role = Role(kind, published_key(index), fields, self._relays.get(name))
        return Worker(name, play, (role,), self.workspace.dir / "logs" / f"{name}.jsonl")

    # --- who and what

    @property
    def offer(self) -> JobOffer:
        return offer_of(self.setup, self.prepared, self.times)

    @functools.cached_property
    def context(self) -> JobContext:
        return JobContext.read(self.session.federation, self.session.store, self.posted.job)

    def address(self, name: str) -> Address:
        return address_of(self.workspace, name)

    @functools.cached_property
    def known_as(self) -> dict[Address, str]:
        """What each account is called."""
        return {self.address(name): name for name in self.names}

    @property
    def trainers(self) -> list[Address]:
        return [self.address(name) for name in self.names if name.startswith("trainer")]

    @property
    def validators(self) -> list[Address]:
        return [self.address(name) for name in self.names if name.startswith("validator")]

    @property
    def members(self) -> list[Address]:  # everybody who may have a seat
        return self.trainers if self.setup.consensus == COUPLED else self.validators

    @contextlib.contextmanager
    def sponsor(self) -> Iterator[Signer]:
        account = Account.from_key(published_key(0))
        with signing_with(self.session.chain, account, self.workspace.journal(account.address)) as signer:
            yield signer

    def state(self) -> JobState:
        return self.session.federation.state(self.posted.job, self.session.chain.head())

    @contextlib.contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds what a step takes to `took`."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.took[step] = self.took.get(step, 0.0) + time.monotonic() - began

    # --- daemons

    def start(self, name: str) -> None:
        """Starts a daemon, or starts it again after it was killed."""
        self.workers[name].start()

    def kill(self, name: str) -> None:
        """SIGKILL: nothing is written any more, nothing is said."""
        self.workers[name].kill()

    def start_all(self, timeout: float | None = None) -> None:
        """Starts the members first, waits until their encryption keys are in force, then the trainers."""
        timeout = max(60.0, self.times["score"]) if timeout is None else timeout
        members = [name for name in self.workers if name.startswith("validator")]
        trainers = [name for name in self.workers if name.startswith("trainer")]
        if self.setup.shuffle is not None:
            order = random.Random(self.setup.shuffle)
            order.shuffle(members)
            order.shuffle(trainers)
        with self.timed("start of the daemons"):
            for name in members:
                self.start(name)
            self.say("waiting for the validators' encryption keys")
            self.wait_until(lambda: all(self.keys_announced()), timeout, "the validators' keys", watch=members)
            for name in trainers:
                self.start(name)

    def keys_announced(self) -> list[bool]:
        """By validator: whether updates can be sealed to it from the next block on."""
        keys = self.session.federation.announced_keys(tuple(self.validators))
        return [key is not None for key in keys]

    def start_study(self) -> Path:
        """Measures the baselines in a process beside the daemons; the file is there when it is done."""
        out = self.workspace.dir / "baselines.json"
        out.unlink(missing_ok=True)
        study = (self.prepared.spec, self.offer.rounds, self.prepared.file, out)
        self._study = Worker("baselines", measure_baselines, study, self.workspace.dir / "logs" / "baselines.log")
        self._study.start()
        return out

    def finish_study(self, out: Path, timeout: float = 300.0) -> bool:
        """Waits for the baselines; False when they did not come."""
        return self._study is not None and self._study.join(timeout) and out.is_file()

    # --- the end

    def settle(self) -> None:
        """Claims for everybody who is not there to do it: rewards, fees, bonds, the sponsor's rest; sends what is
        burnt. Ends the books of the job."""
        federation, job = self.session.federation, self.posted.job
        self.wait_until(
            lambda: self.session.chain.head().timestamp >= federation.books(job).slash_until,
            60.0,
            "the bonds to be free",
        )
        view = read_job(federation, self.session.store, job)
        with self.sponsor() as signer:
            for account in [*self.trainers, *self.validators, signer.address]:
                claim(view, federation, signer, account)
            if federation.books(job).burnt:
                signer.do(federation.send_burnt_call(job))

    def stop(self, *, keep_chain: bool = False) -> None:
        """Ends the daemons, and chain and nodes unless they are to be kept. Idempotent."""
        workers = [*self.workers.values(), *([self._study] if self._study else [])]
        for worker in workers:
            worker.ask_to_end()
        for worker in workers:
            worker.stop()
        if hasattr(self, "session"):
            self.session.chain.close()
        self._kept = self._kept or keep_chain
        if self._kept:
            nodes = [node.process.pid for node in self.nodes.values()]
            ChainFile.of(self.anvil, *nodes, kept=True).save(self.workspace.dir)
            return
        for node in self.nodes.values():
            node.stop()
        if hasattr(self, "anvil"):
            self.anvil.stop()
