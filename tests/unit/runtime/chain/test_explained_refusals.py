"""Why a contract refused, for people."""

from __future__ import annotations

import string

from hansa.protocol.types import Phase
from hansa.runtime.chain.abi import ContractError, artifact, known_errors
from hansa.runtime.chain.refusals import WORDS, explain


def test_words__fit_the_arguments_of_the_contracts_errors() -> None:
    known = {error.name: {field.name for field in error.inputs} for error in known_errors().values()}
    known |= {error.name: {f.name for f in error.inputs} for error in artifact("RewardToken").errors.values()}
    for name, words in WORDS.items():
        used = {field for _, field, _, _ in string.Formatter().parse(words) if field}
        assert used <= known[name], f"{name} has {known[name]}"


def test_phase__is_told_by_name() -> None:
    error = ContractError("Federation_WrongPhase", {"jobId": 7, "expected": Phase.ENROL, "actual": Phase.SUBMIT})
    assert explain(error) == "job 7 is in phase SUBMIT, this needs ENROL"


def test_unknown_error__keeps_its_name_and_values() -> None:
    assert "Strange(x=1)" in explain(ContractError("Strange", {"x": 1}))


def test_time__that_no_calendar_has__is_told_as_a_number() -> None:
    """Any contract can refuse with an error of ours, and with any value."""
    told = explain(ContractError("Vault_TooEarly", {"jobId": 7, "from": 2**256 - 1}))
    assert f"second {2**256 - 1} of Unix time" in told


def test_phase__that_there_is_none_of__keeps_its_number() -> None:
    told = explain(ContractError("Federation_WrongPhase", {"jobId": 7, "expected": 1, "actual": 200}))
    assert "actual=200" in told
