"""Jobs with each kind of committee and admission, and identities, played by direct calls: no daemon runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from federations import Observed, federation
from stage_jobs import Hands

from hansa.devnet.anvil import rpc
from hansa.protocol.credential import schema_of
from hansa.protocol.ledger import Ledger
from hansa.protocol.types import Address, JobId
from hansa.runtime.chain.calls import approve_call
from hansa.runtime.chain.pool import NEW_LEAF, Pool, PoolTerms
from hansa.runtime.deploy import creation_call
from hansa.runtime.identity.credentials import CredentialBook
from hansa.runtime.identity.registry import Registry

TOKEN = 10**18
UNIT, LEAST = TOKEN, 10  # a stake weighs whole tokens, ten at least
STAKES = {"validator-1": 600, "validator-2": 300, "validator-3": 100}
KEY, OTHER_KEY, LONG_KEY = b"\x11" * 32, b"\x22" * 32, b"<b>" * 3500
HOUR = 3600


@dataclass
class Deciders:
    """One job a kind. appointed, staked: one round is done. coupled: asks for a credential. hybrid: asks for a
    reputation in the first job. unknown: neither of its contracts is one of ours."""

    lab: Observed
    pool: Pool
    appointed: JobId
    staked: JobId
    hybrid: JobId
    coupled: JobId
    unknown: JobId

    @property
    def url(self) -> str:
        return self.lab.anvil.url


@contextmanager
def deciders(directory: Path) -> Iterator[Deciders]:
    with federation(directory, trainers=2, rounds=9) as lab:
        yield Contracts(lab).play()


class Contracts(Hands):
    """Deploys, stakes, posts and vouches, as whoever it likes."""

    def play(self) -> Deciders:
        lab = self.lab
        for n, name in enumerate(STAKES, 1):
            self.send(lab.address(name), self.federation.announce_key_call(bytes([n]) * 32))
        pool = Pool(lab.session.chain, self.deploy("StakedCommittee", self._pool_terms().values()))
        for name, tokens in STAKES.items():
            self.stake(pool.address, name, tokens)
        self.send(lab.address("validator-2"), pool.unstake_call(50 * TOKEN))
        named = [lab.address("validator-1")]
        mixed = self.deploy("HybridCommittee", self._pool_terms().values(), named)
        self.stake(mixed, "validator-2", 20)
        made = lab.session.deployment
        by_credential = (
            made.credentials,
            schema_of("participant"),
            [lab.address("sponsor"), lab.address("validator-3")],
        )
        jobs = {
            "appointed": self._post(lab.posted.committee),
            "staked": self._post(pool.address),
            "hybrid": self._post(
                mixed, self.deploy("ReputationAdmission", made.federation, 300_000, [int(lab.posted.job)])
            ),
            "coupled": self._post(
                self.deploy("TrainerCommittee"), self.deploy("CredentialAdmission", *by_credential), recheck=True
            ),
            "unknown": self._post(made.token, made.vault),
        }
        self._identities()
        rpc(lab.anvil.url, "evm_increaseTime", 6)  # a credential has ended, and all stakes count
        trainers = [lab.address(name) for name in ("trainer-1", "trainer-2")]
        for kind in ("appointed", "staked"):
            self.enrol(jobs[kind], trainers)
            ledger = Ledger(dict.fromkeys(trainers, 1), lab.offer.reward, seats=3, rule=lab.prepared.spec.rule)
            self.round(jobs[kind], ledger, trainers)
        return Deciders(lab, pool, **jobs)

    def deploy(self, name: str, *arguments: object) -> Address:
        call = creation_call(name, *arguments)
        fields = {"from": self.lab.address("sponsor"), "data": "0x" + call.data.hex(), "gas": hex(10_000_000)}
        transaction = rpc(self.lab.anvil.url, "eth_sendTransaction", fields)
        while (receipt := rpc(self.lab.anvil.url, "eth_getTransactionReceipt", transaction)) is None:
            time.sleep(0.02)
        assert receipt["status"] == "0x1", name
        return Address(receipt["contractAddress"])

    def stake(self, at: Address, name: str, tokens: int) -> None:
        account = self.lab.address(name)
        self.send(account, approve_call(self.lab.session.deployment.token, at, tokens * TOKEN))
        self.send(account, Pool(self.lab.session.chain, at).stake_call(tokens * TOKEN, NEW_LEAF))

    def _pool_terms(self) -> PoolTerms:
        made = self.lab.session.deployment
        return PoolTerms(
            made.federation, made.token, UNIT, LEAST, 1, 1, 1, 30 * 86_400, 0, 24, (self.lab.address("sponsor"),),
            (self.lab.posted.spec,),
        )  # fmt: skip

    def _post(self, committee: Address, admission: Address | None = None, recheck: bool = False) -> JobId:
        usual = self.lab.session.deployment.admission
        return self.post(
            committee=committee, admission=admission or usual, recheck_admission=recheck, keep_committee=False,
            max_trainers=2, min_updates=2, max_rounds=9, seats=3,
        )  # fmt: skip

    def _identities(self) -> None:
        """trainer-1: another key in its DID than it announced, a delegate, credentials of each standing; trainer-2: a
        key that is none."""
        lab = self.lab
        one, two, issuer = lab.address("trainer-1"), lab.address("trainer-2"), lab.address("validator-3")
        registry = Registry.of(lab.session.chain, lab.session.deployment)
        book = CredentialBook.of(lab.session.chain, lab.session.deployment)
        self.send(one, self.federation.announce_key_call(KEY))
        self.send(one, registry.set_encryption_key(one, OTHER_KEY))
        self.send(one, registry.add_delegate(one, "veriKey", two, 30 * 86_400))
        self.send(two, registry.set_encryption_key(two, LONG_KEY))
        now = lab.session.chain.head().timestamp
        schema = schema_of("participant")
        self.send(self.lab.address("sponsor"), book.attest(schema, one, now + HOUR * 24))
        self.send(issuer, book.attest(schema, one, now + HOUR * 24))
        self.send(issuer, book.revoke(book.latest(issuer, schema, one)))
        self.send(issuer, book.attest(schema_of("brief"), one, now + 5))
        self.send(issuer, book.attest(schema_of("an-other"), one, now + HOUR * 24, b"<script>"))
        self.send(issuer, book.attest(schema_of("an-other"), one, now + HOUR * 48))
