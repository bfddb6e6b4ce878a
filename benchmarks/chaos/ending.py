"""What a job came to, read when everybody has left it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from eth_account import Account

from benchmarks.chaos.acts import acts
from benchmarks.chaos.checks import Ending, RoundResult
from benchmarks.chaos.lab import ChaosFederation
from benchmarks.chaos.stage import Stage
from hansa.audit.collect import collect
from hansa.audit.openers import Openers
from hansa.audit.run import audit
from hansa.devnet.anvil import published_key, rpc
from hansa.devnet.federation import SPONSOR
from hansa.devnet.pools import RULES
from hansa.protocol.cid import to_cid
from hansa.protocol.types import Address, Code
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call
from hansa.runtime.chain.pool import Pool
from hansa.runtime.history.records import Failed
from hansa.runtime.keystore import encryption_secret
from hansa.runtime.snapshot import FullSnapshot, read_job

BURN_ADDRESS: Final = Address("0x000000000000000000000000000000000000dEaD")


def ending_of(lab: ChaosFederation, stage: Stage) -> Ending:
    """Claims for the sponsor, and for those who are dead, first."""
    federation, job = lab.session.federation, lab.posted.job
    state, alive = lab.state(), tuple(stage.alive())
    if not state.phase.is_over or alive:
        books = asdict(federation.books(job))
        return Ending(state.phase.name, (), (), books, 0, {}, {}, {}, alive, wanted=lab.offer.rounds)
    before_last = lab.session.chain.latest().number
    names = {address: name for address, name in lab.known_as.items() if name != SPONSOR}
    living = {address: name for address, name in names.items() if name not in stage.dead}
    accounts = _accounts(lab, read_job(federation, lab.session.store, job), living)  # they had to do it themselves
    lab.settle()
    _expire(lab)
    view = read_job(federation, lab.session.store, job)
    others = _accounts(lab, view, {address: name for address, name in names.items() if name in stage.dead})
    due, got, held = ({**one, **other} for one, other in zip(accounts, others, strict=True))
    done, lost = acts(lab.anvil.url, lab.session.deployment, lab.known_as, lab.first + 1, before_last)
    report = audit(collect(federation, job), lab.session.store, Openers(_secrets(lab, view)))
    gaps = [f"{gap.what}: {gap.why}" for gap in report.gaps if not gap.expected]
    failed = [cycle.outcome for cycle in view.history.cycles if isinstance(cycle.outcome, Failed)]
    failed += [lapse for _, lapse in view.history.lapses]
    burnt, token = sum(one.burnt for one in failed), lab.session.deployment.token
    more = {name: federation.token_balance(token, account) - lab.before[name] for account, name in lab.known_as.items()}
    staked, stakes, pooled = _stakes(lab)
    return Ending(
        state.phase.name,
        tuple(_rounds(lab, view)),
        tuple(done),
        {name: value for name, value in asdict(federation.books(job)).items() if isinstance(value, int)},
        burnt,
        due,
        got,
        held,
        wrong=(*map(str, report.wrong), *gaps),
        failed=len(failed),
        wanted=view.terms.max_rounds,
        dead=frozenset(stage.dead),
        unread=lost,
        trainers=frozenset(lab.known_as[trainer] for trainer in lab.trainers),
        at_last=more,
        refund=lab.offer.escrow - len(view.finalised) * view.terms.full_round - burnt,
        refunded=more[SPONSOR],
        vault=federation.token_balance(token, federation.vault),
        burn_address=federation.token_balance(token, BURN_ADDRESS),
        opened=len(view.history.cycles),
        staked=staked,
        stakes=stakes,
        pooled=pooled,
    )


def _expire(lab: ChaosFederation) -> None:
    """Burns what rounding and empty seats left of the rounds, when nobody can claim any more: the vault is empty."""
    federation, job = lab.session.federation, lab.posted.job
    rpc(lab.anvil.url, "evm_setNextBlockTimestamp", federation.books(job).claim_until + 1)
    rpc(lab.anvil.url, "evm_mine")
    expire = artifact("Vault").functions["expire"].encode(job)
    with lab.sponsor() as signer:
        signer.do(Call(federation.vault, expire, f"burn what nobody earned of job {job}"))
        signer.do(federation.send_burnt_call(job))


def _stakes(lab: ChaosFederation) -> tuple[dict[str, int], dict[str, int], int]:
    """By staker: what it staked, what the pool says that it has; and the pool's tokens."""
    stakers = lab.validators[lab.setup.appointed :] if lab.setup.stakers else []
    if not stakers:
        return {}, {}, 0
    pool = Pool(lab.session.chain, lab.posted.committee)
    staked = {lab.known_as[one]: (RULES.minimum + 10 * place) * RULES.unit for place, one in enumerate(stakers)}
    found = {lab.known_as[one]: pool.stake_of(one) for one in stakers}
    stakes = {name: stake.staked + stake.leaving for name, stake in found.items()}
    return staked, stakes, lab.session.federation.token_balance(lab.session.deployment.token, pool.address)


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
        trainers = [lab.known_as[update.trainer] for update in cycle.updates]
        found.append(
            RoundResult(
                to_cid(outcome.model),
                frozenset(trainers),
                frozenset(drawn[sheet.seat] for sheet in cycle.sheets),
                drawn,
                {lab.known_as[leaf.trainer]: leaf.pay for leaf in ledger.leaves},
                {name: Code(said.code).name for name, said in zip(trainers, ledger.judgements, strict=True)},
                frozenset(trainers[place] for place in ledger.included),
                frozenset(lab.known_as[leaf.trainer] for leaf in ledger.leaves if leaf.strike),
            )
        )
    return found


def _secrets(lab: ChaosFederation, view: FullSnapshot) -> dict[Address, bytes]:
    """Of everybody who had a seat with a key: who died first may have had none."""
    cycles = view.history.cycles
    with_key = {who for one in cycles for who, key in zip(one.committee, one.keys, strict=True) if key is not None}
    keys = {lab.address(name): published_key(index) for index, name in enumerate(lab.names)}
    return {member: encryption_secret(Account.from_key(keys[member])) for member in with_key}
