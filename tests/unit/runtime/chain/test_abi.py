"""The committed ABIs, read and spoken."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from hansa.protocol.errors import FatalError
from hansa.runtime.chain.abi import BadEncoding, ContractError, artifact, contract_error, known_errors


def test_artifacts__have_what_the_daemons_call() -> None:
    federation = artifact("Federation")
    assert {"post", "enrol", "open", "submit", "commitScores", "revealScores", "vote"} <= set(federation.functions)
    assert federation.functions["submit"].selector == keccak(text="submit(uint256,uint64,bytes32,bytes32)")[:4]
    assert federation.event("RoundFinalized").topic in federation.events
    assert set(federation.links) == {"Terms"}


def test_no_two_errors_share_a_selector() -> None:
    names = [error.name for error in known_errors().values()]
    assert len(names) == len(set(names)) and "Federation_WrongPhase" in names


def test_contract_error__named_with_its_arguments() -> None:
    data = keccak(text="Federation_WrongPhase(uint256,uint8,uint8)")[:4] + encode(
        ["uint256", "uint8", "uint8"], [7, 1, 0]
    )
    error = contract_error(data)
    assert (error.name, error.arguments) == ("Federation_WrongPhase", {"jobId": 7, "expected": 1, "actual": 0})
    assert str(error) == "the contract refused: Federation_WrongPhase(jobId=7, expected=1, actual=0)"


@pytest.mark.parametrize(
    ("data", "name", "arguments"),
    [
        (bytes.fromhex("08c379a0") + encode(["string"], ["no"]), "Error", {"reason": "no"}),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]), "Panic", {"code": 0x11}),
        (b"", "reverted", {}),
        (b"\x01\x02\x03\x04abc", "0x01020304", {}),
        (bytes.fromhex("08c379a0") + b"garbage", "0x08c379a0", {}),
    ],
)
def test_contract_error__everything_else(data: bytes, name: str, arguments: dict[str, object]) -> None:
    error = contract_error(data)
    assert isinstance(error, ContractError)
    assert (error.name, error.arguments) == (name, arguments)


def test_event__wrong_topics_or_data() -> None:
    event = artifact("Federation").event("UpdateSubmitted")
    with pytest.raises(BadEncoding):
        event.decode([event.topic], b"")
    with pytest.raises(BadEncoding):
        event.decode([event.topic, bytes(32), bytes(32)], b"short")
    with pytest.raises(BadEncoding):
        event.decode([event.topic, bytes(32), b"\xff" * 32], bytes(64))


def test_unknown_artifact() -> None:
    with pytest.raises(FatalError, match="the ABI of Nothing cannot be read"):
        artifact("Nothing")
