"""Where a job's models are read from: chain and store, or an archive that was audited first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hansa.audit.archive import Archive
from hansa.audit.run import require_sound
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import ChainUnavailable, FatalError, Malformed, NotFound, StoreUnavailable, WrongBytes
from hansa.protocol.model import Model
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.spec import JobSpec
from hansa.protocol.text import counted, is_digits, redact
from hansa.protocol.types import UNIT, Digest, JobId, Round
from hansa.runtime.follower import JobFollower
from hansa.runtime.history.records import Finalized, JobHistory
from hansa.runtime.job import JobContext
from hansa.runtime.model_chain import ModelChain
from hansa.runtime.session import connect
from hansa.runtime.snapshot import check_job
from hansa.runtime.store import Store
from hansa.runtime.workspace import Workspace

BEST = "best"


@dataclass(frozen=True)
class PublishedJob:
    """The models that a job's committees voted. origin: where that was read, for people. archive: the file that it was
    read from, if any."""

    context: JobContext
    history: JobHistory
    chain_id: int
    store: Store
    origin: str
    allowed_tasks: tuple[str, ...] = ()
    archive: Path | None = None

    @property
    def job(self) -> JobId:
        return self.context.job

    @property
    def spec(self) -> JobSpec:
        return self.context.spec

    @property
    def rounds(self) -> list[Finalized]:
        return [outcome for _, outcome in self.history.finalised]

    def digest(self, round_: int) -> Digest:
        """What the chain says of model `round_`."""
        return self.rounds[round_ - 1].model if round_ else self.context.terms.model

    def metric(self, round_: int) -> int:
        """Of model `round_`, in 1e-9, as its committee voted; NO_METRIC of the sponsor's, which nobody measured."""
        return self.rounds[round_ - 1].metric if round_ else NO_METRIC

    def pick(self, wanted: str | None) -> Round:
        """A round that a user names: a number, 0 for the sponsor's model, `best`; by default the last. FatalError where
        there is none."""
        last = len(self.rounds)
        if wanted is None or wanted == BEST:
            if not last:
                raise FatalError(
                    f"job {self.job} has no finalised round", next_step="wait for one, or name model 0 with --round 0"
                )
            if wanted is None:
                return Round(last)
            return max(map(Round, range(1, last + 1)), key=lambda round_: (self.rounds[round_ - 1].metric, -round_))
        if not is_digits(wanted, 6):
            raise FatalError(f"{wanted[:40]!r} is no round", next_step=f"name 0 to {last}, or {BEST}")
        if int(wanted) > last:
            raise FatalError(
                f"job {self.job} has no finalised round {wanted}",
                cause=f"{counted(last, 'is', 'are')}",
                next_step=f"name 0 to {last}, or {BEST}",
            )
        return Round(int(wanted))

    def model(self, round_: Round) -> Model:
        """Model `round_`. Its bytes have the SHA-256 that the chain names, and say the same of job, round and parent.

        FatalError where they don't, or can't be had.
        """
        models = ModelChain(self.store, self.job, self.context.terms.model, self.spec.model_bytes, pins=False)
        models.follow([outcome.model for outcome in self.rounds])
        with needing(f"model {round_} of job {self.job}"):
            return models.load(self.digest(round_), round_)

    def labels(self, round_: Round) -> dict[str, str]:
        """What a file tells of where it comes from."""
        told = {"job": str(self.job), "round": str(round_), "chain_id": str(self.chain_id), "task": self.spec.task}
        told["cid"] = to_cid(self.digest(round_))
        if (metric := self.metric(round_)) != NO_METRIC:
            told["metric"] = str(metric / UNIT)
        return told


@contextmanager
def needing(what: str) -> Iterator[None]:
    """A file that the store hasn't got, or has otherwise than its CID says, becomes a sentence that says what it is
    and who else may have it."""
    try:
        yield
    except (NotFound, StoreUnavailable, WrongBytes, Malformed) as error:
        raise FatalError(
            f"{what} can't be read",
            cause=str(error),
            next_step="look at the deployment's store, or name the job's archive, of whoever has one, with --archive",
        ) from error


@contextmanager
def open_job(workspace: Workspace, job: int | None, archive: Path | None = None) -> Iterator[PublishedJob]:
    """A job from an archive, or from the workspace's chain. Where no chain answers, from the archive that a demo, or
    `hansa audit --export DIR/job-N.hansa`, left of it.

    FatalError without a job, or for an archive that is wrong or of another job.
    """
    with ExitStack() as stack:
        if archive is not None:
            yield _from_archive(stack, archive, job, None)
            return
        if job is None:
            raise FatalError("no job is named", next_step="name one, like 1, or a file with --archive")
        there = workspace.deployment_file.is_file()
        left = workspace.dir / f"job-{job}.hansa" if there else workspace.dir / "demo" / f"job-{job}.hansa"
        if not there and left.is_file():
            yield _from_archive(stack, left, job, workspace)
            return
        try:
            found = _from_chain(workspace, JobId(job))
        except ChainUnavailable:
            if not left.is_file():
                raise
            found = _from_archive(stack, left, job, workspace)
        yield found


def _from_chain(workspace: Workspace, job: JobId) -> PublishedJob:
    session = connect(workspace)
    deployment = session.deployment
    check_job(session.federation, job)
    follower = JobFollower(session.federation, session.store, job)
    with needing(f"the spec of job {job}"):
        context = follower.context
    history = follower.read()
    origin = f"{redact(deployment.rpc[0])}, store {deployment.store['kind']}"
    tasks = tuple(deployment.allowed.tasks)
    return PublishedJob(context, history, deployment.chain_id, session.store, origin, tasks)


def _from_archive(stack: ExitStack, path: Path, job: int | None, workspace: Workspace | None) -> PublishedJob:
    """workspace: whose chain does not answer, where that is why; the archive must be of its federation."""
    _, facts, settlement = require_sound(path, "no model is taken from it")
    if job not in (None, facts.job):
        raise FatalError(f"{path} is of job {facts.job}, not of job {job}")
    tasks: tuple[str, ...] = ()
    origin = str(path)
    if workspace is not None:
        origin += ", since no chain answers"
        home = Workspace(path.parent)
        if home.deployment_file.is_file():
            deployment = home.deployment()
            if (facts.chain_id, facts.federation) != (deployment.chain_id, deployment.federation):
                raise FatalError(
                    f"no chain answers, and {path} is of another federation",
                    next_step="start the chain, or name an archive with --archive",
                )
            tasks = tuple(deployment.allowed.tasks)
    files = stack.enter_context(Archive.open(path))
    context = JobContext.of(facts.job, settlement.history.posted.terms, files)
    return PublishedJob(context, settlement.history, facts.chain_id, files, origin, tasks, path)
