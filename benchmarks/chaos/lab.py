"""One chain with the contracts on it, from which every job begins anew: each is played on a fresh copy of it, by a node
of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from benchmarks.chaos.daemon import play_in_chaos
from benchmarks.chaos.nodes import Nodes, nodes_before
from benchmarks.chaos.plan import ROUNDS, TRAINERS, Plan
from benchmarks.chaos.store import StoreNode, Stores, start_store, stores_before
from hansa.devnet import processes
from hansa.devnet.anvil import Anvil, start_anvil
from hansa.devnet.bootstrap import bootstrap
from hansa.devnet.federation import LocalFederation
from hansa.devnet.folder import account_names
from hansa.devnet.setup import Setup, phase_times, settings_of
from hansa.protocol.privacy import MASKED
from hansa.runtime.chain.deployment import Deployment
from hansa.runtime.session import Session
from hansa.runtime.workspace import Workspace
from hansa.sponsor.admission import EVERYBODY
from hansa.sponsor.post import prepare
from hansa.sponsor.privacy import usual_seats, with_privacy
from hansa.sponsor.terms import JobOffer

ROOT: Final = Path(__file__).resolve().parents[2]
TASK: Final = "benchmarks.chaos.linear:Linear"
PRELOADED: Final = (TASK.partition(":")[0], "hansa.runtime.store.kubo", "benchmarks.chaos.daemon")
LONG: Final = 4 * 3600  # seconds of each phase: however slow the machine, none runs out by itself
PHASES: Final = ("enrol", "open", "submit", "score", "reveal", "vote", "finalize", "attest", "release")
MOST_STAKERS: Final = 9
REST: Final = 7 * 10**18 + 1  # of the escrow, that no round costs: the sponsor is to have it back


class GenerousOffer(JobOffer):
    @property
    def escrow(self) -> int:
        return super().escrow + REST


@dataclass
class Ground:
    """What all jobs share; the chain is saved in a file when it has nothing but the contracts."""

    folder: Path
    anvil: Anvil
    nodes: Nodes
    store: StoreNode
    stores: Stores
    deployment: Deployment

    def again(self) -> None:
        """The chain as it was saved, at the same address."""
        port = urlsplit(self.anvil.url).port
        self.anvil.stop()
        self.anvil = _anvil(self.folder, port=port, state=self.saved, gas_limit=self.anvil.gas_limit)

    @property
    def saved(self) -> Path:
        return self.folder / "ground" / "chain"


def _anvil(folder: Path, **options: Any) -> Anvil:
    """Blocks come with transactions, and when the stage makes one."""
    accounts = len(account_names(TRAINERS, MOST_STAKERS))
    return start_anvil(folder / "anvil.log", accounts=accounts, idle=True, **options)


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Chain, contracts, store and the nodes before them, while it is entered."""
    os.environ["PYTHONPATH"] = str(ROOT)  # the warm process knows no working folder, and others have a `benchmarks` too
    for name in PRELOADED:
        if name not in processes.PRELOAD:
            processes.PRELOAD.insert(-1, name)
    workspace = Workspace(folder / "ground")
    workspace.dir.mkdir(parents=True)
    names = account_names(TRAINERS, MOST_STAKERS)
    anvil = _anvil(folder)
    there: Ground | None = None
    try:
        with nodes_before(anvil.url) as nodes, start_store(folder / "files") as store, stores_before(store) as stores:
            deployment = bootstrap(workspace, anvil, names, name="chaos", store={"kind": "kubo", "api": stores.api})
            there = Ground(folder, anvil, nodes, store, stores, deployment)
            anvil.save(there.saved)
            yield there
    finally:
        (anvil if there is None else there.anvil).stop()


class ChaosFederation(LocalFederation):
    """A job on the ground's chain; its daemons ask two nodes each, of which one may lie."""

    def __init__(self, ground: Ground, plan: Plan, folder: Path) -> None:
        super().__init__(setup_of(plan), folder)
        self.ground, self.plan = ground, plan
        self.before: dict[str, int] = {}  # tokens by account's name, when the job was posted
        self.first = 0  # the block after which the job was posted

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    @property
    def offer(self) -> JobOffer:
        return GenerousOffer(**vars(super().offer))

    def _set_up(self) -> None:
        self.ground.again()
        self.workspace.dir.mkdir(parents=True)
        shutil.copytree(Workspace(self.ground.folder / "ground").keys, self.workspace.keys)
        self.anvil = self.ground.anvil
        task = self.setup.task
        self.prepared = prepare(task, seed=self.setup.seed, settings=settings_of(self.setup), steps=self.setup.steps)
        self.times = phase_times(self.setup, self.prepared)
        self.prepared, _ = with_privacy(self.prepared, self.offer, self.setup.privacy)
        self.session = Session(self.ground.deployment)
        self.post(EVERYBODY)
        self.first = self.session.chain.head().number
        token, federation = self.session.deployment.token, self.session.federation
        self.before = {name: federation.token_balance(token, self.address(name)) for name in self.names}

    def _store_of(self, name: str) -> dict[str, str] | None:
        return {"kind": "kubo", "api": self.ground.stores.api}

    def _worker(self, name: str, index: int) -> Any:
        worker = super()._worker(name, index)
        role = replace(worker.arguments[0])
        known: Deployment = role.fields["deployment"]
        urls = self.ground.nodes.urls(name)
        role.fields["deployment"] = known.updated(rpc=urls, confirmations=self.plan.confirmations)
        role.fields["allow"] = frozenset([TASK])
        worker.target, worker.arguments = play_in_chaos, (role, self.control(name))
        (self.workspace.dir / "control").mkdir(exist_ok=True)
        return worker

    def control(self, name: str) -> Path:
        """What a daemon's control files are called, without their ends."""
        return self.workspace.dir / "control" / name

    def stop(self, *, keep_chain: bool = False) -> None:
        """Ends the daemons; the chain is the ground's."""
        for worker in self.workers.values():
            worker.kill()
        if hasattr(self, "session"):
            self.session.chain.close()


def setup_of(plan: Plan) -> Setup:
    return Setup(
        task=TASK,
        trainers=TRAINERS,
        validators=usual_seats(plan.privacy),
        consensus=plan.consensus,
        rounds=ROUNDS,
        seed=plan.seed,
        privacy=plan.privacy,
        gasless=plan.gasless,
        times={**{name: LONG for name in PHASES if name not in ("attest", "release") or _has(plan, name)}, "slash": 1},
    )


def _has(plan: Plan, phase: str) -> bool:
    return plan.privacy == MASKED or (plan.privacy == "threshold" and phase == "release")
