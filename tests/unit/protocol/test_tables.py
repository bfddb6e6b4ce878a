"""tables.json against what it must agree with: the enums, the contracts, the structs that they return."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from hansa.protocol.aggregation import RULES, TRIMS
from hansa.protocol.phases import PHASES, STEPS, PhaseRow, first_missed, step_before
from hansa.protocol.tables import LIMITS, MOVEMENTS, TABLES, VERDICTS
from hansa.protocol.types import Code, Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.structs import JobState, JobTerms

CONTRACTS = Path(__file__).parents[3] / "contracts"
TERMS, STATE = ({field.name for field in fields(kind)} for kind in (JobTerms, JobState))
FEDERATION = artifact("Federation")
EVENTS = {event.name for event in FEDERATION.events.values()}


def enum_of(name: str) -> list[str]:
    """A Solidity enum's members, in order."""
    source = re.sub(r"//[^\n]*", "", (CONTRACTS / "interfaces" / "IFederation.sol").read_text())
    [body] = re.findall(rf"enum {name} \{{(.*?)\}}", source, re.S)
    return [member.strip() for member in body.split(",")]


def constant(name: str) -> int:
    """One of Terms.sol's."""
    source = (CONTRACTS / "Terms.sol").read_text()
    [(number, unit)] = re.findall(rf"constant {name} = (\d+)( days)?;", source)
    return int(number) * (86_400 if unit else 1)


def test_phases__are_the_enums_in_its_order_and_the_contracts() -> None:
    assert [row.name for row in PHASES] == [phase.name for phase in Phase] == enum_of("Phase")
    assert [row.phase for row in PHASES] == list(range(len(PHASES)))


@pytest.mark.parametrize("row", PHASES, ids=lambda row: row.name)
def test_phase__names_what_the_contract_has(row: PhaseRow) -> None:
    assert row.event is None or row.event in EVENTS
    assert row.call is None or row.call in FEDERATION.functions
    assert {row.term, row.minimum} - {None} <= TERMS
    assert {row.acted, row.due} - {None} <= STATE
    assert (row.term is None) == (row.phase in (Phase.NONE, Phase.LAPSED) or row.phase.is_over)
    assert row.usual == 0 or row.term
    assert row.says.endswith(".")


def test_steps__are_every_event_of_a_seat_in_the_contracts_order() -> None:
    seats = {event.name for event in FEDERATION.events.values() if any(field.name == "seat" for field in event.fields)}
    assert {step.event for step in STEPS} == seats
    acted = [field.name for field in fields(JobState)]
    places = [acted.index(str(step.acted)) for step in STEPS]
    assert places == sorted(places)
    assert all(step.due and step.minimum for step in STEPS)


def test_step_before__is_what_a_seat_must_have_done() -> None:
    before = {step.phase: found.phase for step in STEPS if (found := step_before(step)) is not None}
    assert before == {Phase.REVEAL: Phase.SCORE, Phase.VOTE: Phase.REVEAL}


def test_optional__are_the_phases_that_the_contract_lets_be_zero() -> None:
    source = (CONTRACTS / "Terms.sol").read_text()
    least = dict(re.findall(r"_checkPhase\(Phase\.(\w+), terms\.\w+, (\d)\)", source))
    assert least.pop("OPEN") == "2", "a cycle opens in a later second than the one that ends the last"
    assert {row.name: "0" if row.optional else "1" for row in PHASES if row.term and row.name != "OPEN"} == least


class Terms:
    """Ten seconds a phase, but for those named."""

    min_updates, quorum, threshold = 2, 2, 3

    def __init__(self, **seconds: int) -> None:
        for row in PHASES:
            if row.term:
                setattr(self, row.term, seconds.get(row.key, 10))


def test_first_missed__skips_what_has_no_time() -> None:
    acted = dict.fromkeys((step.phase for step in STEPS), 0b011)
    assert first_missed(Terms(), 1, acted) == Phase.SUBMIT
    assert first_missed(Terms(), 2, acted) == Phase.ATTEST, "two of three"
    assert first_missed(Terms(attest=0), 2, acted) == Phase.RELEASE
    assert first_missed(Terms(attest=0, release=0), 2, acted) == Phase.FINALIZE
    assert first_missed(Terms(attest=0, release=0), 2, acted | {Phase.REVEAL: 0b100}) == Phase.REVEAL


def test_verdicts__are_the_codes_and_only_malformed_is_a_strike() -> None:
    assert [row.name for row in VERDICTS] == [code.name for code in Code]
    assert [code for code in Code if code.strikes] == [Code.MALFORMED]
    assert all(code.sentence.endswith(".") for code in Code)


def test_words__are_those_of_the_docs() -> None:
    """A phase's title is its reader's word; docs/architecture.md has them all."""
    words = {row["protocol"]: row["word"] for row in TABLES["words"]}
    said = (CONTRACTS.parent / "docs" / "architecture.md").read_text()
    listed = said.partition("| a reader's word |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| ([\w ]+) \| (\w+) \|$", listed, re.M) == [(word, name) for name, word in words.items()]
    titles = {row.key: row.title.lower() for row in PHASES}
    assert {name: titles[name] for name in words if name in titles} == {
        name: words[name] for name in ("submit", "score", "vote", "finalize")
    }


@pytest.mark.parametrize("row", PHASES, ids=lambda row: row.name)
def test_phase__is_told_in_readers_words(row: PhaseRow) -> None:
    said = " ".join((row.title, row.says, TABLES["phases"][row.phase].get("note", "")))
    said = re.sub(r"\{\w+\}", "", said).lower()
    assert [word["protocol"] for word in TABLES["words"] if re.search(rf"\b{word['protocol']}", said)] in ([], ["vote"])


def test_rules__have_their_functions() -> None:
    assert {flag for flags in TABLES["rules"].values() for flag in flags} <= {"drops", "weighted", "mixes", "trim"}
    assert {flags["trim"] for flags in TABLES["rules"].values() if "trim" in flags} <= set(TRIMS)
    assert [RULES["median"].trim(n) for n in (1, 2, 5)] == [0, 0, 2]
    assert [RULES["nnm_trimmed_mean"].trim(n) for n in (1, 4, 10)] == [0, 1, 3]
    assert RULES["mean"].trim(10) == 0 and RULES["validated_mean"].drops


def test_limits__are_the_contracts() -> None:
    assert LIMITS.seats == constant("MAX_SEATS")
    assert LIMITS.trainers == constant("MAX_TRAINERS")
    assert LIMITS.rounds == constant("MAX_ROUNDS")
    assert LIMITS.failures == constant("MAX_FAILURES")
    assert LIMITS.seconds_of_a_phase == constant("MAX_PHASE_TIME")


def test_movements__are_events_of_the_vault() -> None:
    assert set(MOVEMENTS) <= {event.name for event in artifact("Vault").events.values()}
    assert {movement.to_account for movement in MOVEMENTS.values()} == {-1, 0, 1}
