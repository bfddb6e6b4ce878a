"""A job's files and its posting: spec and model 0 into the store, a committee on chain, the reward into escrow."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hansa.protocol.baselines import baseline, check_baselines
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model, initial_model
from hansa.protocol.sheet import NO_METRIC, to_metric
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Digest, JobId
from hansa.runtime.amounts import Token
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.deploy import create
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import Signer
from hansa.sponsor.terms import JobOffer, job_terms
from hansa.tasks import Task, defaults, load_task, task_digest
from hansa.tasks.study import PartyTask


@dataclass(frozen=True)
class PreparedJob:
    """A job that can be posted: its task, its spec and the model that it starts from."""

    task: Task
    spec: JobSpec
    model: Model
    rounds: int  # as many as the task recommends
    file: Path | None  # a user's task


@dataclass(frozen=True)
class PostedJob:
    """A job on chain, with its committee contract and its two files."""

    job: JobId
    committee: Address
    spec: Digest
    model: Digest


def prepare(
    task: str,
    *,
    seed: int,
    settings: Mapping[str, Any] | None = None,
    steps: int | None = None,
    bits: int | None = None,
    loss_threshold: int | None = None,
    rule: str = "validated_mean",
    weights: str = "equal",
    publish_keys: bool = False,
    baselines: Sequence[str] = (),
) -> PreparedJob:
    """Loads the sponsor's own task and makes spec and model 0 of it. What is not given is what the task recommends."""
    name, digest, file = name_task(task)
    allowed = [str(file)] if file else [name, name.partition(":")[0]]  # the sponsor names it: that is consent
    usual = defaults(name, task_digest=digest, task_file=file, allowed=allowed)
    chosen = {**usual["settings"], **(settings or {})}
    loaded = load_task(name, chosen, seed, task_digest=digest, task_file=file, allowed=allowed)
    width = usual["bits"] if bits is None else bits
    model = initial_model(loaded.model(), width)
    model.encode()  # FatalError for one that nobody would accept
    fields = {
        "task": name,
        "task_digest": digest,
        "settings": chosen,
        "seed": seed,
        "steps": usual["steps"] if steps is None else steps,
        "loss_threshold": loss_threshold,
        "bits": width,
        "rule": rule,
        "weights": weights,
        "publish_keys": publish_keys,
        "baselines": list(baselines),
        "model_bytes": model.largest_file,
        "update_bytes": model.largest_update,
    }
    return PreparedJob(loaded, _check_spec(fields), model, usual["rounds"], file)


def with_baselines(prepared: PreparedJob, seats: int) -> PreparedJob:
    """With what a task that carries everybody's rows knows before the start; another task's job stays as it is."""
    if not isinstance(prepared.task, PartyTask):
        return prepared
    known = {name: to_metric(value) for name, value in prepared.task.known(seats).items()}
    texts = [baseline(name, metric) for name, metric in known.items() if metric != NO_METRIC]
    return replace(prepared, spec=prepared.spec.model_copy(update={"baselines": texts}))


def _check_spec(fields: Mapping[str, Any]) -> JobSpec:
    try:
        return JobSpec(**fields)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise FatalError(f"{place} {problem['input']!r} can't be in a job spec", cause=problem["msg"]) from error


def name_task(task: str) -> tuple[str, str | None, Path | None]:
    """A task as a spec names it, with the SHA-256 and path of a user's file: 'path/to/file.py:Class', or no class
    where the file has only one that can train."""
    place, _, attribute = task.partition(":")
    if not place.endswith(".py"):
        return task, None, None
    path = Path(place).expanduser()
    digest = task_digest(path)
    return f"{path.name}:{attribute or _only_task(path)}", digest, path


def _only_task(path: Path) -> str:
    """The one public class of a file, found without running it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise FatalError(f"task file {path} is not Python", cause=str(error)) from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    trainers = [node.name for node in classes if any(getattr(item, "name", "") == "train" for item in node.body)]
    names = trainers or [node.name for node in classes]
    if len(names) != 1:
        raise FatalError(
            f"task file {path} has {len(names) or 'no'} classes that may be the task",
            next_step=f"name one: --task {path}:{names[0] if names else 'Class'}",
        )
    return names[0]


def post_job(
    session: Session,
    signer: Signer,
    prepared: PreparedJob,
    offer: JobOffer,
    members: Sequence[Address],
    token: str | None = None,
) -> PostedJob:
    """Stores spec and model 0, deploys the committee, approves the escrow and posts. Says how it went on chain."""
    spec = session.store.put(prepared.spec.encode())
    model = session.store.put(prepared.model.encode())
    job_terms(offer, token=members[0], committee=members[0], admission=members[0], spec=spec, model=model)  # checks
    committee = create(signer, "AppointedCommittee", list(members))
    terms = job_terms(
        offer,
        token=Address(token or session.deployment.token),
        committee=committee,
        admission=session.deployment.admission,
        spec=spec,
        model=model,
    )
    signer.do(approve_call(terms.token, session.deployment.vault, offer.escrow))
    receipt = signer.do(session.federation.post_call(terms, offer.escrow))
    return PostedJob(session.federation.posted_in(receipt), committee, spec, model)


def parse_settings(entries: Sequence[str]) -> dict[str, Any]:
    """`name=value` entries; a value is JSON (no floats), or the text itself where it is not."""
    settings: dict[str, Any] = {}
    for entry in entries:
        name, equals, text = entry.partition("=")
        if not name or not equals:
            raise FatalError(f"--set {entry!r} is not a setting", next_step="write it like --set batch=8")
        try:
            value = json.loads(text, parse_float=str)
        except ValueError:
            value = text
        settings[name] = value
    return settings


def parse_baselines(entries: Sequence[str]) -> list[str]:
    """`name=decimal` entries as a spec holds them: 0.50 becomes 0.5."""
    texts = []
    for entry in entries:
        name, equals, decimal = entry.rpartition("=")
        if not equals:
            raise FatalError(
                f"--baseline {entry!r} is not a baseline", next_step="write it like --baseline majority=0.54"
            )
        texts.append(baseline(name.strip(), Token("", "", 9).signed(decimal, "--baseline")))
    try:
        check_baselines(texts)
    except ValueError as error:
        raise FatalError("--baseline", cause=error, next_step="write it like --baseline majority=0.54") from error
    return texts
