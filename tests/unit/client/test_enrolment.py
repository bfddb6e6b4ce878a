"""What a trainer does when its enrolment is refused: passing refusals are met again, final ones end it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from client.trainer import PASSING, Trainer
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Phase
from hansa.runtime.chain.abi import ContractError
from hansa.runtime.transactions.sender import Outcome, Refused

ENROLLING = cast(Any, SimpleNamespace(phase=Phase.ENROL))


def trainer(outcome: Outcome) -> Trainer:
    """A trainer without a chain, whose every transaction comes to `outcome`."""
    made: Any = object.__new__(Trainer)
    made.me, made.job, made.config = "0x" + "a1" * 20, 1, SimpleNamespace(bond=None, min_claim=0)
    terms = SimpleNamespace(min_bond=5, hash=bytes(32))
    made.context = SimpleNamespace(terms=terms, check_claim_time=lambda least: None)
    made.federation = SimpleNamespace(enrol_call=lambda *arguments: None)
    made._check_model = lambda: None
    made.pay_in = lambda bond: None
    made.send = lambda call, *key: outcome
    return cast(Trainer, made)


@pytest.mark.parametrize("name", ["ERC20InsufficientBalance", "Federation_NotAdmitted", "Vault_TokenTakesFees"])
def test_enrol__refused_for_good__ends_with_the_contracts_reason(name: str) -> None:
    with pytest.raises(FatalError, match=name):
        trainer(Refused(ContractError(name), simulated=True))._enrol(ENROLLING)


@pytest.mark.parametrize("name", sorted(PASSING))
def test_enrol__refused_for_now__is_tried_again(name: str) -> None:
    assert trainer(Refused(ContractError(name), simulated=True))._enrol(ENROLLING) is False
