"""Jobs that ask who trains: by credential, with one taken back in mid-job, and by what an earlier job says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import warm_command
from eth_account import Account
from federations import (
    SHORT,
    TRAINERS,
    VALIDATORS,
    Observed,
    attendance,
    balance,
    check_once,
    events,
    federation,
    finish,
    look,
    pay,
    sent,
    verdicts,
)

from client import TrainerConfig
from client.trainer import Trainer
from hansa.cli.audit import write_job
from hansa.devnet.anvil import published_key
from hansa.protocol.credential import PARTICIPANT, schema_of
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Code
from hansa.runtime.identity.credentials import CredentialBook

ROUNDS = 4
STRANGER = 11  # one of the published accounts that have no part


def book_of(lab: Observed) -> CredentialBook:
    return CredentialBook.of(lab.session.chain, lab.session.deployment)


def revoke(lab: Observed, name: str) -> None:
    """The sponsor takes back what it said of a trainer."""
    book = book_of(lab)
    with lab.sponsor() as signer:
        signer.do(book.revoke(book.latest(signer.address, schema_of(PARTICIPANT), lab.address(name))))


def refused(lab: Observed, tmp_path: Path, key: bytes) -> str:
    """Why a trainer is not taken; it has paid nothing, not even an approval."""
    account = Account.from_key(key)
    before = lab.session.chain.balance(account.address)
    fields: dict[str, Any] = {"deployment": lab.session.deployment, "source": "0", "job": lab.posted.job}
    try:
        Trainer(TrainerConfig(account=account, journal=tmp_path / "stranger.sqlite", **fields)).run()
    except FatalError as error:
        assert lab.session.chain.balance(account.address) == before
        return str(error)
    raise AssertionError("it was taken")


def audited(lab: Observed, tmp_path: Path) -> dict[str, Any]:
    archive = write_job(lab.session, lab.posted.job, tmp_path)
    words = ["audit", "--json", "--archive", str(archive), "--dir", str(tmp_path), "--account", "validator-1"]
    done = subprocess.run([*warm_command(), *words], capture_output=True, text=True, timeout=240, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_credential__taken_back_in_mid_job__ends_submissions_and_nothing_else(tmp_path: Path) -> None:
    with federation(tmp_path, rounds=ROUNDS, admission="credential", times=SHORT) as lab:
        said = refused(lab, tmp_path, published_key(STRANGER))
        assert "does not admit" in said and f"it has no credential of schema 0x{schema_of(PARTICIPANT).hex()}" in said
        assert f"ask {lab.address('sponsor')} for one: `hansa credential issue" in said

        lab.start_all()
        lab.wait_until(lambda: lab.state().round > 1, 120.0, "round 2")
        revoke(lab, "trainer-4")
        view = finish(lab)  # every token is somewhere, and every bond is back

        assert len(view.finalised) == ROUNDS
        for name in TRAINERS[:3]:
            assert verdicts(lab, view, name) == [Code.OK] * ROUNDS
        given = verdicts(lab, view, "trainer-4")
        there = [code == Code.OK for code in given]
        assert there[0] and not there[-1] and there == sorted(there, reverse=True), "admitted, then no more"
        assert all(code is None for code in given[sum(there) :])
        earned = pay(lab, view, "trainer-4")
        assert earned[0] > 0 and balance(lab, "trainer-4") - lab.before["trainer-4"] == sum(earned)

        (told,) = [line for line in events(lab, "trainer-4") if line["event"] == "not admitted any more"]
        assert f"by {lab.address('sponsor')}: it is revoked" in told["reason"]
        did = [act.call for act in sent(lab) if act.sender == lab.address("trainer-4")]
        assert "rejoin" not in did, "it makes nobody wait for what it would not do"
        assert [attendance(lab, view, name) for name in VALIDATORS] == [(ROUNDS, 0, 0)] * len(VALIDATORS)
        check_once(lab)
        found = audited(lab, tmp_path)
        assert (found["verdict"], found["wrong"], found["not_checked"]) == ("holds", [], [])


@pytest.mark.slow
def test_credential__given_again__lets_a_trainer_back_in(tmp_path: Path) -> None:
    with federation(tmp_path, rounds=40, admission="credential", times=SHORT) as lab:
        lab.start_all()
        lab.wait_until(lambda: lab.state().round > 1, 120.0, "round 2")
        revoke(lab, "trainer-4")
        lab.wait_until(lambda: verdicts(lab, look(lab), "trainer-4")[-1] is None, 60.0, "a round without it", every=0.2)
        book, expires = book_of(lab), lab.session.chain.latest().timestamp + 86_400
        with lab.sponsor() as signer:
            signer.do(book.attest(schema_of(PARTICIPANT), lab.address("trainer-4"), expires))
        lab.wait_until(lambda: verdicts(lab, look(lab), "trainer-4")[-1] == Code.OK, 90.0, "it to be back", every=0.2)
        with lab.sponsor() as signer:
            signer.do(lab.session.federation.stop_call(lab.posted.job))
        finish(lab)
        assert [line["event"] for line in events(lab, "trainer-4") if "admitted" in line["event"]] == [
            "not admitted any more",
            "admitted again",
        ]


def test_reputation__of_an_earlier_job__lets_its_trainers_in_and_nobody_else(tmp_path: Path) -> None:
    with federation(tmp_path, rounds=2, admission="reputation") as lab:
        assert lab.posted.job == 2
        said = refused(lab, tmp_path, published_key(STRANGER))
        assert "job 2 does not admit" in said and "in job 1 it asks for a reputation of 0.05, not 0" in said
        lab.start_all()
        view = finish(lab)
        assert [verdicts(lab, view, name) for name in TRAINERS] == [[Code.OK] * 2] * 4
        found = audited(lab, tmp_path)
        assert (found["verdict"], found["wrong"], found["not_checked"]) == ("holds", [], [])
