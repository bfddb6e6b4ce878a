"""Who was paid what, from what an audit has played again; every sum is held against the vault's books."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hansa.audit.facts import Facts
from hansa.audit.paid import Bond, Burn, Escrow, Paid, RoundPaid, RoundPay, Settlement, Task, TrainerPay, ValidatorPay
from hansa.audit.replay import EventReplay
from hansa.audit.report import Report, Wrong, require_equal
from hansa.audit.rounds import Rounds
from hansa.audit.vault_rules import VaultRules
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.ledger import RoundLedger
from hansa.protocol.types import Address, Round, Timestamp, Wei
from hansa.runtime.history.records import CycleRecord, Failed, Finalized, JobHistory


def settle(facts: Facts, replay: EventReplay, rounds: Rounds, report: Report) -> None:
    """Puts the settlement into the report; a finding instead, where a sum is not as in the vault's books."""
    history, vault = replay.history, replay.vault
    ledgers = rounds.ledgers if rounds.context is not None or not history.finalised else None
    trainers = _trainers(history, ledgers, vault)
    decided = [_round(history, vault, *item) for item in history.finalised]
    validators = _validators(decided, vault, history)
    spec = rounds.context.spec if rounds.context is not None else None
    ended = history.ended
    ended_at, claim_until, _ = vault.times(replay.since) if ended is not None else (None, None, None)
    paid = Paid(
        job=history.job,
        chain_id=facts.chain_id,
        federation=facts.federation,
        sponsor=history.posted.sponsor,
        token=history.posted.terms.token,
        spec=to_cid(history.posted.terms.spec),
        task=None if spec is None else Task(spec.task, spec.task_digest, spec.settings_digest),
        outcome=None if ended is None else ended.name,
        ended_at=None if ended_at is None else Timestamp(ended_at),
        claim_until=None if claim_until is None else Timestamp(claim_until),
        claims_over=vault.expired > 0 or (claim_until is not None and facts.at.timestamp >= claim_until),
        unknown_rounds=[item.round for item in decided if item.pay is None],
        escrow=_escrow(history, decided, vault),
        bonds=_total([item.bond for item in trainers]),
        trainers=trainers,
        validators=validators,
        rounds=decided,
        burnt=list(_burns(history, vault)),
    )
    try:
        for what, booked, said in _sums(paid, replay):
            require_equal(what, booked, said)
            report.ok("sums of who was paid what")
    except Wrong as error:
        report.fail(error.finding)
        return
    sees = None if rounds.context is None else rounds.context.who_sees
    report.settlement = Settlement(history, ledgers, paid, sees)


# --- trainers


def _trainers(history: JobHistory, ledgers: list[RoundLedger] | None, vault: VaultRules) -> list[TrainerPay]:
    finalised = history.finalised
    verdicts = [_verdicts(cycle, ledgers[i]) if ledgers else None for i, (cycle, _) in enumerate(finalised)]
    found = []
    for enrolment in history.enrolled:
        trainer = enrolment.trainer
        lines = [
            _round_pay(trainer, outcome.round, said, vault)
            for (_, outcome), said in zip(finalised, verdicts, strict=True)
        ]
        earned = _sum_known(line.earned for line in lines)
        claimed = _sum(line.claimed or 0 for line in lines)
        bond = Bond(
            paid=enrolment.bond,
            forfeited=_sum(line.penalty for line in lines),
            returned=Wei(vault.bonds_returned.get(trainer, 0)),
            held=Wei(vault.bonds[trainer]),
        )
        unclaimed = None if earned is None else Wei(earned - claimed)
        found.append(TrainerPay(trainer, earned, claimed, unclaimed, bond, lines))
    return found


def _verdicts(cycle: CycleRecord, ledger: RoundLedger) -> dict[Address, str]:
    judged = zip(cycle.updates, ledger.judgements, strict=True)
    return {update.trainer: judgement.code.name.lower() for update, judgement in judged}


def _round_pay(trainer: Address, round_: Round, verdicts: dict[Address, str] | None, vault: VaultRules) -> RoundPay:
    leaves = vault.leaves.get(round_)
    leaf = None if leaves is None else leaves[trainer]
    claimed = vault.claimed.get((trainer, round_))
    return RoundPay(
        round=round_,
        verdict=None if verdicts is None else verdicts.get(trainer, "absent"),
        earned=None if leaf is None else Wei(leaf.pay),
        claimed=None if claimed is None else Wei(claimed),
        strike=None if leaf is None else bool(leaf.strike),
        penalty=Wei(vault.penalties.get((trainer, round_), 0)),
    )


# --- rounds and validators


def _round(history: JobHistory, vault: VaultRules, cycle: CycleRecord, outcome: Finalized) -> RoundPaid:
    leaves = vault.leaves.get(outcome.round)
    matched = [member for seat, member in enumerate(cycle.committee) if outcome.matched >> seat & 1]
    return RoundPaid(
        round=outcome.round,
        cycle=cycle_counter(cycle.cycle),
        ended=outcome.time,
        model=to_cid(outcome.model),
        rewards=f"0x{outcome.rewards.hex()}",
        matched=matched,
        others=[member for member in cycle.committee if member not in matched],
        pay=None if leaves is None else _sum(leaf.pay for leaf in leaves.values()),
        fees=Wei(len(matched) * history.posted.terms.fee_per_seat),
    )


def _validators(decided: list[RoundPaid], vault: VaultRules, history: JobHistory) -> list[ValidatorPay]:
    """Everybody who ever had a seat, in order of appearance."""
    rounds: dict[Address, list[Round]] = {member: [] for cycle in history.cycles for member in cycle.committee}
    for item in decided:
        for member in item.matched:
            rounds[member].append(item.round)
    found = []
    for member, matched in rounds.items():
        earned = len(matched) * history.posted.terms.fee_per_seat
        claimed = vault.fees_claimed.get(member, 0)
        found.append(ValidatorPay(member, matched, Wei(earned), Wei(claimed), Wei(earned - claimed)))
    return found


# --- sums


def _escrow(history: JobHistory, decided: list[RoundPaid], vault: VaultRules) -> Escrow:
    pay = _sum_known(item.pay for item in decided)
    fees = sum(item.fees for item in decided)
    booked = len(decided) * history.posted.terms.full_round
    return Escrow(
        escrowed=Wei(vault.escrowed),
        pay=_sum(vault.claimed.values()),
        fees=_sum(vault.fees_claimed.values()),
        unclaimed=Wei(vault.booked - vault.paid),
        failures=_sum(failed.burnt for _, _, failed in _failures(history)),
        expired=Wei(vault.expired),
        refunded=Wei(vault.refunded),
        left=Wei(vault.left),
        unearned=None if pay is None else Wei(booked - pay - fees),
    )


def _burns(history: JobHistory, vault: VaultRules) -> Iterator[Burn]:
    for round_, cycle, failed in _failures(history):
        if failed.burnt:
            yield Burn(f"the cycle failed in {failed.phase.name}", failed.burnt, round_, cycle, failed.time)
    for (trainer, number), penalty in vault.penalties.items():
        if penalty:
            yield Burn(f"a strike took it off the bond of {trainer}", Wei(penalty), Round(number))
    if vault.expired:
        yield Burn("nobody claimed it in time", Wei(vault.expired))


def _failures(history: JobHistory) -> Iterator[tuple[Round | None, int | None, Failed]]:
    """Failed cycles with round and counter, and lapses, which have neither."""
    for cycle in history.cycles:
        if isinstance(cycle.outcome, Failed):
            yield cycle.round, cycle_counter(cycle.cycle), cycle.outcome
    yield from ((None, None, failed) for _, failed in history.lapses)


def _sums(paid: Paid, replay: EventReplay) -> Iterator[tuple[str, int, int]]:
    """What is said of anybody, summed up: what it is, what the vault's books have, what it comes to."""
    escrow, bonds, vault, rules = paid.escrow, paid.bonds, replay.vault, replay.rules
    parts = escrow.pay, escrow.fees, escrow.unclaimed, escrow.failures, escrow.expired, escrow.refunded, escrow.left
    yield "claims of pay and fees, summed up", vault.paid, escrow.pay + escrow.fees
    yield "where the escrow went, summed up", vault.escrowed, sum(parts)
    yield "what was burnt, summed up", vault.burnt, sum(burn.amount for burn in paid.burnt)
    yield "bonds held, summed up", vault.bonded, bonds.held
    yield "penalties, summed up", vault.forfeited, bonds.forfeited
    yield "where the bonds went, summed up", bonds.paid, bonds.forfeited + bonds.returned + bonds.held
    open_seats = dict(zip(rules.committee, rules.matched, strict=True))
    for item in paid.validators:
        seat = open_seats.get(item.validator, 0) * rules.terms.fee_per_seat
        yield f"fees that {item.validator} has not claimed", vault.fees.get(item.validator, 0) + seat, item.unclaimed
    if escrow.unearned is not None:
        owed = sum(item.unclaimed or 0 for item in paid.trainers) + sum(item.unclaimed for item in paid.validators)
        yield "earned and not claimed, summed up", escrow.unclaimed + escrow.expired, owed + escrow.unearned


def _total(bonds: list[Bond]) -> Bond:
    return Bond(*(_sum(getattr(bond, name) for bond in bonds) for name in ("paid", "forfeited", "returned", "held")))


def _sum(amounts: Iterable[int]) -> Wei:
    return Wei(sum(amounts))


def _sum_known(amounts: Iterable[Wei | None]) -> Wei | None:
    """None where one of them is not known."""
    found = list(amounts)
    return None if None in found else _sum(amount or 0 for amount in found)
