"""A job's files and its posting: spec and model 0 into the store, a committee on chain, the reward into escrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hansa.protocol.baselines import baseline, check_baselines
from hansa.protocol.cid import digest_of
from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model, initial_model
from hansa.protocol.privacy import problems, warning
from hansa.protocol.sheet import NO_METRIC, to_metric
from hansa.protocol.spec import JobSpec
from hansa.protocol.types import Address, Digest, JobId
from hansa.runtime.amounts import Token
from hansa.runtime.deploy import create
from hansa.runtime.session import Session
from hansa.runtime.transactions.signer import Signer
from hansa.sponsor.admission import EVERYBODY, AdmissionChoice
from hansa.sponsor.terms import JobOffer, job_terms
from hansa.tasks import Task, consent, defaults, load_task
from hansa.tasks.frozen import frozen_digests
from hansa.tasks.loading import running
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
    """A job on chain, with the contracts that it names and its two files."""

    job: JobId
    committee: Address
    admission: Address
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
    title: str = "",
    about: str = "",
) -> PreparedJob:
    """Loads the sponsor's own task and makes spec and model 0 of it. What is not given is what the task recommends."""
    name, place = consent(task)
    usual = defaults(name, **place)
    chosen = {**usual["settings"], **(settings or {})}
    loaded = load_task(name, chosen, seed, **place)
    width = usual["bits"] if bits is None else bits
    with running(name, "making model 0"):
        model = initial_model(loaded.model(), width)
    with running(name, "looking at its frozen files"):
        frozen = frozen_digests(loaded)
    model.encode()  # FatalError for one that nobody would accept
    fields = {
        "title": title,
        "about": about,
        "metric": getattr(loaded, "metric_name", None),
        "frozen": frozen,
        "task": name,
        "task_digest": place["task_digest"],
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
    return PreparedJob(loaded, _check_spec(fields), model, usual["rounds"], place["task_file"])


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
        raise FatalError(f"{place} {problem['input']!r:.80} can't be in a job spec", cause=problem["msg"]) from error


def check_offer(prepared: PreparedJob, offer: JobOffer, members: Sequence[Address]) -> str | None:
    """FatalError for terms that the contract or the spec's privacy would refuse, in words. A warning where the privacy
    is weak."""
    spec, anyone = prepared.spec, members[0] if members else Address("0x" + "00" * 20)
    file = digest_of(spec.encode())
    terms = job_terms(offer, token=anyone, committee=anyone, admission=anyone, spec=file, model=file)
    if found := problems(spec, terms, appointed=True):
        raise FatalError(
            f"privacy {spec.privacy} doesn't go with the job's terms",
            cause="; ".join(found),
            next_step="change these, or --privacy",
        )
    return warning(spec, terms)


def post_job(
    session: Session,
    signer: Signer,
    prepared: PreparedJob,
    offer: JobOffer,
    members: Sequence[Address],
    token: str | None = None,
    committee: Address | None = None,
    choice: AdmissionChoice = EVERYBODY,
) -> PostedJob:
    """Stores spec and model 0, deploys committee and admission, approves the escrow and posts. Says how it went on
    chain.

    committee: a contract that is there already; None appoints the members.
    """
    check_offer(prepared, offer, members)
    spec = session.store.put(prepared.spec.encode())
    model = session.store.put(prepared.model.encode())
    if committee is None:
        committee = create(signer, "AppointedCommittee", list(members))
    terms = job_terms(
        offer,
        token=Address(token or session.deployment.token),
        committee=committee,
        admission=choice.place(session, signer),
        spec=spec,
        model=model,
        recheck_admission=choice.recheck,
    )
    for call in session.federation.approvals(terms.token, signer.address, offer.escrow):
        signer.do(call)
    receipt = signer.do(session.federation.post_call(terms, offer.escrow))
    return PostedJob(session.federation.posted_in(receipt), committee, terms.admission, spec, model)


def parse_baseline_options(entries: Sequence[str]) -> list[str]:
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
