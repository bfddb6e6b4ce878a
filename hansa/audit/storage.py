"""What the contracts must hold of a job where its events are all of them, word by word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import Any, NamedTuple

from hansa.audit.replay import EventReplay
from hansa.protocol.links import vote_word
from hansa.protocol.types import Address, Phase
from hansa.runtime.chain.layout import Key, Word, storage_layout
from hansa.runtime.history.records import JobHistory

BOARD: Word = Word(0, 2**144 - 1)  # bitmaps; above them stand spans, which hang on when each step was made
TAB_ROUNDS = 160  # rounds of a trainer in one slot
COUNT_BITS = 10  # of the rounds that a seat matched


class Expected(NamedTuple):
    """What stands at a place in a contract's storage, as StorageLayout.pack reads it; None is anything."""

    contract: str
    path: tuple[Key, ...]
    value: Any


def expected_storage(replay: EventReplay, since: int | None) -> Iterator[Expected]:
    """Everything that a job has in Federation and Vault. since: the contract's word of that name, the time at which the
    last OPEN began or the job ended; None where it is not known."""
    job, history, terms = replay.facts.job, replay.history, replay.rules.terms
    yield Expected("Federation", ("_jobs", job), _job(replay, since))
    names = storage_layout("Federation").structs["JobTerms"]
    yield Expected("Federation", ("_terms", job), dict(zip(names, astuple(terms), strict=True)))
    for seat, held in enumerate(_seats(history, replay.rules.committee, terms.seats)):
        yield Expected("Federation", ("_jobs", job, "seats", seat), held)
    for item in history.enrolled:
        held = {"enrolled": True, "recheckAdmission": terms.recheck_admission, "bond": item.bond}
        held["counter"] = replay.rules.counters[item.trainer]
        yield Expected("Federation", ("_jobs", job, "trainers", item.trainer), held)
    yield from _vault(replay, since)


def slots_of(places: Iterator[Expected], addresses: Mapping[str, Address]) -> dict[Address, Sequence[int]]:
    """The slots of each contract that hold these places."""
    found: dict[Address, dict[int, None]] = {address: {} for address in addresses.values()}
    for contract, path, _ in places:
        found[addresses[contract]] |= {leaf.slot: None for leaf in storage_layout(contract).leaves(*path)}
    return {address: list(slots) for address, slots in found.items()}


def _job(replay: EventReplay, since: int | None) -> dict[str, Any]:
    rules, last, posted = replay.rules, replay.builder.last, replay.history.posted
    attempt = {
        "updates": last.updates_acc if last else 0,
        "cycle": rules.cycle,
        "deadline": None if last else 0,
        "submitted": rules.submitted,
        "pending": rules.pending,
    }
    return {
        "outcome": int(rules.outcome or Phase.NONE),
        "underway": rules.underway,
        "stopping": rules.stopping,
        "rejoining": rules.rejoining,
        "failures": rules.failures,
        "attempts": rules.attempts,
        "round": len(rules.finalised) + 1,
        "stale": rules.stale,
        "since": since,
        "openedAt": None,
        "bestMetric": rules.best,
        "attempt": attempt,
        "board": Word(last.board.word, BOARD.mask) if last else 0,
        "sheets": last.sheets_acc if last else bytes(32),
        "history": replay.builder.word,
        "matched": sum(count << COUNT_BITS * seat for seat, count in enumerate(rules.matched)),
        "enrolled": len(rules.counters),
        "sponsor": rules.sponsor,
        "termsHash": posted.terms.hash(posted.escrow, posted.sponsor),
    }


def _seats(history: JobHistory, committee: Sequence[Address], seats: int) -> list[dict[str, Any]]:
    """What each seat holds: what it gave in the last cycle in which it gave something stays."""
    held: list[dict[str, Any]] = [
        {"member": member, "commitment": bytes(32), "vote": 0}
        for member in committee or [Address("0x" + "0" * 40)] * seats
    ]
    for cycle in history.cycles:
        for seat, commitment in cycle.commitments.items():
            held[seat]["commitment"] = commitment
        for seat, vote in cycle.votes.items():
            held[seat]["vote"] = vote_word(vote.sealed, vote.metric)
    return held


def _vault(replay: EventReplay, since: int | None) -> Iterator[Expected]:
    job, vault, terms = replay.facts.job, replay.vault, replay.rules.terms
    ended, claim_until, slash_until = vault.times(since)
    account = {
        "token": terms.token,
        "endedAt": ended,
        "claimUntil": claim_until,
        "slashUntil": slash_until,
        "sponsor": vault.sponsor,
        "strikePenalty": terms.strike_penalty,
        "left": vault.left,
        "booked": vault.booked,
        "paid": vault.paid,
        "bonded": vault.bonded,
        "escrowed": vault.escrowed,
        "forfeited": vault.forfeited,
        "burnt": vault.burnt,
        "burnSent": vault.burn_sent,
        "refunded": vault.refunded,
    }
    yield Expected("Vault", ("_accounts", job), account)
    for round_, (root, unpaid) in vault.pools.items():
        yield Expected("Vault", ("_pools", job, round_), {"root": root, "unpaid": unpaid})
    for member in dict.fromkeys(member for cycle in replay.history.cycles for member in cycle.committee):
        yield Expected("Vault", ("_fees", job, member), vault.fees.get(member, 0))
    marks: dict[Address, int] = dict.fromkeys(vault.bonds, 0)
    for trainer, round_ in vault.claimed:
        marks[trainer] |= 1 << round_
    for trainer, bond in vault.bonds.items():
        for index in range(len(vault.pools) // TAB_ROUNDS + 1):
            claimed = marks[trainer] >> TAB_ROUNDS * index & 2**TAB_ROUNDS - 1
            yield Expected("Vault", ("_tabs", job, trainer, index), {"claimed": claimed, "bond": 0 if index else bond})
