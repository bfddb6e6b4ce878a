"""What a job came to, read when everybody has left it."""

from __future__ import annotations

from dataclasses import asdict

from eth_account import Account

from benchmarks.chaos.acts import acts
from benchmarks.chaos.checks import Ending, RoundResult
from benchmarks.chaos.lab import ChaosFederation
from benchmarks.chaos.stage import Stage
from hansa.audit.collect import collect
from hansa.audit.openers import Openers
from hansa.audit.run import audit
from hansa.devnet.anvil import published_key
from hansa.protocol.cid import to_cid
from hansa.protocol.types import Address
from hansa.runtime.history.records import Failed
from hansa.runtime.keystore import encryption_secret
from hansa.runtime.snapshot import FullSnapshot, read_job


def ending_of(lab: ChaosFederation, stage: Stage) -> Ending:
    """Claims for the sponsor, and for those who are dead, first."""
    federation, job = lab.session.federation, lab.posted.job
    state, alive = lab.state(), tuple(stage.alive())
    if not state.phase.is_over or alive:
        books = asdict(federation.books(job))
        return Ending(state.phase.name, (), (), books, 0, {}, {}, {}, alive, wanted=lab.offer.rounds)
    before_last = lab.session.chain.latest().number
    names = {address: name for address, name in lab.known_as.items() if name != "sponsor"}
    living = {address: name for address, name in names.items() if name not in stage.dead}
    accounts = _accounts(lab, read_job(federation, lab.session.store, job), living)  # they had to do it themselves
    lab.settle()
    view = read_job(federation, lab.session.store, job)
    others = _accounts(lab, view, {address: name for address, name in names.items() if name in stage.dead})
    due, got, held = ({**one, **other} for one, other in zip(accounts, others, strict=True))
    done, lost = acts(lab.anvil.url, lab.session.deployment, lab.known_as, lab.first + 1, before_last)
    report = audit(collect(federation, job), lab.session.store, Openers(_secrets(lab, view)))
    gaps = [f"{gap.what}: {gap.why}" for gap in report.gaps if not gap.expected]
    failed = [cycle.outcome for cycle in view.history.cycles if isinstance(cycle.outcome, Failed)]
    failed += [lapse for _, lapse in view.history.lapses]
    return Ending(
        state.phase.name,
        tuple(_rounds(lab, view)),
        tuple(done),
        {name: value for name, value in asdict(federation.books(job)).items() if isinstance(value, int)},
        sum(one.burnt for one in failed),
        due,
        got,
        held,
        wrong=(*map(str, report.wrong), *gaps),
        failed=len(failed),
        wanted=view.terms.max_rounds,
        dead=frozenset(stage.dead),
        unread=lost,
    )


def _accounts(
    lab: ChaosFederation, view: FullSnapshot, names: dict[Address, str]
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """By name: what is due, what came, what the contracts keep."""
    federation, token, terms = lab.session.federation, lab.session.deployment.token, view.terms
    due, got, held = {}, {}, {}
    for account, name in names.items():
        penalty = min(view.strikes(account) * terms.strike_penalty, lab.offer.bond)
        due[name] = view.earned(account) - penalty + view.attendance(account).matched * terms.fee_per_seat
        got[name] = federation.token_balance(token, account) - lab.before[name]
        held[name] = federation.bond(view.job, account) + federation.fees(view.job, account)
    return due, got, held


def _rounds(lab: ChaosFederation, view: FullSnapshot) -> list[RoundResult]:
    found = []
    for (cycle, outcome), ledger in zip(view.finalised, view.rounds, strict=True):
        drawn = tuple(lab.known_as[member] for member in cycle.committee)
        found.append(
            RoundResult(
                to_cid(outcome.model),
                frozenset(lab.known_as[update.trainer] for update in cycle.updates),
                frozenset(drawn[sheet.seat] for sheet in cycle.sheets),
                drawn,
                {lab.known_as[leaf.trainer]: leaf.pay for leaf in ledger.leaves},
            )
        )
    return found


def _secrets(lab: ChaosFederation, view: FullSnapshot) -> dict[Address, bytes]:
    """Of everybody who had a seat."""
    keys = {lab.address(name): published_key(index) for index, name in enumerate(lab.names)}
    return {member: encryption_secret(Account.from_key(keys[member])) for member in view.members()}
