"""What a trainer does when its enrolment is refused: passing refusals are met again, final ones end it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desks import GivenJob, desk_of

from client.enrol import PASSING, Enroller
from client.relayed import RelayedSender
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Phase
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.transactions.sender import Mined, Outcome, Refused

ENROLLING = cast(Any, SimpleNamespace(phase=Phase.ENROL))


def enroller(path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> Enroller:
    """A trainer's, whose every transaction comes to `outcome`; its bond is allowed, the job's model good."""
    terms = SimpleNamespace(min_bond=5, token="0x")
    follower = GivenJob(path, context=SimpleNamespace(terms=terms, check_claim_time=lambda least: None))
    follower.federation = cast(
        Any,
        SimpleNamespace(enrol_call=lambda *arguments: None, approvals=lambda *of: [], terms_hash=lambda job: bytes(32)),
    )
    monkeypatch.setattr(Enroller, "check_model", lambda self: None)
    monkeypatch.setattr("client.enrol.enrolment_data", lambda *of: b"")
    config = cast(Any, SimpleNamespace(bond=None, min_claim=0, relays=()))
    return Enroller(desk_of(path, follower, lambda call, *key: outcome), cast(Any, None), config)


@pytest.mark.parametrize("name", ["ERC20InsufficientBalance", "Federation_NotAdmitted", "Vault_TokenTakesFees"])
def test_enrol__refused_for_good__ends_with_the_contracts_reason(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FatalError, match=name):
        enroller(tmp_path, monkeypatch, Refused(ContractError(name), simulated=True)).enrol(ENROLLING)


def test_enrol__not_admitted_by_what_it_showed__looks_again_where_there_is_something_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = enroller(tmp_path, monkeypatch, Refused(ContractError("Federation_NotAdmitted"), simulated=True))
    shown = iter((b"round 1", b"round 2", b"round 2", b"round 2"))
    monkeypatch.setattr("client.enrol.enrolment_data", lambda *of: next(shown))
    found.enrol(ENROLLING)
    with pytest.raises(FatalError, match="Federation_NotAdmitted"):
        found.enrol(ENROLLING)


@pytest.mark.parametrize("name", sorted(PASSING))
def test_enrol__refused_for_now__is_tried_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enroller(tmp_path, monkeypatch, Refused(ContractError(name), simulated=True)).enrol(ENROLLING)


def test_terms__others_than_those_that_the_contract_took__end_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = enroller(tmp_path, monkeypatch, Mined({}))
    found.check_terms()
    found.enrol(ENROLLING)
    found.check_terms()
    found._desk.follower.federation.terms_hash = lambda job: bytes([1]) * 32  # type: ignore[method-assign]
    with pytest.raises(FatalError, match="are not those that .* enrolled by"):
        found.check_terms()


def test_terms__of_an_enrolment_that_was_refused__are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = enroller(tmp_path, monkeypatch, Refused(ContractError("Federation_WrongPhase"), simulated=True))
    found.enrol(ENROLLING)
    found._desk.follower.federation.terms_hash = lambda job: bytes([1]) * 32  # type: ignore[method-assign]
    found.check_terms()


@pytest.mark.parametrize(("publishes", "coin", "refused"), [(True, 0, True), (True, 1, False), (False, 0, False)])
def test_enrol__without_coin__where_keys_are_asked_for_at_the_end__pays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publishes: bool, coin: int, refused: bool
) -> None:
    """No relay names content keys for a trainer, and keys that another account names are not taken for its own."""
    found = enroller(tmp_path, monkeypatch, Mined({}))
    found._desk.follower.context.spec = cast(Any, SimpleNamespace(publish_keys=publishes))  # type: ignore[misc]
    monkeypatch.setattr(RelayedSender, "pays", property(lambda self: bool(coin)))
    found._desk.sender = RelayedSender.__new__(RelayedSender)
    if refused:
        with pytest.raises(FatalError, match="no coin, and no relay can name keys for it; give the account coin"):
            found.enrol(ENROLLING)
    else:
        found.check_coin()
