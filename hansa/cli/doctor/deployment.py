"""What `hansa doctor` looks at in a deployment: endpoints, contracts, events, store, gas, jobs, allow-list."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hansa.cli.doctor.check import BAD, GOOD, WARNING, Check, Result, check
from hansa.cli.doctor.contracts import party_problems
from hansa.cli.doctor.identities import identities
from hansa.cli.doctor.store import beside_the_store, store
from hansa.protocol.errors import HansaError
from hansa.protocol.text import counted
from hansa.protocol.types import Address, JobId
from hansa.runtime import secrets
from hansa.runtime.accounts import keystores
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.bytecode import check_genuine, is_ours
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.dialects import DRAWING, has_foreign_numbers, randomness_in, randomness_of, seen_by_contracts
from hansa.runtime.chain.timing import pace_of, said, too_short
from hansa.runtime.chain.witness import Stance
from hansa.runtime.files import is_open_to_others
from hansa.runtime.job import JobContext
from hansa.runtime.session import Session, connect, read_token
from hansa.runtime.snapshot import check_job
from hansa.runtime.transactions.gas_price import PRICE_REQUESTS, market
from hansa.runtime.workspace import Workspace

CLOCK_SECONDS = 60  # that this machine's clock may be off the chain's
BEHIND = 10  # blocks that an endpoint may be behind another
DEAR = 500 * 10**9  # wei for a unit of gas, above which a round is dear


def check_deployment(workspace: Workspace, job: int | None) -> Iterator[Check]:
    """What there is to say of a deployment and its jobs, or of one of them."""
    try:
        session = connect(workspace)
    except HansaError as error:
        yield Check("deployment", BAD, str(error))
        return
    yield check("secrets", _secrets, workspace, session)
    for url in session.deployment.rpc:
        yield check("endpoint", _endpoint, session, url)
    yield check("witnesses", _witnesses, session)
    looks = {
        "chain": _chain,
        "randomness": _randomness,
        "contracts": _contracts,
        "token": _token,
        "logs": _logs,
        "store": store,
        "gas": _gas,
    }
    for what, look in looks.items():
        yield check(what, look, session)
    yield from beside_the_store(session)
    yield check("balances", _balances, workspace, session)
    yield check("identities", identities, workspace, session)
    yield check("allow-list", _allowed, session, job)
    yield check("jobs", _jobs, session, job)
    yield check("parties", _parties, session, job)


def _secrets(workspace: Workspace, session: Session) -> Result:
    """Whether deployment.json can be handed on, and what it leaves out is known here."""
    found = session.deployment
    found.require_no_secrets()
    places = [*found.rpc, found.ws, *found.store.values()]
    asked = sum(found.expanded(place) != place for place in places if place is not None)
    if (file := workspace.dir / secrets.FILE).exists() and is_open_to_others(file):
        return BAD, f"{file} can be read by others; chmod 600 it"
    return GOOD, f"none in deployment.json{f'; {asked} of its addresses ask for one, which is given' if asked else ''}"


def _witnesses(session: Session) -> Result:
    """Whether what one endpoint says is held against what another does."""
    rpc = session.chain.rpc
    if (trust := rpc.trusted()) is not None:
        return GOOD if rpc.local else WARNING, trust
    witness = session.federation.witnessed_contracts()
    if witness.those(Stance.DIFFERS, Stance.SILENT, Stance.SYNCING):
        return BAD if witness.those(Stance.DIFFERS) else WARNING, str(witness)
    return GOOD, f"{len(rpc.endpoints)} endpoints, which have to agree on what can't be taken back"


def _endpoint(session: Session, url: str) -> Result:
    one = Chain([session.deployment.expanded(url)], session.deployment.chain_id)
    shown = one.rpc.endpoints[0].shown
    try:
        head = one.head().number
    finally:
        one.close()
    best = session.chain.head().number
    if best - head > BEHIND:
        return WARNING, f"{shown} is {best - head} blocks behind; wait until it has caught up, or name another"
    return GOOD, f"{shown} is chain {session.deployment.chain_id}, block {head}"


def _chain(session: Session) -> Result:
    head = session.chain.head()
    off = time.time() - head.timestamp
    text = f"block {head.number}, {said(session.deployment.confirmations)}"
    if off > CLOCK_SECONDS:
        return WARNING, f"{text}; its last block is {off:.0f} s old: the chain stands still, or this clock is fast"
    if off < -CLOCK_SECONDS:
        return WARNING, f"{text}; its last block is {-off:.0f} s ahead of this machine's clock: set the clock (NTP)"
    return GOOD, f"{text}, its time is this machine's within {CLOCK_SECONDS} s"


def _randomness(session: Session) -> Result:
    """Which committees the chain's blocks can draw."""
    blocks = seen_by_contracts(session.chain)
    drawn = randomness_in(blocks)
    text = f"{drawn}: {', '.join(sorted(DRAWING[drawn].committees))} committees"
    if DRAWING[drawn].why:
        text += f"; {DRAWING[drawn].why}"
    return GOOD, f"{text}; block.number is another chain's" if has_foreign_numbers(blocks) else text


def _contracts(session: Session) -> Result:
    session.federation.check()
    library = check_genuine(session.chain, session.deployment.federation, session.deployment.vault)
    return GOOD, f"federation {session.deployment.federation}, its vault and its library {library} are our code"


def _token(session: Session) -> Result:
    token = read_token(session.chain, session.deployment.token)
    kind = "our test token" if is_ours(session.chain, "RewardToken", session.deployment.token) else "a token of others"
    return GOOD, f"{token.symbol}, {token.decimals} decimals, {kind}"


def _logs(session: Session) -> Result:
    """A node that has pruned the events of the first block is of no use."""
    topic = artifact("Federation").event("JobPosted").topic
    found = session.chain.logs(
        session.deployment.federation, [topic], session.deployment.first_block, session.chain.head()
    )
    count = session.federation.job_count()
    if len(found) != count:
        posted = counted(count, "posted job")
        return BAD, f"the node gives {len(found)} of {posted}; name an endpoint that keeps all events"
    return GOOD, f"complete from block {session.deployment.first_block}, {counted(count, 'job')}"


def _gas(session: Session) -> Result:
    offer = market(session.chain.rpc.raw(PRICE_REQUESTS))
    text = f"{offer.fee / 1e9:.3g} gwei a unit, {'no base fee' if offer.tip is None else 'base fee and tip'}"
    if offer.fee > DEAR:
        return WARNING, f"{text}: more than {DEAR / 1e9:.0f}; wait for a cheaper hour, or ask another endpoint"
    return GOOD, text


def _balances(workspace: Workspace, session: Session) -> Result:
    stores = list(keystores(workspace.keys))
    told = [(path.stem, Address(address)) for path, address in stores if address is not None]
    poor = [name for name, address in told if session.chain.balance(address) == 0]
    if poor:
        return WARNING, f"{', '.join(poor)} can't pay for gas; send them some of the chain's own coin"
    if len(told) < len(stores):
        return WARNING, f"{counted(len(stores) - len(told), 'keystore')} without an address; see to the coins yourself"
    return GOOD, f"{counted(len(stores), 'account')} can pay for gas" if stores else "no account is here"


def _allowed(session: Session, job: int | None) -> Result:
    """Whether the federation's own contracts are trusted, and those of a job that is asked about."""
    listed = session.deployment.allowed
    text = (
        f"{counted(len(listed.tokens), 'token')}, {counted(len(listed.committees), 'committee')}, "
        f"{counted(len(listed.admissions), 'admission')}"
    )
    if job is not None:
        _context(session, job).check_allowed(session.chain, session.deployment, (), 2**62)
        return GOOD, f"{text}; all of job {job}'s are among them"
    missing = [
        f"{kind} {address}"
        for kind, address, known in (
            ("token", session.deployment.token, listed.tokens),
            ("admission", session.deployment.admission, listed.admissions),
        )
        if address not in known
    ]
    if missing:
        return WARNING, f"{' and '.join(missing)} not in it; look at the code, then add it to deployment.json"
    return GOOD, text


def _jobs(session: Session, job: int | None) -> Result:
    """Whether daemons here can keep up with every job that is still open, or with one."""
    if job is not None:
        _context(session, job)
    running, pace = _running(session, job), pace_of(session.chain)
    problems = {number: too_short(session.federation.terms(number), pace) for number in running}
    told = "; ".join(f"job {number}: {problem}" for number, problem in problems.items() if problem)
    if told:
        return BAD, f"{told}; take part in others, or lower confirmations in deployment.json"
    return GOOD, f"{len(running)} open; all phases are long enough for {pace}"


def _parties(session: Session, job: int | None) -> Result:
    """Whether committee and admission of every job that is still open, or of one, are there and answer."""
    running, drawn = _running(session, job), randomness_of(session.chain)
    if problems := [problem for number in running for problem in party_problems(session.federation, number, drawn)]:
        return BAD, f"{'; '.join(problems)}; take part in others, and tell the sponsor"
    return GOOD, f"committee and admission of {counted(len(running), 'open job')} answer"


def _running(session: Session, job: int | None) -> list[JobId]:
    """One job, or all, where they have not ended."""
    at = session.chain.head()
    numbers = range(1, session.federation.job_count() + 1) if job is None else [job]
    return [JobId(n) for n in numbers if not session.federation.state(JobId(n), at).phase.is_over]


def _context(session: Session, job: int) -> JobContext:
    check_job(session.federation, JobId(job))
    return JobContext.read(session.federation, session.store, JobId(job))
