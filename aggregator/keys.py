"""The encryption keys of a member: announced, and where that is asked for made anew for every cycle, and forgotten."""

from __future__ import annotations

from hansa.protocol import envelope
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.client import Block
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.structs import JobState
from hansa.runtime.desk import Desk
from hansa.runtime.key_ring import KeyRing

FOREVER = "keys don't rotate: who gets this account's key later reads its old cycles; --rotate-keys deletes them"
ROTATING = "keys rotate: a cycle's is deleted once it is over; `hansa audit --account` can't open its updates then"


class Keys:
    """One member's. secret: what follows from its account's key, for good; it is used unless `rotates`.

    ring: all secrets of this account. The next key is announced as soon as a cycle has opened with the last one: it
    serves the cycle after.
    """

    def __init__(self, desk: Desk, ring: KeyRing, secret: bytes, *, rotates: bool) -> None:
        self._desk, self._ring, self._rotates = desk, ring, rotates
        self._secret, self._own = secret, envelope.public_key(secret)
        self._looked: object = None  # the moment at which it was last looked whether a key can go
        desk.log.info(ROTATING if rotates else FOREVER)

    def secret_for(self, public: bytes | None) -> bytes:
        """The secret of a key that was in force; this account's own where it has that one no more, or never had."""
        return self._ring.secret_of(public) or self._secret

    def keep_announced(self) -> None:
        """Puts the key that updates are to be sealed to in force, where another or none is, or a reorganisation took
        it."""
        follower = self._desk.follower
        known = follower.key
        wanted = self._next(known)
        if wanted == known:
            return
        if known is not None and self._ring.secret_of(known) is None:
            self._desk.log.warning("another encryption key was announced for this account; announcing its own again")
        self._desk.send(
            follower.federation.announce_key_call(wanted), "announce", known or b"", *([wanted] * self._rotates)
        )

    def forget(self) -> None:
        """Deletes secrets that no job of this account needs any more: looked at once for each cycle, and at its
        end."""
        follower = self._desk.follower
        old = self._ring.made()[:-1]
        if not old or not follower.is_agreed():
            return
        deep = follower.deep()
        moment = (deep.cycle, deep.phase == Phase.OPEN or deep.phase.is_over)
        if moment == self._looked:
            return
        at = follower.deep_block()
        needed = {
            follower.federation.announced_key(self._desk.me, at),
            *keys_in_use(follower.federation, self._desk.me, at),
        }
        if None in needed:
            return  # a node does not tell of a cycle that is there
        for public in old:
            if public not in needed:
                self._ring.delete(public)
                self._desk.log.info("encryption key deleted", key="0x" + public.hex())
        self._looked = moment

    def have_gone(self) -> bool:
        """Whether all of an ended job has gone that rotation will ever delete."""
        if not self._rotates or self._desk.follower.is_settled():
            return True
        self._desk.alarm.awaited = self._desk.follower.head.timestamp
        return False

    def _next(self, known: bytes | None) -> bytes:
        """What should be in force where `known` is."""
        if not self._rotates:
            return known if known is not None and self._ring.secret_of(known) is not None else self._own
        made = self._ring.made()
        if known is not None and known in made[-1:] and not self._has_opened_with(known):
            return known
        return made[-1] if made and made[-1] != known else self._ring.make()

    def _has_opened_with(self, public: bytes) -> bool:
        """Whether the job's last cycle was opened with this key."""
        cycles = self._desk.follower.history().cycles
        return bool(cycles) and public in cycles[-1].keys


def keys_in_use(federation: Federation, member: Address, at: Block) -> list[bytes | None]:
    """The keys of a member that any job may still need, as of a block: those that unfinished cycles were opened with,
    and in a job with ATTEST all of the round's, as what was sealed in one attempt is opened in a later one too. None
    among them where an endpoint leaves a cycle out."""
    jobs = [JobId(number) for number in range(1, federation.job_count() + 1)]
    found: list[bytes | None] = []
    for job, state in zip(jobs, federation.states(jobs, at), strict=True):
        if member in state.committee and not state.phase.is_over:
            found += _keys_of(federation, job, state, member, at)
    return found


def _keys_of(federation: Federation, job: JobId, state: JobState, member: Address, at: Block) -> list[bytes | None]:
    event, chain, seat = artifact("Federation").event("CycleOpened"), federation.chain, state.committee.index(member)
    of_round, under_way = federation.terms(job).attest_time > 0, state.phase > Phase.OPEN
    if not of_round and not under_way:
        return []
    topics = [event.topic, job.to_bytes(32, "big"), *([] if of_round else [state.cycle.to_bytes(32, "big")])]
    logs = chain.logs(federation.address, topics, chain.first_block, at)
    opened = [event.decode(log.topics, log.data) for log in logs]
    keys = {cycle["cycle"]: cycle["keys"][seat] for cycle in opened if cycle["round"] == state.round}
    return [*keys.values(), *([None] if under_way and state.cycle not in keys else [])]
