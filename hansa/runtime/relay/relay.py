"""The relay: sends what trainers signed, for the jobs that it serves, and pays for nothing that would be refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from eth_utils.crypto import keccak
from structlog.stdlib import BoundLogger

from hansa.protocol.errors import HansaError, TransientError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.chain.abi import ContractError, artifact
from hansa.runtime.chain.federation import Federation
from hansa.runtime.journal import Key
from hansa.runtime.relay.messages import Act, RelayAnswer
from hansa.runtime.transactions.outcome import Mined, Outcome, Refused
from hansa.runtime.transactions.sender import Sender

MOST_PERMITS = 3  # of one account in one job, that are paid for
LINGER = 600  # seconds after bonds are free, for which trainers are waited for to claim


class Relay:
    """Sends for one account, from the thread that owns its senders.

    sender_of: by job, FatalError that says why one is not served. Each act is sent once, whatever is asked again: a job
    takes an enrolment once, a cycle an update once, and what would change nothing is not sent.
    """

    def __init__(self, federation: Federation, sender_of: Callable[[JobId], Sender], log: BoundLogger) -> None:
        self._federation = federation
        self._sender_of = sender_of
        self._log = log
        self._permits: Counter[tuple[JobId, Address]] = Counter()
        self._claimed: dict[tuple[JobId, Address, int], bytes] = {}  # by round, hash of the call that claims it

    def answer(self, act: Act) -> RelayAnswer:
        """Sends it, or says why not. Raises nothing for what the request, the chain or the contract is to blame for."""
        try:
            sender = self._sender_of(act.job)
        except TransientError as error:
            return RelayAnswer(503, error=str(error))
        except HansaError as error:
            return RelayAnswer(403, error=str(error))
        try:
            found = self._idle(act) or self._permit(act, sender) or self._send(act, sender)
        except TransientError as error:
            return RelayAnswer(503, error=str(error))
        except ContractError as error:
            found = RelayAnswer(409, error=str(error))
        except HansaError as error:  # it can't pay, say
            self._log.error("not relayed", what=act.sent.what, error=str(error))
            return RelayAnswer(503, error="this relay can't send now; ask another one")
        self._log.info("asked to relay", what=act.sent.what, status=found.status, error=found.error)
        if found.is_taken and found.transaction is not None:
            self._note(act, sender)
        return found

    def is_settled(self, job: JobId) -> bool:
        """Whether a job's trainers that it sends for need it no more: their bonds are back, or long free."""
        trainers = self._sent_for(job, self._sender_of(job))
        if not trainers:
            return True
        books, head = self._federation.books(job), self._federation.chain.head()
        free = books.ended_at and head.timestamp > books.slash_until + LINGER
        return bool(free) or not any(self._federation.bonds(job, trainers))

    @staticmethod
    def _sent_for(job: JobId, sender: Sender) -> list[Address]:
        known = sender.journal.recall((job, "relayed for"))
        return [] if known is None else [Address(trainer) for trainer in known["trainers"]]

    def _note(self, act: Act, sender: Sender) -> None:
        """Remembers whom it sends for, over a restart too."""
        known = self._sent_for(act.job, sender)
        if act.account not in known:
            sender.journal.replace((act.job, "relayed for"), {"trainers": [*known, act.account]})

    def _idle(self, act: Act) -> RelayAnswer | None:
        """What is said of an act that is done, or that would change nothing."""
        federation, done = self._federation, RelayAnswer(200)
        match act.call:
            case "enrol" if federation.trainer(act.job, act.account).enrolled:
                return done
            case "submit" if federation.trainer(act.job, act.account).counter == cycle_counter(act.arguments["cycle"]):
                return done
            case "rejoin" if federation.state(act.job).rejoining:
                return done
            case "claimBond" if federation.bond(act.job, act.account) == 0:
                return done
            case "claim":
                claims = act.arguments["claims"]
                rounds = [int(claim[0]) for claim in claims]
                if not rounds or len(set(rounds)) != len(rounds) or not all(claim[1][0] for claim in claims):
                    return RelayAnswer(409, error="the claim has a round twice, none, or one that pays nothing")
                hashed = keccak(act.sent.data)  # a claim of rounds that are claimed succeeds, and does nothing
                others = [self._claimed.get((act.job, act.account, number), hashed) != hashed for number in rounds]
                if any(others) or federation.claimed_rounds(act.job, act.account, rounds):
                    return RelayAnswer(409, error="a round of the claim is claimed already; claim the others")
        return None

    def _permit(self, act: Act, sender: Sender) -> RelayAnswer | None:
        """Lets the vault take an enrolment's bond, where it may not yet. None where it may."""
        federation = self._federation
        token = federation.terms(act.job).token
        if act.call != "enrol" or federation.allowance(token, act.account) >= act.arguments["bond"]:
            return None
        if act.permit is None:
            return RelayAnswer(409, error=f"the vault may not take the bond of {act.account}; send its permit too")
        if act.permit.value < act.arguments["bond"]:
            return RelayAnswer(409, error=f"the permit of {act.account} is for less than the bond")
        if federation.token_balance(token, act.account) < act.arguments["bond"]:
            return RelayAnswer(409, error=f"{act.account} has less than the bond")
        if federation.state(act.job).phase != Phase.ENROL:
            return RelayAnswer(409, error=f"job {act.job} has ended its enrolment")
        self._simulate(act)
        call, key = act.permit.call(token, act.account, federation.vault), (act.job, act.account)
        if self._permits[key] >= MOST_PERMITS:
            return RelayAnswer(409, error=f"{act.account} has had {MOST_PERMITS} permits sent, and is not enrolled")
        outcome = sender.send(call, key=(act.job, "relay", keccak(call.data)))
        if isinstance(outcome, Mined):
            self._permits[key] += 1
            return None
        if isinstance(outcome, Refused) and federation.allowance(token, act.account) >= act.arguments["bond"]:
            return None  # somebody sent it first
        return self._told(outcome)

    def _simulate(self, act: Act) -> None:
        """ContractError where the federation itself refuses an act; what a token says of its allowance can be cured."""
        assert act.sent.to is not None
        function = artifact("Federation").functions[f"{act.call}For"]
        arguments = tuple(act.arguments[field.name] for field in function.inputs)
        try:
            self._federation.chain.read([(act.sent.to, function, arguments)])
        except ContractError as error:
            if error.name.startswith("Federation_"):
                raise

    def _send(self, act: Act, sender: Sender) -> RelayAnswer:
        found = self._told(sender.send(act.sent, key=_key_of(act), wait=0.0))
        if act.call == "claim" and found.is_taken:
            hashed = keccak(act.sent.data)
            self._claimed |= {(act.job, act.account, int(claim[0])): hashed for claim in act.arguments["claims"]}
        return found

    @staticmethod
    def _told(outcome: Outcome) -> RelayAnswer:
        match outcome:
            case Mined():
                return RelayAnswer(200, outcome.hash)
            case Refused(error):
                return RelayAnswer(409, error=str(error))
            case _:
                return RelayAnswer(202, "0x" + outcome.hash.hex())


def _key_of(act: Act) -> Key:
    """What is sent once: one enrolment, one update a cycle, one rejoin a cycle, however often and differently they are
    signed before the first is mined."""
    own: tuple[int | bytes, ...] = (keccak(act.sent.data),)
    match act.call:
        case "enrol":
            own = ()
        case "submit":
            own = (act.arguments["seed"],)
        case "rejoin":
            own = (act.arguments["cycle"],)
    return (act.job, "relay", act.account, act.call, *own)
