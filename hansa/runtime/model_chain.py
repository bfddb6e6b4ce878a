"""The chain of a job's models: model r names model r-1, back to the sponsor's model 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from structlog.stdlib import BoundLogger

from hansa.protocol.cid import to_cid
from hansa.protocol.errors import Malformed, SpoiltModel, TransientError
from hansa.protocol.model import Model
from hansa.protocol.types import Digest, JobId, Round
from hansa.runtime.store import Store

FETCH_SECONDS = 30.0
OLDER_SECONDS = 5.0
"""How long an older model is waited for, which it is possible to do without."""
SHOWN = 3
"""So many last steps of a model, and its whole way from model 0, are its course."""
CACHED = SHOWN + 2


class ModelChain:
    """Fetches a job's models by digest and checks each one's place: job, round, parent, shapes.

    limit: largest model file, in bytes, that is fetched.
    keep: how many models back stay pinned in this node's store; None keeps them all. pins: whether any is.
    """

    def __init__(
        self, store: Store, job: JobId, first: Digest, limit: int, keep: int | None = None, pins: bool = True
    ) -> None:
        self._store = store
        self._job = job
        self._line: tuple[Digest, ...] = (first,)
        self._limit = limit
        self._keep = keep
        self._pins = pins
        self.shapes: dict[str, tuple[int, ...]] | None = None  # what the job's task trains, where that is known
        self.cached = CACHED  # models in memory
        self._cache: dict[Digest, Model] = {}
        self._pinned: dict[Digest, int] = {}  # by this process; the model's round

    def follow(self, models: Sequence[Digest]) -> None:
        """Tells which models the chain names after model 0, in order, up to the last that is loaded."""
        self._line = (self._line[0], *models)

    def load(self, digest: Digest, round_: Round, timeout: float = FETCH_SECONDS) -> Model:
        """Model `round_`, whose file is `digest`.

        Raises Malformed if the file is not that model (SpoiltModel where a committee voted it), and the store's
        transient errors while it cannot be had.
        """
        model = self._cache.get(digest)
        try:
            if model is None:
                model = Model.decode(self._store.get(digest, limit=self._limit, timeout=timeout))
            self._check(model, digest, round_)
        except Malformed as error:
            if round_ == 0:
                raise
            raise SpoiltModel(f"model {round_} of job {self._job} can't be used", cause=error) from error
        if digest not in self._cache:
            self._remember(digest, model)
        return model

    def previous(self, model: Model) -> Model | None:
        """The model before `model`; None for model 0."""
        if model.round == 0 or model.parent is None:
            return None
        return self.load(model.parent, Round(model.round - 1))

    def earlier(self, model: Model) -> list[Model]:
        """The models that tell the course of `model`: the SHOWN before it and model 0, newest first. All but the first
        only if they can be had now."""
        previous = self.previous(model)
        if previous is None:
            return []
        found = [previous]
        for round_ in (*range(model.round - 2, model.round - 1 - SHOWN, -1), 0):
            if 0 <= round_ < found[-1].round:
                with suppress(TransientError):
                    found.append(self.load(self._line[round_], Round(round_), OLDER_SECONDS))
        return found

    def _check(self, model: Model, digest: Digest, round_: Round) -> None:
        job = self._job if round_ else 0
        if (model.job, model.round) != (job, round_) or (round_ == 0 and digest != self._line[0]):
            raise Malformed(
                f"model file {to_cid(digest)}",
                cause=f"it says job {model.job} round {model.round} where the chain says job {job} round {round_}",
            )
        if round_ and self.shapes is not None and model.shapes != self.shapes:
            raise Malformed(f"model file {to_cid(digest)}", cause="its tensors are not those that the job trains")
        if round_ and model.parent != self._line[round_ - 1]:
            cause = f"it does not follow model {round_ - 1} of the job, {to_cid(self._line[round_ - 1])}"
            raise Malformed(f"model file {to_cid(digest)}", cause=cause)

    def _remember(self, digest: Digest, model: Model) -> None:
        while len(self._cache) >= self.cached:
            later = [item for item in self._cache if self._cache[item].round > 0 or self.cached < CACHED]
            del self._cache[min(later, key=lambda item: self._cache[item].round)]
        self._cache[digest] = model
        if self._pins:
            self._store.pin(digest)
            self._pinned[digest] = model.round
        if self._keep is None or not self._pins:
            return
        newest = max(self._pinned.values())
        for old in [item for item, round_ in self._pinned.items() if 0 < round_ <= newest - self._keep]:
            del self._pinned[old]
            self._store.unpin(old)


class Abstention:
    """Sits rounds out whose model a committee voted and nobody can use: the job ends by its failures, and a daemon
    claims what is its own."""

    def __init__(self, log: BoundLogger) -> None:
        self._log = log
        self._round: Round | None = None

    @contextmanager
    def if_spoilt(self, round_: Round) -> Iterator[None]:
        """Leaves undone what turns out to need such a model; says so once a round."""
        try:
            yield
        except SpoiltModel as error:
            if self._round != round_:
                self._round = round_
                self._log.error("sits this round out, and claims at the job's end", error=str(error))
