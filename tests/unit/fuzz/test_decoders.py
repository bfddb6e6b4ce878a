"""Every decoder of bytes from outside: its corpus, thousands of inputs made of it, and that its fuzzing can fail."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks import fuzz
from benchmarks.fuzzing import corpus, engine
from benchmarks.fuzzing.coverage import Coverage
from benchmarks.fuzzing.engine import Fuzzer
from benchmarks.fuzzing.registry import all_targets
from benchmarks.fuzzing.target import Target, judge

USUAL = 2000
INPUTS = {  # by what an input takes: forty seconds for all of them; the long run has a million of each
    **dict.fromkeys(
        [
            "bitmap",
            "content-keys",
            "sheet",
            "cid",
            "baselines",
            "text",
            "rlp",
            "header",
            "abi",
            "signature",
            "public-key",
        ],
        10_000,
    ),
    **dict.fromkeys(["node-transaction", "relay-answer", "journal-entry", "noise", "revert", "rpc-values"], 10_000),
    **dict.fromkeys(["journal", "privacy-file", "privacy-rows", "guard-file", "key-ring"], 100),
    **dict.fromkeys(
        ["release", "masked-envelope", "shared-envelope", "envelope", "keystore", "history", "did-events", "options"],
        500,
    ),
}
TARGETS = all_targets()
NAMES = [target.name for target in TARGETS]


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_decoder__keeps_its_promise(target: Target) -> None:
    start = [*target.seeds(), *corpus.read(target.name)]
    outcome = Fuzzer(target, start, seed=1).run(INPUTS.get(target.name, USUAL))
    assert outcome.faults == {}


@pytest.mark.slow
def test_long_run__of_every_decoder__finds_no_fault() -> None:
    report = fuzz.run(inputs=100_000, minutes=20)
    faults = [(row[0], section.notes) for section in report.sections for row in section.rows if row[-1]]
    assert faults == []


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_corpus__has_the_verdicts_that_are_written_down(target: Target) -> None:
    for line in corpus.lines(target.name):
        verdict = judge(target, corpus.as_bytes(line))
        assert (verdict.fault, verdict.accepted) == ("", line["accepted"]), line
        if "told" in line:
            assert verdict.told == line["told"], line


def test_corpus__is_of_known_decoders_and_small() -> None:
    files = sorted(corpus.FOLDER.glob("*.jsonl"))
    assert {file.stem for file in files} <= set(NAMES)
    assert all(len(corpus.lines(file.stem)) <= corpus.MOST for file in files)


# --- it can fail


class Refused(ValueError):
    """What the planted decoders may raise."""


def _raises(data: bytes) -> object:
    found = json.loads(data)
    if not isinstance(found, dict):
        raise Refused("no number here")
    if type(found.get("a")) is not int:
        raise Refused("no number here")
    return 10 // found["a"]


def _slow(data: bytes) -> object:
    return sum(range(3_000_000)) if data[:1] == b"\xff" else None


def _large(data: bytes) -> object:
    return len(bytearray(b"x") * 2**27) if len(data) > 2 else None


def _nameless(data: bytes) -> object:
    raise Refused("?")


def _two_forms(data: bytes) -> bytes:
    return data.rstrip(b"\0")


def _endless(data: bytes) -> object:
    while data[:1] == b"\0":
        pass
    return None


PLANTED = {
    "ZeroDivisionError": (_raises, b'{"a": 1}', None),
    "s for": (_slow, b"\x7f", None),
    "MiB for": (_large, b"a", None),
    "names no object": (_nameless, b"a", None),
    "another encoding": (_two_forms, b"a", bytes),
    "more than": (_endless, b"\1", None),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_fault__that_is_planted__is_found(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(engine, "MOST_SECONDS", 0.03)
    monkeypatch.setattr(engine, "PATIENCE", 0.3)
    decode, seed, encode = PLANTED[fault]

    def seeds() -> Iterable[bytes]:
        return [seed]

    target = Target("planted", "a planted fault", decode, (ValueError,), seeds, r"number|line", encode=encode)
    outcome = Fuzzer(target, [seed], seed=1).run(300)
    assert any(fault in kind for kind in outcome.faults), outcome.faults


DEEP = """
def read(data):
    if len(data) > 3 and data[0] == 0x61:
        if data[1] == 0x2F:
            if data[2] == 0x7F and data[3] == 0x30:
                raise ZeroDivisionError
    return None
"""


def test_coverage__leads_to_what_blind_inputs_do_not_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted_decoder.py").write_text(DEEP)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    coverage = Coverage(["planted_decoder"])
    coverage.install()
    read = importlib.import_module("planted_decoder").read
    del sys.modules["planted_decoder"]
    target = Target("planted", "a word", read, (), lambda: [bytes(8)], "")
    followed = Fuzzer(target, [bytes(8)], 1, coverage).run(40_000)
    blind = Fuzzer(target, [bytes(8)], 1).run(40_000)
    assert followed.faults and not blind.faults
    assert followed.blocks > 3
