"""What must hold when a job is over, whatever happened to it: nothing lost, nothing done twice, nothing stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

LOST, DOUBLED, STUCK = WAYS = ("lost", "doubled", "stuck")
OF_A_CYCLE: Final = frozenset({"submit", "attest", "release", "commitScores", "revealScores", "vote", "rejoin"})
OF_ALL: Final = frozenset({"open", "finalize", "failRound"})  # done by one for all, once in a cycle
REPEATED: Final = frozenset(
    {"announceKey", "multicall"}
)  # one may come again: a key that rotates; a bundle's calls count

CYCLE_ID: Final = slice(64, 128)  # of a step's arguments, in hex: its second word


@dataclass(frozen=True)
class Problem:
    """way: one of WAYS."""

    way: str
    said: str


@dataclass(frozen=True)
class Act:
    """One call of one account, on the chain that stands. by: who signed it, also where another sent it. arguments: hex;
    cycle: its counter, 0 where it names none. worked: it did not revert. relayed: another sent it."""

    by: str
    call: str
    cycle: int
    arguments: str
    block: int
    worked: bool
    relayed: bool = False


@dataclass(frozen=True)
class RoundResult:
    """A finalised round. trainers: whose updates it has; sheets: whose it rests on; drawn: its committee; pay: in the
    token's smallest unit; verdicts: the committee's, by trainer; included: whose updates the model is made of; struck:
    who has a strike."""

    model: str
    trainers: frozenset[str]
    sheets: frozenset[str]
    drawn: tuple[str, ...]
    pay: Mapping[str, int]
    verdicts: Mapping[str, str]
    included: frozenset[str]
    struck: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ending:
    """A job when everybody has left it.

    books: the Vault's, by field. burnt: of failed cycles. due: what the sheets and the rules give each account, got:
    what it has more than before the job, held: what the contracts still keep of it. alive: daemons that have not ended
    well though nobody keeps them from it. wrong: what the audit found, and what it should have been able to look at.
    unread: blocks that the node lost, whose acts are not among these. at_last: as `got`, when all is settled and
    expired. refund: what the rules give the sponsor back, refunded: what it has more than right after the posting.
    vault, burn_address: tokens there at last. opened: cycles. staked: before the job, stakes: what the pool says at
    last, by staker; pooled: the pool's tokens.
    """

    phase: str
    rounds: tuple[RoundResult, ...]
    acts: tuple[Act, ...]
    books: Mapping[str, int]
    burnt: int
    due: Mapping[str, int]
    got: Mapping[str, int]
    held: Mapping[str, int]
    alive: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    failed: int = 0  # cycles
    wanted: int = 0  # rounds that were paid for
    dead: frozenset[str] = field(default_factory=frozenset)  # for good
    unread: int = 0
    trainers: frozenset[str] = field(default_factory=frozenset)  # the job's
    at_last: Mapping[str, int] = field(default_factory=dict)
    refund: int = 0
    refunded: int = 0
    vault: int = 0
    burn_address: int = 0
    opened: int = 0
    staked: Mapping[str, int] = field(default_factory=dict)
    stakes: Mapping[str, int] = field(default_factory=dict)
    pooled: int = 0

    @property
    def reverted(self) -> int:
        return sum(not act.worked for act in self.acts)

    @property
    def opens(self) -> int:
        """Calls that opened a cycle: they name none."""
        return sum(act.worked and act.call == "open" for act in self.acts)


def problems(ending: Ending, undisturbed: Ending | None = None) -> list[Problem]:
    """Everything that does not hold; empty where all does. undisturbed: the same job when nothing happened to it."""
    found = [Problem(STUCK, said) for said in _stuck(ending)]
    if found:
        return found  # its books are not closed
    found += [Problem(DOUBLED, said) for said in _doubled(ending)]
    found += [Problem(LOST, said) for check in LOSSES for said in check(ending)]
    if undisturbed is not None:
        found += [Problem(LOST, said) for said in _differs(ending, undisturbed)]
    return found


def _stuck(ending: Ending) -> Iterator[str]:
    if ending.phase != "COMPLETED":
        yield f"the job ended {ending.phase}"
    if len(ending.rounds) < ending.wanted:
        yield f"{len(ending.rounds)} of {ending.wanted} rounds were finalised"
    for name in ending.alive:
        yield f"{name} did not end by itself"


def _doubled(ending: Ending) -> Iterator[str]:
    """Each step of a cycle is one account's once; other calls are, with the same arguments. A claim that two send does
    nothing the second time; where it paid twice, `_unpaid` and `_books` see that: every balance is exact."""
    times: Counter[tuple[str, str, str]] = Counter()
    for act in ending.acts:
        if not act.worked or act.call in REPEATED:
            continue
        if act.call in OF_A_CYCLE:
            times[act.by, act.call, f"cycle {act.cycle}"] += 1
        elif act.call in OF_ALL and act.cycle:
            times["", act.call, f"cycle {act.cycle}"] += 1
        elif act.call not in OF_ALL:
            times[act.by, act.call, act.arguments] += 1
    yield from _sent_twice(ending)
    for (by, call, what), count in times.items():
        if count > 1:
            yield f"{by or 'all together'} did {call} of {what} {count} times"
    if ending.opens > ending.opened:
        yield f"all together did open {ending.opens} times, for {ending.opened} cycles"
    for name, stake in ending.stakes.items():
        if stake > ending.staked.get(name, 0):
            yield f"{name} has {stake} in the pool, and staked {ending.staked.get(name, 0)}"


def _sent_twice(ending: Ending) -> Iterator[str]:
    """The contract refuses a step that was taken: who sends it again all the same shows in what reverted. Several
    validators may relay the same signature; and what was signed for a cycle that a reorganisation took may still come
    into a block: it names another ID."""
    taken: set[tuple[str, str, str]] = set()
    for act in ending.acts:
        step = (act.by, act.call, act.arguments[CYCLE_ID])
        if act.call not in OF_A_CYCLE or act.relayed:
            continue
        if act.worked:
            taken.add(step)
        elif step in taken:
            yield f"{act.by} sent {act.call} of cycle {act.cycle} again in block {act.block}, when it was done"


def _unpaid(ending: Ending) -> Iterator[str]:
    for name, due in ending.due.items():
        if (got := ending.got.get(name, 0)) != due:
            yield f"{name} has {got} of {due}"
        elif (last := ending.at_last.get(name, 0)) != due:
            yield f"{name} has {last} of {due} when all is settled"
    for name, held in ending.held.items():
        if held:
            yield f"the contracts still keep {held} of {name}"
    if ending.refunded != ending.refund:
        yield f"the sponsor has {ending.refunded} of {ending.refund}"


def _books(ending: Ending) -> Iterator[str]:
    books = ending.books
    gone = books["left"] + books["booked"] + books["burnt"] - books["forfeited"] + books["refunded"]
    if books["escrowed"] != gone:
        yield f"of {books['escrowed']} escrowed, {gone} are accounted for"
    if books["paid"] != (owed := sum(ending.due.values()) + books["forfeited"]):
        yield f"{books['paid']} were paid, {owed} earned"
    for name in ("left", "bonded"):
        if books[name]:
            yield f"{books[name]} are {name} in the vault"
    if books["burnt"] != books["burn_sent"]:
        yield f"of {books['burnt']} burnt, {books['burn_sent']} were sent"
    if books["burn_sent"] != ending.burn_address:
        yield f"the burn address has {ending.burn_address} of {books['burn_sent']}"
    if books["refunded"] != ending.refund:
        yield f"{books['refunded']} were refunded, {ending.refund} are due to the sponsor"
    if ending.vault:
        yield f"the vault still has {ending.vault}"
    if ending.burnt or ending.failed:
        yield f"{ending.failed} cycles failed, and {ending.burnt} of the escrow burnt"


def _audit(ending: Ending) -> Iterator[str]:
    yield from (f"the audit: {said}" for said in ending.wrong)


def _absent(ending: Ending) -> Iterator[str]:
    """Phases wait for whoever is late: who is not dead for good has a part in every round."""
    everybody = ending.trainers - ending.dead
    for number, one in enumerate(ending.rounds, 1):
        for name in sorted(everybody - one.trainers):
            yield f"{name} has no update in round {number}"
        for name in sorted(set(one.drawn) - one.sheets - ending.dead):
            yield f"{name} has no sheet in round {number}"
    if ending.opens < ending.opened and not ending.unread:
        yield f"{ending.opened} cycles were opened, by {ending.opens} calls"


def _unjust(ending: Ending) -> Iterator[str]:
    """All are honest, and no fault excuses a verdict: who is late is waited for. Only where a member is dead, the
    others may be too few to judge an update of one of them."""
    for number, one in enumerate(ending.rounds, 1):
        for name in sorted(one.trainers - ending.dead):
            is_judged = not ending.dead & set(one.drawn) or 2 * len(one.sheets - {name}) > len(one.drawn)
            if one.verdicts[name] != "OK" and is_judged:
                yield f"the update of {name} in round {number} is {one.verdicts[name]}"
        for name in sorted(one.struck - ending.dead):
            yield f"{name} has a strike in round {number}"


def _unstaked(ending: Ending) -> Iterator[str]:
    """What was staked is there: nobody but the dead may lose any, and what is burnt stays in the pool."""
    for name, staked in ending.staked.items():
        if (stake := ending.stakes.get(name, 0)) < staked and name not in ending.dead:
            yield f"the pool has {stake} of the {staked} that {name} staked"
    if ending.pooled != (staked := sum(ending.staked.values())):
        yield f"the pool has {ending.pooled} of {staked}"


LOSSES: Final = (_unpaid, _books, _audit, _absent, _unjust, _unstaked)


def _differs(ending: Ending, undisturbed: Ending) -> Iterator[str]:
    """Round by round: the models as long as the same updates made them, verdicts and pay as long as the same members
    measured, in the rounds before too."""
    measured = True
    for number, (one, other) in enumerate(zip(ending.rounds, undisturbed.rounds, strict=False), 1):
        if one.trainers != other.trainers:
            return
        measured = measured and (one.sheets, one.drawn) == (other.sheets, other.drawn)
        if (one.verdicts, one.included) != (other.verdicts, other.included):
            if measured and not ending.dead & one.trainers:
                yield f"round {number} is made of {sorted(one.included)}, undisturbed of {sorted(other.included)}"
            return
        if one.model != other.model:
            yield f"round {number} came to {one.model}, undisturbed to {other.model}"
        if measured and dict(one.pay) != dict(other.pay):
            yield f"round {number} paid {dict(one.pay)}, undisturbed {dict(other.pay)}"
