"""One job and everybody in it, for the tests: every method is one transaction of one actor."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from brownie import chain
from brownie.network.account import Account
from eth_utils.crypto import keccak
from house import House
from node import call, head, send, skip_to, word
from terms import NO_WORD, TERMS, TERMS_TYPES

from hansa.protocol import hashes, merkle, sheet
from hansa.protocol.types import Phase, Place

MEMBER_STEPS = {
    Phase.ATTEST: "attest",
    Phase.RELEASE: "release",
    Phase.SCORE: "commit",
    Phase.REVEAL: "reveal",
    Phase.VOTE: "vote",
}


class Job:
    """A posted job. `trainers` and `members` act in `step`; empty a list to silence them."""

    def __init__(
        self, house: House, *, escrow: int | None = None, sponsor: Account | None = None, **terms: Any
    ) -> None:
        self.house, self.federation, self.vault = house, house.federation, house.vault
        self.sponsor = sponsor or house.sponsor
        seats = terms.get("seats", TERMS["seats"])
        chosen = {
            "token": house.token,
            "admission": house.admission,
            "committee": terms.get("committee") or house.committees[seats],
        }
        self.terms = SimpleNamespace(**{**TERMS, **chosen, **terms})
        self.full = self.terms.rewardPerRound + seats * self.terms.feePerSeat
        self.escrow = self.terms.maxRounds * self.full if escrow is None else escrow
        self.trainers = list(house.trainers[: self.terms.maxTrainers])
        self.members = list(house.validators)
        self.token = self.terms.token
        self.model: bytes | None = None  # the next result's model; None: one named after the round
        self.leaves: dict[Any, tuple[int, int]] | None = None  # trainer → (pay, strike); None: equal pay
        self.metrics: dict[Any, int] = {}
        self.sheets: dict[Any, bytes] = {}
        self.trees: dict[int, merkle.RewardsTree] = {}
        self.enrolled: list[Any] = []
        self.id = 0
        self._seen: tuple[str, Any] = ("", None)
        self._drafting = False
        self._quick = False  # inside `step` nobody looks at what a transaction did

    # what is on chain

    def state_at(self, time: int) -> SimpleNamespace:
        state = call(self.federation.stateAt, self.id, time).dict()
        state["phase"] = Phase(state["phase"])
        return SimpleNamespace(**state)

    @property
    def state(self) -> SimpleNamespace:
        """As of the last block."""
        block = head()
        if self._seen[0] != block["hash"]:
            self._seen = (block["hash"], self.state_at(int(block["timestamp"], 16)))
        return self._seen[1]

    @property
    def phase(self) -> Phase:
        return Phase(self.state.phase)

    @property
    def cycle(self) -> int:
        return int(self.state.cycle)

    @property
    def seed(self) -> bytes:
        """Of the cycle, while nobody has shown a sheet."""
        return bytes(self.state.sheets)

    @property
    def books(self) -> SimpleNamespace:
        return SimpleNamespace(**call(self.vault.booksOf, self.id).dict())

    @property
    def terms_hash(self) -> bytes:
        types = [f"({TERMS_TYPES})", "uint256", "address"]
        return keccak(merkle.encode(types, [self.terms_tuple(), self.escrow, self.sponsor.address]))

    def terms_tuple(self) -> tuple[Any, ...]:
        return tuple(getattr(value, "address", value) for value in (getattr(self.terms, name) for name in TERMS))

    def trainer(self, who: Account) -> tuple[bool, int, int]:
        """Whether it is enrolled, the counter of the last cycle that it submitted in, its bond as enrolled."""
        enrolled, counter, bond = call(self.federation.trainerOf, self.id, who.address)
        return bool(enrolled), int(counter), int(bond)

    def seat_of(self, member: Account) -> int:
        return list(self.state.committee).index(member.address)

    # steps

    def draft(self, step: str, *arguments: Any, **named: Any) -> tuple[Any, Any, Account]:
        """The call of a step, as `together` sends it: method, arguments, sender."""
        self._drafting = True
        try:
            return getattr(self, step)(*arguments, **named)
        finally:
            self._drafting = False

    def _do(self, name: str, *arguments: Any) -> Any:
        method = getattr(self.federation, name)
        if self._drafting:
            return method, arguments[:-1], arguments[-1]["from"]
        return send(method, *arguments) if self._quick else method(*arguments)

    def post(self, **tx: Any) -> Any:
        done = self.federation.post(self.terms_tuple(), self.escrow, {"from": self.sponsor, **tx})
        self.id = int(done.events["JobPosted"]["job"])
        return done

    def enrol(self, who: Account, bond: int | None = None, terms_hash: bytes | None = None, data: bytes = b"") -> Any:
        amount = self.terms.minBond if bond is None else bond
        done = self._do("enrol", self.id, terms_hash or self.terms_hash, amount, data, {"from": who})
        if not self._drafting:
            self.enrolled.append(who)
        return done

    def open(self, by: Account | None = None, **tx: Any) -> Any:
        return self._do("open", self.id, {"from": by or self.sponsor, **tx})

    def submit(
        self, who: Account, digest: bytes | None = None, cycle: int | None = None, seed: bytes | None = None
    ) -> Any:
        named = self.cycle if cycle is None else cycle
        return self._do(
            "submit", self.id, named, seed or self.seed, digest or word(f"update {who.address}"), {"from": who}
        )

    def attest(self, who: Account, bitmap: bytes | None = None, cycle: int | None = None) -> Any:
        state = self.state
        bits = bytes((state.submitted + 7) // 8) if bitmap is None else bitmap
        return self._member_step("attest", who, cycle, bits)

    def release(self, who: Account, digest: bytes | None = None, cycle: int | None = None) -> Any:
        return self._member_step("release", who, cycle, digest or word("shares"))

    def sheet_of(self, who: Account) -> bytes:
        return self.sheets.get(who, bytes(13 * self.state.submitted))

    def salt_of(self, who: Account) -> bytes:
        return word(f"salt {who.address}")

    def commitment_of(self, who: Account) -> bytes:
        place = Place(chain.id, self.federation.address, self.id, self.cycle)
        return sheet.commitment(place, who.address, self.sheet_of(who), self.salt_of(who))

    def commit(self, who: Account, commitment: bytes | None = None, cycle: int | None = None) -> Any:
        return self._member_step("commitScores", who, cycle, commitment or self.commitment_of(who))

    def reveal(
        self, who: Account, text: bytes | None = None, salt: bytes | None = None, cycle: int | None = None
    ) -> Any:
        shown = self.sheet_of(who) if text is None else text
        return self._member_step("revealScores", who, cycle, shown, salt or self.salt_of(who))

    def vote(
        self,
        who: Account,
        metric: int | None = None,
        model: bytes | None = None,
        sheets: bytes | None = None,
        cycle: int | None = None,
    ) -> Any:
        state = self.state
        seat = list(state.committee).index(who.address) if who.address in state.committee else 0
        voted = hashes.sealed_vote(self.result_hash(model), seat)
        measured = self.metrics.get(who, 5) if metric is None else metric
        return self._member_step("vote", who, cycle, sheets or bytes(state.sheets), voted, measured)

    def _member_step(self, name: str, who: Account, cycle: int | None, *arguments: Any) -> Any:
        state = self.state
        seat = list(state.committee).index(who.address) if who.address in state.committee else 0
        return self._do(name, self.id, state.cycle if cycle is None else cycle, seat, *arguments, {"from": who})

    def tree(self) -> merkle.RewardsTree:
        share = self.terms.rewardPerRound // max(1, len(self.enrolled))
        leaves = self.leaves if self.leaves is not None else dict.fromkeys(self.enrolled, (share, 0))
        return merkle.RewardsTree([merkle.Leaf(who.address, *owed, 125_000) for who, owed in leaves.items()])

    def result(self, model: bytes | None = None) -> tuple[bytes, bytes]:
        if self.model == NO_WORD:
            return NO_WORD, NO_WORD
        named = model or self.model or word(f"model {self.state.round}")
        return named, NO_WORD if self.leaves == {} else self.tree().root

    def result_hash(self, model: bytes | None = None) -> bytes:
        state, result = self.state, self.result(model)
        place = Place(chain.id, self.federation.address, self.id, int(state.cycle))
        return hashes.result_hash(place, int(state.updates), bytes(state.sheets), *result)

    def finalize(
        self, by: Account | None = None, result: tuple[bytes, bytes] | None = None, cycle: int | None = None
    ) -> Any:
        state = self.state
        named = state.cycle if cycle is None else cycle
        opened = result or self.result()
        done = self._do("finalize", self.id, named, opened, {"from": by or self.sponsor})
        if opened[0] != NO_WORD and self.leaves != {} and not self._drafting:
            self.trees[state.round] = self.tree()
        return done

    def fail(self, by: Account | None = None, cycle: int | None = None) -> Any:
        named = self.cycle if cycle is None else cycle
        return self._do("failRound", self.id, named, {"from": by or self.sponsor})

    def rejoin(self, who: Account, cycle: int | None = None) -> Any:
        return self._do("rejoin", self.id, self.cycle if cycle is None else cycle, {"from": who})

    def stop(self, by: Account | None = None) -> Any:
        return self._do("stop", self.id, {"from": by or self.sponsor})

    def claims(self, who: Account, rounds: Iterable[int]) -> list[tuple[Any, ...]]:
        found = []
        for number in rounds:
            tree = self.trees[number]
            found.append((number, tuple(tree.leaf(who.address)[1:]), tree.proof(who.address)))
        return found

    def claim(self, who: Account, *rounds: int, by: Account | None = None) -> Any:
        claims = self.claims(who, rounds or self.trees)
        if self._drafting:
            return self.vault.claim, (self.id, who, claims), by or who
        return self.vault.claim(self.id, who, claims, {"from": by or who})

    # several steps

    def step(self) -> Phase:
        """Everybody does what the phase asks of them; then it is over, by an early close or by time. The new phase."""
        before, self._quick = self.state.phase, True
        try:
            self._act()
        finally:
            self._quick = False
        if self.phase == before:
            skip_to(self.state.deadline)
        return self.phase

    def _act(self) -> None:
        state = self.state
        phase, seated = state.phase, [who for who in self.members if who.address in state.committee]
        if phase == Phase.ENROL:
            for who in [who for who in self.trainers if who not in self.enrolled]:
                self.enrol(who)
        elif phase == Phase.OPEN:
            self.open()
        elif phase == Phase.SUBMIT:
            for who in self.trainers:
                self.submit(who)
        elif phase in MEMBER_STEPS:
            for who in seated:
                if self._may(phase, state, who):
                    getattr(self, MEMBER_STEPS[phase])(who)
        elif phase == Phase.FINALIZE:
            self.finalize()
        elif phase == Phase.LAPSED:
            self.fail()
        else:
            raise AssertionError(f"nothing to do in {phase.name}")

    @staticmethod
    def _may(phase: Phase, state: SimpleNamespace, who: Account) -> bool:
        needed = {Phase.REVEAL: state.committed, Phase.VOTE: state.revealed}.get(phase, -1)
        return bool(needed >> list(state.committee).index(who.address) & 1)

    def reach(self, phase: Phase) -> Job:
        while self.phase != phase:
            self.step()
        return self

    def play_round(self) -> Job:
        """Until the round is finalised, or the job over."""
        number = self.state.round
        while self.state.round == number and not self.phase.is_over:
            self.step()
        return self

    def lapse(self) -> Job:
        """Nobody acts until `failRound` is due."""
        while self.phase != Phase.LAPSED:
            skip_to(self.state.deadline)
        return self

    def play_to_end(self) -> Job:
        while not self.phase.is_over:
            self.step()
        return self

    def check_books(self) -> None:
        """What the interface of the vault says that its books add up to."""
        books = self.books
        spent = books.left + books.booked + books.burnt - books.forfeited + books.refunded
        assert books.escrowed == spent, f"escrowed = left + booked + burnt − forfeited + refunded: {books}"
        assert books.paid <= books.booked, f"paid out of what was booked: {books}"
        assert books.burnSent <= books.burnt and books.forfeited <= books.burnt, f"burnt: {books}"

    @property
    def holding(self) -> int:
        """What the vault must hold for this job."""
        books = self.books
        return books.left + books.booked - books.paid + books.burnt - books.burnSent + books.bonded
