"""What `hansa doctor` looks at in a deployment: endpoints, contracts, events, store, gas, jobs, allow-list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from hansa.protocol.errors import HansaError

if TYPE_CHECKING:
    from hansa.cli.command import Here
    from hansa.protocol.types import JobId
    from hansa.runtime.chain.federation import JobTerms
    from hansa.runtime.job import JobContext
    from hansa.runtime.session import Session

GOOD, WARNING, BAD = "ok", "warning", "wrong"
CLOCK_SECONDS = 60  # that this machine's clock may be off the chain's
BEHIND = 10  # blocks that an endpoint may be behind another
DEAR = 500 * 10**9  # wei for a unit of gas, above which a round is dear
SAMPLE = 100  # blocks over which their time is measured
PHASES = ("submit", "attest", "release", "score", "reveal", "vote", "finalize")

P = ParamSpec("P")
Result = tuple[str, str]  # state, text


@dataclass(frozen=True)
class Check:
    what: str
    state: str
    text: str  # where it isn't ok, with what to do


def check(what: str, look: Callable[P, Result], *given: P.args, **named: P.kwargs) -> Check:
    """What `look` finds; an error of ours is something wrong."""
    try:
        return Check(what, *look(*given, **named))
    except HansaError as error:
        return Check(what, BAD, str(error))


def deployment_findings(here: Here, job: int | None) -> Iterator[Check]:
    from hansa.runtime.session import connect

    try:
        wire = connect(here)
    except HansaError as error:
        yield Check("deployment", BAD, str(error))
        return
    yield check("secrets", _secrets, here, wire)
    for url in wire.deployment.rpc:
        yield check("endpoint", _endpoint, wire, url)
    looks = {"chain": _chain, "contracts": _contracts, "token": _token, "logs": _logs, "store": _store, "gas": _gas}
    for what, look in looks.items():
        yield check(what, look, wire)
    yield check("balances", _balances, here, wire)
    yield check("allow-list", _allowed, wire, job)
    yield check("jobs", _jobs, wire, job)
    yield check("parties", _parties, wire, job)


def too_short(terms: JobTerms, confirmations: int, block_seconds: float = 12.0) -> str | None:
    """Why a job's phases can't be kept up with: each must be longer than three times the confirmations. Phases of zero
    are left out of a job."""
    needed = 3 * confirmations * block_seconds
    short = [name for name in PHASES if 0 < getattr(terms, f"{name}_time") < needed]
    if not short:
        return None
    return f"{', '.join(short)} shorter than the {needed:.0f} s that {confirmations} confirmations ask for"


def _secrets(here: Here, wire: Session) -> Result:
    """Whether deployment.json can be handed on, and what it leaves out is known here."""
    from hansa.runtime.files import is_open_to_others
    from hansa.runtime.secrets import FILE

    found = wire.deployment
    found.require_no_secrets()
    places = [*found.rpc, found.ws, *found.store.values()]
    asked = sum(found.expanded(place) != place for place in places if place is not None)
    if (file := here.dir / FILE).exists() and is_open_to_others(file):
        return BAD, f"{file} can be read by others; chmod 600 it"
    return GOOD, f"none in deployment.json{f'; {asked} of its addresses ask for one, which is given' if asked else ''}"


def _endpoint(wire: Session, url: str) -> Result:
    from hansa.runtime.chain.client import Chain

    one = Chain([wire.deployment.expanded(url)], wire.deployment.chain_id)
    shown = one.rpc.endpoints[0].shown
    try:
        head = one.head().number
    finally:
        one.close()
    best = wire.chain.head().number
    if best - head > BEHIND:
        return WARNING, f"{shown} is {best - head} blocks behind; wait until it has caught up, or name another"
    return GOOD, f"{shown} is chain {wire.deployment.chain_id}, block {head}"


def _chain(wire: Session) -> Result:
    head = wire.chain.head()
    off = time.time() - head.timestamp
    text = f"block {head.number}, {wire.deployment.confirmations} confirmations"
    if off > CLOCK_SECONDS:
        return WARNING, f"{text}; its last block is {off:.0f} s old: the chain stands still, or this clock is fast"
    if off < -CLOCK_SECONDS:
        return WARNING, f"{text}; its last block is {-off:.0f} s ahead of this machine's clock: set the clock (NTP)"
    return GOOD, f"{text}, its time is this machine's within {CLOCK_SECONDS} s"


def _contracts(wire: Session) -> Result:
    from hansa.runtime.chain.bytecode import check_genuine

    wire.federation.check()
    library = check_genuine(wire.chain, wire.deployment.federation, wire.deployment.vault)
    return GOOD, f"federation {wire.deployment.federation}, its vault and its library {library} are our code"


def _token(wire: Session) -> Result:
    from hansa.runtime.chain.bytecode import is_ours
    from hansa.runtime.session import read_token

    token = read_token(wire.chain, wire.deployment.token)
    kind = "our test token" if is_ours(wire.chain, "RewardToken", wire.deployment.token) else "a token of others"
    return GOOD, f"{token.symbol}, {token.decimals} decimals, {kind}"


def _logs(wire: Session) -> Result:
    """A node that has pruned the events of the first block is of no use."""
    from hansa.runtime.chain.abi import artifact

    topic = artifact("Federation").event("JobPosted").topic
    found = wire.chain.logs(wire.deployment.federation, [topic], wire.deployment.first_block, wire.chain.head())
    count = wire.federation.job_count()
    if len(found) != count:
        return BAD, f"the node gives {len(found)} of {count} posted jobs; name an endpoint that keeps all events"
    return GOOD, f"complete from block {wire.deployment.first_block}, {count} jobs"


def _store(wire: Session) -> Result:
    from hansa.protocol.cid import to_cid

    folder = wire.deployment.store.get("path")
    if folder is not None and not Path(folder).is_dir():
        return BAD, f"{folder} is missing; bring it back with its files, or correct the store in deployment.json"
    data = b"hansa doctor"
    digest = wire.store.put(data)
    if wire.store.get(digest, limit=64, timeout=10.0) != data:
        return BAD, "gives back other bytes than it was given; check its disk, or name another store"
    return GOOD, f"{wire.deployment.store['kind']}, gave back {to_cid(digest)}"


def _gas(wire: Session) -> Result:
    from hansa.runtime.transactions.gas_price import PRICE_REQUESTS, market

    offer = market(wire.chain.rpc.raw(PRICE_REQUESTS))
    text = f"{offer.fee / 1e9:.3g} gwei a unit, {'no base fee' if offer.tip is None else 'base fee and tip'}"
    if offer.fee > DEAR:
        return WARNING, f"{text}: more than {DEAR / 1e9:.0f}; wait for a cheaper hour, or ask another endpoint"
    return GOOD, text


def _balances(here: Here, wire: Session) -> Result:
    from hansa.protocol.types import Address
    from hansa.runtime.accounts import keystores

    stores = list(keystores(here.keys))
    told = [(path.stem, Address(address)) for path, address in stores if address is not None]
    poor = [name for name, address in told if wire.chain.balance(address) == 0]
    if poor:
        return WARNING, f"{', '.join(poor)} can't pay for gas; send them some of the chain's own coin"
    if len(told) < len(stores):
        return WARNING, f"{len(stores) - len(told)} keystores do not say their address; see to their coins yourself"
    return GOOD, f"{len(stores)} accounts can pay for gas" if stores else "no account is here"


def _allowed(wire: Session, job: int | None) -> Result:
    """Whether the federation's own contracts are trusted, and those of a job that is asked about."""
    listed = wire.deployment.allowed
    text = f"{len(listed.tokens)} tokens, {len(listed.committees)} committees, {len(listed.admissions)} admissions"
    if job is not None:
        _context(wire, job).check_allowed(wire.deployment, (), 2**62)
        return GOOD, f"{text}; all of job {job}'s are among them"
    missing = [
        f"{kind} {address}"
        for kind, address, known in (
            ("token", wire.deployment.token, listed.tokens),
            ("admission", wire.deployment.admission, listed.admissions),
        )
        if address not in known
    ]
    if missing:
        return WARNING, f"{' and '.join(missing)} not in it; look at the code, then add it to deployment.json"
    return GOOD, text


def _jobs(wire: Session, job: int | None) -> Result:
    """Whether daemons here can keep up with every job that is still open, or with one."""
    if job is not None:
        _context(wire, job)
    running, seconds = _running(wire, job), block_seconds(wire)
    confirmations = wire.deployment.confirmations
    problems = {n: too_short(wire.federation.terms(n), confirmations, seconds) for n in running}
    said = "; ".join(f"job {number}: {problem}" for number, problem in problems.items() if problem)
    if said:
        return BAD, f"{said}; take part in others, or lower confirmations in deployment.json"
    return GOOD, f"{len(running)} open; all phases last three times {confirmations} confirmations"


def _parties(wire: Session, job: int | None) -> Result:
    """Whether committee and admission of every job that is still open, or of one, are there and answer."""
    from hansa.cli.doctor.contracts import party_problems

    running = _running(wire, job)
    if problems := [problem for number in running for problem in party_problems(wire.federation, number)]:
        return BAD, f"{'; '.join(problems)}; take part in others, and tell the sponsor"
    return GOOD, f"committee and admission of {len(running)} open jobs answer"


def _running(wire: Session, job: int | None) -> list[JobId]:
    """One job, or all, where they have not ended."""
    from hansa.protocol.types import JobId

    at = wire.chain.head()
    numbers = range(1, wire.federation.job_count() + 1) if job is None else [job]
    return [JobId(n) for n in numbers if not wire.federation.state(JobId(n), at).phase.is_over]


def block_seconds(wire: Session) -> float:
    """Seconds between the last blocks, by their times; 12 where there are too few."""
    head = wire.chain.head()
    if head.number < SAMPLE:
        return 12.0
    return max(1.0, (head.timestamp - wire.chain.below(head, SAMPLE).timestamp) / SAMPLE)


def _context(wire: Session, job: int) -> JobContext:
    from hansa.protocol.types import JobId
    from hansa.runtime.job import JobContext
    from hansa.runtime.snapshot import check_job

    check_job(wire.federation, JobId(job))
    return JobContext.read(wire.federation, wire.store, JobId(job))
