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
