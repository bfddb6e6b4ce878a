"""Facts of a job from a chain, all at one block."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hansa.audit.facts import Facts
from hansa.audit.proof.export import Wanted, export_state
from hansa.audit.replay import EventReplay
from hansa.audit.report import Wrong
from hansa.audit.signatures import Act, Signatures, calls_of, is_for
from hansa.audit.storage import expected_storage, slots_of
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.bytecode import check_genuine
from hansa.runtime.chain.client import Block, Log
from hansa.runtime.chain.federation import Federation
from hansa.runtime.transactions.fetched import fetch_transactions
from hansa.runtime.transactions.signed import BadTransaction, read_transaction


def collect(federation: Federation, job: JobId) -> Facts:
    """Reads everything that a job left on chain, `confirmations` deep, with what proves it.

    FatalError where there is no such job, WrongChain where the federation is not there (any more), or its contracts are
    not ours.
    """
    federation.check()
    count = federation.job_count()
    if not 1 <= job <= count:
        raise FatalError(
            f"there is no job {job} at {federation.address}",
            cause=f"jobs 1 to {count} are posted" if count else "no job is posted, or the chain was reset",
            next_step="`hansa job list` shows them; an archive of it can be audited with --archive",
        )
    chain = federation.chain
    library = check_genuine(chain, federation.address, federation.vault)
    collector = _Collector(federation, job, library)
    export = export_state(chain, collector.wanted)
    return replace(collector.facts(export.at), proof=export.proof)


@dataclass
class _Collector:
    """What is known of a job up to the block that was tried last."""

    federation: Federation
    job: JobId
    library: Address
    _logs: tuple[Log, ...] = ()
    _signed: list[bytes] = field(default_factory=list)
    _known: dict[bytes, bytes] = field(default_factory=dict)  # transactions, by hash

    def facts(self, at: Block) -> Facts:
        federation = self.federation
        places = federation.chain.chain_id, federation.address, federation.vault, self.library
        return Facts(*places, self.job, at, None, self._logs, self._signed)

    def wanted(self, at: Block) -> Wanted:
        """Reads events and transactions up to a block. The slots that the events lead to, and whoever did not sign."""
        self._logs, self._signed = self._read_logs(at), []
        addresses = {"Federation": self.federation.address, "Vault": self.federation.vault}
        acts: list[tuple[Act, Log]] = []
        replay = EventReplay(self.facts(at), acts=lambda act, log: acts.append((act, log)))
        try:
            replay.events()
            places = list(expected_storage(replay, None))
        except Wrong:
            return {address: [] for address in addresses.values()}  # the audit will say so
        self._signed = self._transactions(at, acts)
        signatures = Signatures(self.facts(at))
        for act, _ in acts:
            signatures.take(act)
        terms = replay.rules.terms
        alone = (self.library, terms.token, terms.committee, terms.admission, *signatures.unsigned)
        return {account: [] for account in alone} | slots_of(iter(places), addresses)

    def _read_logs(self, at: Block) -> tuple[Log, ...]:
        chain, topic = self.federation.chain, self.job.to_bytes(32, "big")
        kinds = [event.topic for event in artifact("Federation").events.values() if event.name != "KeyAnnounced"]
        found = chain.logs(self.federation.address, [kinds, topic], chain.first_block, at)
        found += chain.logs(self.federation.vault, [list(artifact("Vault").events), topic], chain.first_block, at)
        return tuple(sorted(found, key=lambda log: (log.block, log.index)))

    def _transactions(self, at: Block, acts: list[tuple[Act, Log]]) -> list[bytes]:
        """The transactions of these acts as they were signed, as `Signatures` takes them."""
        hashes = list(dict.fromkeys(log.transaction for _, log in acts if len(log.transaction) == 32))
        missing = [wanted for wanted in hashes if wanted not in self._known]
        self._known |= fetch_transactions(self.federation.chain, missing)
        found: list[bytes] = []
        facts, last = self.facts(at), b""
        for act, log in acts:
            raw = self._known.get(log.transaction)
            if raw is not None and log.transaction != last and self._asks_for(raw, act, facts):
                found.append(raw)
                last = log.transaction
        return found

    @staticmethod
    def _asks_for(raw: bytes, act: Act, facts: Facts) -> bool:
        """Whether an act's account signed a transaction, or something in it."""
        try:
            sent = read_transaction(raw)
            signers = {sent.signer, *(one.account for one in calls_of(sent, facts, None)[0])}
        except (BadTransaction, Wrong):
            return False
        return is_for(sent, facts) and act.account in signers
