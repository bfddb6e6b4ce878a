"""Faults that fuzzing found, one test each."""

from __future__ import annotations

import base64
import gzip
import json
import os
import resource
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from client.committee_keys import read_pinned_keys
from client.guard_file import GuardFile
from client.privacy.budget import Noise
from client.privacy.ledger import Budget, PrivacyLedger, Release
from hansa.audit.proof.header import FIELDS as HEADER_FIELDS
from hansa.audit.proof.header import header_bytes
from hansa.devnet.chain_file import FILE, ChainFile
from hansa.devnet.folder import MARK, Devnet
from hansa.protocol.baselines import parse_baselines
from hansa.protocol.errors import ChainUnavailable, FatalError, JournalCorrupt, Malformed
from hansa.protocol.masked.guard import Guarded
from hansa.protocol.types import Address, BlockNumber, Digest, JobId
from hansa.runtime.amounts import Token
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.blocks import Log, read_block
from hansa.runtime.chain.calls import Call
from hansa.runtime.deploy import create
from hansa.runtime.deploy_progress import _read as read_progress
from hansa.runtime.history.builder import HistoryBuilder, HistoryError
from hansa.runtime.journal import Journal, _key, _seal
from hansa.runtime.key_ring import KeyRing
from hansa.runtime.relay.messages import RelayRequest
from hansa.runtime.store.kubo import authorization
from hansa.runtime.transactions.asked import MOST_POINTED, WORD, signed_calls
from hansa.runtime.transactions.signed import FIELDS, transaction_bytes
from hansa.tasks.images import MAGIC_LABELS, read_idx
from hansa.tasks.loading import name_task
from hansa.tasks.settings import parse_settings


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(WORD, "big") for number in numbers)


# --- bundles of calls


def pointing(at: bytes, times: int) -> bytes:
    """A bundle whose calls are all the same bytes, which stand in it once."""
    multicall = artifact("Federation").functions["multicall"].selector
    return multicall + words(32, times, *[WORD * times] * times, len(at)) + at + bytes(-len(at) % WORD)


def test_bundles__in_each_other__that_point_often_at_the_same_bytes__come_to_an_end() -> None:
    data = artifact("Federation").functions["rejoinFor"].selector
    for _ in range(8):
        data = pointing(data, 40)  # 40 to the 8th calls, in 11 kB
    assert len(list(signed_calls(artifact("Federation"), data))) <= MOST_POINTED // WORD


# --- what nodes say


def test_number_of_a_node__below_0__makes_no_transaction_and_no_header() -> None:
    names = [*FIELDS[0], "hash", "type", "v", "r", "s"]
    assert (
        transaction_bytes({**dict.fromkeys(names, "0x0"), "hash": "0x" + "00" * 32, "to": None, "gas": "-0x1"}) is None
    )
    assert header_bytes({**dict.fromkeys(HEADER_FIELDS, "0x00"), "hash": "0x" + "00" * 32, "gasLimit": "-0x1"}) is None


def test_event_of_no_job__in_a_jobs_history__is_said_to_be_one() -> None:
    event = artifact("Federation").event("KeyAnnounced")
    log = Log(BlockNumber(5), 0, "0x" + "22" * 20, (event.topic, words(1)), words(7))
    with pytest.raises(HistoryError, match="block 5 has KeyAnnounced of no job"):
        HistoryBuilder(1, Address("0x" + "22" * 20), JobId(1)).apply(log)


def test_block__that_is_no_object__is_called_a_block() -> None:
    with pytest.raises(ChainUnavailable, match="answer for block 0x5 makes no sense"):
        read_block("0x5", "0x5")


class Receipts:
    """A signer all of whose transactions have one receipt."""

    def __init__(self, receipt: dict[str, Any]) -> None:
        self._receipt = receipt

    def do(self, call: Call, once: str | None = None) -> dict[str, Any]:
        return self._receipt


@pytest.mark.parametrize("address", ["0x" + "22" * 19 + " 2", "22" * 20, "0x2222", 5])
def test_receipt__whose_contract_has_no_address__makes_no_sense(address: object) -> None:
    with pytest.raises(ChainUnavailable, match="contractAddress makes no sense"):
        create(cast("Any", Receipts({"contractAddress": address})), "TrainerCommittee")
    made = create(cast("Any", Receipts({"contractAddress": "0x" + "2a" * 20})), "TrainerCommittee")
    assert made.lower() == "0x" + "2a" * 20 != made


# --- what is asked of a relay


@pytest.mark.parametrize("to", ["0x22 " + "2" * 36 + " ", "0x" + "2" * 38 + "\t ", " 0x" + "2" * 39, "0x" + "２" * 40])
def test_request__to_an_address_with_spaces_inside__is_refused(to: str) -> None:
    assert len(to) == 42
    with pytest.raises(Malformed, match="^to is (no address|not hexadecimal)"):
        RelayRequest.decode(json.dumps({"chain": 1, "to": to, "data": "0x"}).encode())


def test_request__of_data_with_spaces_inside__is_refused() -> None:
    with pytest.raises(Malformed, match="data is not hexadecimal"):
        RelayRequest.decode(json.dumps({"chain": 1, "to": "0x" + "22" * 20, "data": "0x01 02"}).encode())


# --- files of one's own


@pytest.mark.parametrize("text", ["", "{", '{"$bytes": "zz"}', '{"a": {"$bytes": 1}}', "[" * 100_000])
def test_journal__with_an_entry_that_has_its_seal_and_makes_no_sense__is_corrupt(tmp_path: Path, text: str) -> None:
    with Journal(tmp_path / "journal") as journal:
        key = ("a",)
        journal.remember(key, dict)
        journal._commit("UPDATE memory SET value = ?, seal = ?", (text, _seal(_key(key), text)))
        with pytest.raises(JournalCorrupt, match="a senseless entry"):
            journal.recall(key)


HUGE = json.dumps({"unit": "row", "steps": 1, "sigma": 10**400, "own": 1.0})
NOISE = Noise("row", 1, 2.0, 2.0)
RELEASE, BUDGET = Release("1/0x", 7, "alice", bytes(32)), Budget(3.0, 1e-5, "terms")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[" * 100_000, '{"unit": "row", "steps": 1, "sigma": NaN, "own": 1.0}', '{"unit": "row", "x": 1}', HUGE],
)
def test_noise__that_nobody_wrote__is_refused(text: str) -> None:
    assert Noise.decode(NOISE.encode()) == NOISE
    with pytest.raises(FatalError, match="a release's noise"):
        Noise.decode(text)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE families SET row = 'x'",
        "DELETE FROM families",
        "UPDATE releases SET noise = '{'",
        "UPDATE releases SET epsilon = 'x'",
        "UPDATE releases SET noise = CAST(x'ff' AS TEXT)",
    ],
)
def test_privacy_file__with_rows_that_nobody_wrote__is_refused_by_name(tmp_path: Path, damage: str) -> None:
    with PrivacyLedger(tmp_path / "privacy.sqlite") as ledger:
        ledger.charge([bytes(8)], RELEASE, lambda spent, others: NOISE, BUDGET)
        ledger._db.execute(damage)
        with pytest.raises(FatalError, match="privacy.sqlite can't be used"):
            ledger.standing("1/0x", 7, "alice")


@pytest.mark.parametrize("value", ["CAST(x'ff' AS TEXT)", "x'0102'", "'text'"])
def test_guard_file_and_key_ring__with_values_that_nobody_wrote__are_refused(tmp_path: Path, value: str) -> None:
    guard, ring = GuardFile(tmp_path / "guard.sqlite"), KeyRing(tmp_path / "ring.sqlite", b"\1" * 32)
    guard.add(Guarded("weights", Digest(bytes(32)), "here", True), Address("alice"))
    with closing(sqlite3.connect(guard.path)) as database, database:
        database.execute(f"UPDATE summed SET digest = {value}")
    with pytest.raises(FatalError, match="guard.sqlite can't be used"):
        guard.known("weights", "there", Address("alice"))
    ring.make()
    ring._run(f"UPDATE keys SET public = {value}")
    with pytest.raises(FatalError, match="ring.sqlite (is no file of keys|can't be used)"):
        ring.made()


def test_files__of_brackets_within_brackets__are_refused_by_name(tmp_path: Path) -> None:
    for name in ("pinned.json", "deploying.json", FILE, MARK, "task.py"):
        (tmp_path / name).write_text("[" * 100_000)
    assert ChainFile.load(tmp_path) is None
    for read in (
        lambda: read_pinned_keys(tmp_path / "pinned.json"),
        lambda: read_progress(tmp_path / "deploying.json"),
        lambda: Devnet.load(tmp_path),
        lambda: name_task(str(tmp_path / "task.py")),
    ):
        with pytest.raises(FatalError, match=str(tmp_path)):
            read()


# --- options


def test_setting__that_json_has_no_word_for__is_the_text_itself() -> None:
    assert parse_settings(["a=NaN", "b=[-Infinity]", "c=1e999"]) == {"a": "NaN", "b": ["-Infinity"], "c": "1e999"}
    deep = "[" * 100_000
    assert parse_settings([f"a={deep}"]) == {"a": deep}


@pytest.mark.parametrize("text", ["1e918918", "9e99999999", "-1e500", "12.1e99955555555555"])
def test_amount__of_more_digits_than_any__is_refused_at_once(text: str) -> None:
    with pytest.raises(FatalError, match="is not a number"):
        Token("0x").units(text)


def test_auth__of_bytes_that_are_no_text__is_sent_as_these_bytes() -> None:
    assert authorization(os.fsdecode(b"basic:a:\xff")) == "Basic " + base64.b64encode(b"a:\xff").decode()


def test_packed_images__of_more_than_their_header_says__are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(MAGIC_LABELS + (5).to_bytes(4, "big") + bytes(2**27), 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="labels.gz is not an idx file"):
        read_idx(path, MAGIC_LABELS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16  # KiB


def test_baseline__of_many_letters__is_cut_where_it_is_refused() -> None:
    for text in ("a" * 10**5 + "=x", "a=" + "1" * 10**5):
        with pytest.raises(ValueError) as refused:
            parse_baselines([text])
        assert len(str(refused.value)) < 300
