"""What a relay is asked, there and back; what else is said to it is in the integration tests."""

from __future__ import annotations

import pytest
from eth_account import Account

from hansa.protocol.errors import Malformed
from hansa.protocol.types import Address, CycleId, Digest, JobId
from hansa.runtime.chain.calls import Calls
from hansa.runtime.relay.messages import RelayAnswer, RelayRequest, act_of
from hansa.runtime.relay.permits import Permit
from hansa.runtime.signed_calls import can_be_signed, signed_call

ALICE = Account.from_key("0x" + "a1" * 32)


class Somewhere(Calls):
    address = Address("0x" + "22" * 20)
    vault = Address("0x" + "33" * 20)


CALLS = Somewhere()
OWN = 5, CALLS.address, CALLS.vault
SUBMIT = CALLS.submit_call(JobId(7), CycleId(9), b"\1" * 32, Digest(b"\2" * 32))
ENROL = CALLS.enrol_call(JobId(7), b"\3" * 32, 100, b"proof")


def test_request__there_and_back() -> None:
    for permit in (None, Permit(2**256 - 1, 9, b"\1" * 65)):
        request = RelayRequest(5, CALLS.address, b"\1\2", permit)
        assert RelayRequest.decode(request.encode()) == request


def test_act__of_what_somebody_signed() -> None:
    call = signed_call(SUBMIT, ALICE, 5, 0)
    act = act_of(RelayRequest(5, CALLS.address, call.data), *OWN)
    assert (act.account, act.job, act.call, act.arguments["digest"]) == (ALICE.address, 7, "submit", b"\2" * 32)
    assert act.sent.data == call.data
    enrol = act_of(RelayRequest(5, CALLS.address, signed_call(ENROL, ALICE, 5, 99).data), *OWN)
    assert (enrol.call, enrol.arguments["deadline"], enrol.arguments["data"]) == ("enrol", 99, b"proof")


@pytest.mark.parametrize("chain, other", [(6, False), (5, True)])
def test_act__signed_for_another_chain_or_federation__is_refused(chain: int, other: bool) -> None:
    data = signed_call(SUBMIT, ALICE, chain, 0).data
    place = Address("0x" + "44" * 20) if other else CALLS.address
    with pytest.raises(Malformed):
        act_of(RelayRequest(5, place, data), 5, place, CALLS.vault)


def test_act__of_the_vault__is_a_claim_alone() -> None:
    bond = CALLS.claim_bond_call(JobId(7), Address(ALICE.address))
    act = act_of(RelayRequest(5, CALLS.vault, bond.data), *OWN)
    assert (act.account, act.job, act.call) == (ALICE.address, 7, "claimBond")
    for call in (CALLS.claim_rest_call(JobId(7)), CALLS.send_burnt_call(JobId(7))):
        with pytest.raises(Malformed, match="neither claim nor claimBond"):
            act_of(RelayRequest(5, CALLS.vault, call.data), *OWN)


def test_calls__that_can_be_signed() -> None:
    assert can_be_signed(ENROL) and can_be_signed(SUBMIT) and can_be_signed(CALLS.rejoin_call(JobId(1), CycleId(2)))
    assert not can_be_signed(CALLS.open_call(JobId(1))) and not can_be_signed(CALLS.stop_call(JobId(1)))


def test_answer__there_and_back__and_nonsense() -> None:
    answer = RelayAnswer(409, error="a sentence")
    assert RelayAnswer.decode(409, answer.encode()) == answer and not answer.is_taken
    assert RelayAnswer.decode(202, RelayAnswer(202, "0x12").encode()).is_taken
    assert len(RelayAnswer.decode(400, b'{"error": "' + b"x" * 1000 + b'"}').error or "") == 300
    for body in (b"", b"[]", b"{", b"[" * 50_000):
        with pytest.raises(Malformed):
            RelayAnswer.decode(200, body)
