"""A job on chain and its model, step by step: both must do the same, or refuse for the same reason.

Nothing here goes by way of brownie's accounts: they remember transactions that a revert of the chain has undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from brownie.exceptions import decode_typed_error
from brownie.network.account import Account
from drive import Job
from history import History
from house import House
from ledger import Refused, Who
from model import MEMBER_PHASES, Model, bitmap
from node import SEND, at, call, head, now, rpc, send, word
from outcomes import Outcome
from signing import sign

from hansa.protocol import hashes, typed_data
from hansa.protocol.types import Phase

STEPS = dict(zip(MEMBER_PHASES, ("attest", "release", "commit", "reveal"), strict=False))
FLAGS = dict(zip(MEMBER_PHASES, ("attested", "released", "committed", "revealed", "voted"), strict=True))
Call = tuple[Any, tuple[Any, ...], Account]


class Twin:
    """keys: what each account has announced last; several twins share it."""

    def __init__(
        self, house: House, committee: Any, terms: dict[str, Any], escrow: int, keys: dict[Who, bytes]
    ) -> None:
        self.house, self.committee = house, committee
        self.job = Job(house, committee=committee, escrow=escrow, **terms)
        self.is_told = hasattr(committee, "setMembers")  # a mock, that answers what it is told to
        self.answer: list[Account] | None = house.validators[: self.job.terms.seats]
        if self.is_told:
            send(committee.setMembers, self.answer, {"from": house.sponsor})
        send(house.federation.post, self.job.terms_tuple(), escrow, {"from": house.sponsor})
        self.job.id = int(call(house.federation.jobCount))
        self.keys = keys
        history = History(31337, house.federation.address, self.job.id, self.job.terms_hash)
        self.model = Model(self.job.terms, house.sponsor, now(), escrow, history, keys)
        self.outcomes: dict[int, Outcome] = {}  # finalised, by round
        self.lazy: set[int] = set()  # places of those who seldom act
        self.seen: set[Who] = set()  # everybody who ever sat on the committee
        self._relayed = 0  # acts of trainers so far: every other one is signed, and sent by the sponsor

    def do(self, expected: Callable[[int], None], question: Call) -> str | None:
        """One transaction, a second after the last block. The error that both gave, or None."""
        time = now() + 1
        at(time)
        got = _send(question)
        try:
            expected(time)
            error = None
        except Refused as refused:
            error = str(refused)
        assert got == error, f"{question[0]._name} by {question[2]}: the contracts say {got}, the model {error}"
        return error

    def _maybe_signed(self, question: Call) -> Call:
        """The call, or that for which its sender signs it."""
        method, arguments, who = question
        self._relayed += 1
        if self._relayed % 2:
            return question
        name = f"{method._name.rpartition('.')[2]}For"
        if name == "enrolFor":
            arguments = (*arguments, 2**64)
        kind = typed_data.SIGNED_CALLS[name][1]
        fields = [field.rpartition(" ")[2] for field in kind.partition("(")[2].rstrip(")").split(",")]
        signature = sign(who, self.house.federation.address, kind, dict(zip(fields, arguments, strict=True)))
        return getattr(self.house.federation, name), (*arguments, who, signature), self.house.sponsor

    # steps

    def enrol(self, who: Account, bond: int) -> None:
        question = self._maybe_signed(self.job.draft("enrol", who, bond))
        self.do(lambda time: self.model.enrol(time, who, bond), question)

    def open(self, who: Account) -> None:
        self.do(lambda time: self.model.open(time, self._members(), _randomness()), self.job.draft("open", who))
        self.seen |= set(self.model.committee)

    def _members(self) -> list[Account] | None:
        """What the committee contract says in the last block, in which `open` has asked it."""
        if self.is_told:
            return self.answer
        history, model = self.model.history, self.model
        place = (31337, self.house.federation.address, self.job.id)
        drawn = hashes.draw(*place, history.sheets, history.updates, _randomness())
        as_of = model.cycle.opened_at if model.cycle else model.enrol_end
        data = self.committee.select.encode_input(self.job.id, model.counter + 1, drawn, as_of)
        question = {"from": self.house.federation.address, "to": self.committee.address, "data": data}
        try:
            found = self.committee.select.decode_output(rpc("eth_call", question, "latest"))
        except AssertionError:
            return None
        known = {who.address: who for who in (*self.house.validators, *self.house.trainers)}
        return [known[member] for member in found] if len(found) == self.job.terms.seats else None

    def submit(self, who: Account) -> None:
        digest = word(f"update {who} {self.model.counter}")
        question = self._maybe_signed(self.job.draft("submit", who, digest))
        self.do(lambda time: self.model.submit(time, who, digest), question)

    def member_step(self, phase: Phase, who: Account) -> None:
        told: Any = word(f"{phase.name} {who} {self.model.counter}")
        if phase == Phase.ATTEST:
            told = told[: (self.job.state.submitted + 7) // 8]
        shown = (self.job.sheet_of(who), self.job.salt_of(who)) if phase == Phase.REVEAL else told
        arguments = (who, told) if phase in (Phase.ATTEST, Phase.RELEASE) else (who,)
        self.do(lambda time: self.model.act(time, phase, who, shown), self.job.draft(STEPS[phase], *arguments))

    def vote(self, who: Account, outcome: Outcome, metric: int) -> None:
        state = self.job.state
        seat = list(state.committee).index(who.address) if who.address in state.committee else 0
        sealed = self.model.history.sealed(seat, outcome)
        arguments = (self.job.id, state.cycle, seat, bytes(state.sheets), sealed, metric)
        question = (self.job.federation.vote, arguments, who)
        self.do(lambda time: self.model.act(time, Phase.VOTE, who, (outcome, metric)), question)

    def finalize(self, who: Account, outcome: Outcome) -> None:
        number = self.model.round
        question = self.job.draft("finalize", who, outcome.result)
        if not self.do(lambda time: self.model.finalize(time, outcome), question) and not outcome.failed:
            self.outcomes[number] = outcome

    def fail(self, who: Account) -> None:
        self.do(lambda time: self.model.fail(time), self.job.draft("fail", who))

    def stop(self, who: Account) -> None:
        self.do(lambda time: self.model.stop(time, who), self.job.draft("stop", who))

    def rejoin(self, who: Account) -> None:
        self.do(lambda time: self.model.rejoin(who), self._maybe_signed(self.job.draft("rejoin", who)))

    def announce(self, who: Account, key: bytes) -> None:
        question = (self.house.federation.announceKey, (key,), who)
        self.do(lambda time: self.keys.update({who: key}), question)

    # money

    def claim(self, who: Account, rounds: Iterable[int], by: Account) -> None:
        claims = []
        for number in rounds:
            if who in (leaf[0] for leaf in self.outcomes[number].leaves):
                tree = self.outcomes[number].tree
                claims.append((number, tuple(tree.leaf(who.address)[1:]), tree.proof(who.address)))
        named = [number for number, _, _ in claims]
        question = (self.house.vault.claim, (self.job.id, who, claims), by)
        self.do(lambda time: self.model.claim(time, who, named), question)

    def claim_seat(self, seat: int, by: Account) -> None:
        question = (self.house.federation.claimFees, (self.job.id, seat), by)
        self.do(lambda time: self.model.claim_seat(time, seat), question)

    def claim_fees(self, who: Who, by: Account) -> None:
        question = (self.house.vault.claimFees, (self.job.id, who), by)
        self.do(lambda time: self.model.claim_fees(time, who), question)

    def claim_bond(self, who: Account, by: Account) -> None:
        question = (self.house.vault.claimBond, (self.job.id, who), by)
        self.do(lambda time: self.model.claim_bond(time, who), question)

    def claim_rest(self, by: Account) -> None:
        self.do(lambda time: self.model.claim_rest(), (self.house.vault.claimRest, (self.job.id,), by))

    def expire(self, by: Account) -> None:
        self.do(lambda time: self.model.expire(time), (self.house.vault.expire, (self.job.id,), by))

    def send_burnt(self, by: Account) -> None:
        self.do(lambda time: self.model.send_burnt(), (self.house.vault.sendBurnt, (self.job.id,), by))

    # comparing

    def compare(self) -> None:
        state, model, time = self.job.state, self.model, now()
        phase, _, end = model.clock(time)
        seen: dict[str, Any] = {
            "phase": (state.phase, phase),
            "deadline": (state.deadline, end),
            "endedAt": (state.endedAt, model.ended_at),
            "round": (state.round, model.round),
            "enrolled": (state.enrolled, len(model.bonds)),
            "stale": (state.stale, model.stale),
            "failures": (state.failures, model.failures),
            "stopping": (state.stopping, model.stopping),
            "rejoining": (state.rejoining, model.rejoining),
            "committeeKept": (state.committeeKept, model.keeps_committee),
            "bestMetric": (state.bestMetric, model.best),
            "committee": (list(state.committee), [who.address for who in model.committee]),
            "matched": (list(state.matched), model.matched if model.committee else []),
            "counter": (hashes.cycle_counter(state.cycle), model.counter),
            "cycle": (state.cycle, model.history.cycle),
            "updates": (state.updates, model.history.updates),
            "sheets": (bytes(state.sheets), model.history.sheets),
            "history": (bytes(state.history), model.history.word),
            "historyOf": (bytes(call(self.house.federation.historyOf, self.job.id)), model.history.word),
        }
        if model.cycle:
            seen |= self._of_the_cycle(state)
        wrong = {name: pair for name, pair in seen.items() if pair[0] != pair[1]}
        assert not wrong, f"(chain, model) at {time}: {wrong}"
        self._compare_trainers()
        self._compare_books()

    def _compare_trainers(self) -> None:
        for who in self.house.trainers:
            model = self.model
            kept = (who in model.enrolled, model.last_counter.get(who, 0), model.enrolled.get(who, 0))
            assert self.job.trainer(who) == kept, f"enrolment of {who}"
        for place, who in enumerate(self.model.enrolled):
            assert call(self.house.federation.trainerAt, self.job.id, place) == who.address, f"place {place}"

    def _of_the_cycle(self, state: Any) -> dict[str, Any]:
        live = self.model.live
        seen: dict[str, Any] = {
            "openedAt": (state.openedAt, live.opened_at),
            "everybody": (hashes.everybody_due(state.cycle), live.everybody),
            "submitted": (state.submitted, len(live.submitted)),
            "pending": (state.pending, len(live.due_trainers - set(live.submitted))),
            "due": (state.due, bitmap(live.due)),
        }
        return seen | {name: (getattr(state, name), bitmap(live.acted[phase])) for phase, name in FLAGS.items()}

    def _compare_books(self) -> None:
        books, model = self.job.books, self.model
        seen = {
            "escrowed": (books.escrowed, model.escrow),
            "left": (books.left, model.left),
            "booked": (books.booked, model.booked),
            "paid": (books.paid, model.paid),
            "burnt": (books.burnt, model.burnt),
            "burnSent": (books.burnSent, model.burn_sent),
            "forfeited": (books.forfeited, model.forfeited),
            "refunded": (books.refunded, model.refunded),
            "bonded": (books.bonded, sum(model.bonds.values())),
        }
        if model.outcome:
            seen |= {
                "claimUntil": (books.claimUntil, model.claim_until),
                "slashUntil": (books.slashUntil, model.slash_until),
            }
        wrong = {name: pair for name, pair in seen.items() if pair[0] != pair[1]}
        assert not wrong, f"books (chain, model): {wrong}"
        self.job.check_books()


def _randomness() -> bytes:
    """Of the last block."""
    block = head()
    randao = int(block["mixHash"], 16)
    return bytes.fromhex((block["mixHash"] if randao >= 2**64 else block["parentHash"])[2:])


def _send(question: Call) -> str | None:
    """The name of the error, or None."""
    method, arguments, sender = question
    data = method.encode_input(*arguments)
    receipt = rpc(SEND, {"from": sender.address, "to": method._address, "data": data, "gas": hex(8_000_000)})
    if receipt["status"] == "0x1":
        return None
    trace = rpc("debug_traceTransaction", receipt["transactionHash"], {"tracer": "callTracer"})
    return str(decode_typed_error(trace.get("output", "0x"))).partition(":")[0]
