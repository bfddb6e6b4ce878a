"""`hansa job cost`: gas and fees of a job that is planned, on the connected chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hansa.cli.command import Command
from hansa.cli.document import Amount
from hansa.cli.job.committee_options import CONSENSUS_HELP
from hansa.protocol.errors import FatalError, check_range
from hansa.protocol.privacy import COMMITTEE, MASKED, MOST_MASKED
from hansa.protocol.tables import LIMITS
from hansa.protocol.text import counted
from hansa.runtime.chain.client import Chain
from hansa.runtime.chain.dialects import l1_fees, l1_oracle
from hansa.runtime.chain.rpc import Nonsense, quantity
from hansa.runtime.session import connect
from hansa.runtime.transactions.gas_price import GWEI, PRICE_REQUESTS, FeeCaps, Limits, market
from hansa.sponsor.committees import APPOINTED, check_kind
from hansa.sponsor.cost import ANYBODY, SPONSOR, TRAINER, VALIDATOR, CallCost, Plan, costs
from hansa.sponsor.privacy import PRIVACY_HELP, check_appointed, check_mode

COIN = 10**18
UNCAPPED = FeeCaps(fee=2**256)  # nothing is sent, so whatever the chain asks for is told
OF_A_DRAW = "what the contract that draws the committee takes: its deployment, each draw, stakes where it has some"


@dataclass(frozen=True)
class CallView:
    """Of one call: who sends it, how many do, how often each in the whole job, gas of one, and all of them together."""

    who: str
    call: str
    parties: int
    times: int
    gas: int
    total_gas: int
    fee: Amount  # wei, all of them


@dataclass(frozen=True)
class PartyView:
    """What one party of a kind pays that takes part in every round of the whole job."""

    who: str
    parties: int
    gas: int
    fee: Amount  # wei


@dataclass(frozen=True)
class CostView:
    chain_id: int
    gas_price: Amount  # wei a unit
    l1_fee: bool  # whether the fees hold what a rollup asks for the chain below
    trainers: int
    validators: int
    rounds: int
    updates: int  # of a round
    privacy: str
    consensus: str
    left_out: str  # what is not counted, or ""
    calls: list[CallView]
    parties: list[PartyView]
    round_gas: int
    round_fee: Amount  # wei, everybody's
    round_blocks: float  # full blocks of this chain that a round's gas fills
    gas: int
    fee: Amount  # wei, everybody's for everything


@dataclass(frozen=True)
class Fees:
    """What a chain asks for: wei a unit of gas, a rollup's fee by call, in wei, and a block's gas."""

    price: int
    below: Sequence[int] | None
    block_gas: int


def run(
    command: Command,
    trainers: Annotated[int, typer.Option("--trainers", help="How many enrol.")] = 4,
    validators: Annotated[int, typer.Option("--validators", help="Members of the committee.")] = 3,
    rounds: Annotated[int, typer.Option("--rounds", help="All of them finalised.")] = 15,
    updates: Annotated[int | None, typer.Option("--updates", help="Of one round; every trainer's by default.")] = None,
    gas_price: Annotated[
        float | None, typer.Option("--gas-gwei", help="A unit's price; what the chain asks for now by default.")
    ] = None,
    privacy: Annotated[str, typer.Option("--privacy", help=PRIVACY_HELP)] = COMMITTEE,
    consensus: Annotated[str, typer.Option("--consensus", help=CONSENSUS_HELP)] = APPOINTED,
) -> None:
    """Gas and fees of a job that is planned, by call and by who pays it, at what the chain asks for now.

    The gas of each call is measured with 5 and 24 validators; failed cycles cost their round's gas again. Of a
    committee that is drawn, all members count as changed in every round.
    """
    check_appointed(check_mode(privacy), check_kind(consensus))
    plan = Plan(
        trainers=check_range("--trainers", trainers, 1, MOST_MASKED if privacy == MASKED else LIMITS.trainers),
        seats=check_range("--validators", validators, 1, LIMITS.seats),
        rounds=check_range("--rounds", rounds, 1, LIMITS.rounds),
        updates=check_range("--updates", trainers if updates is None else updates, 1, trainers),
        privacy=privacy,
        consensus=consensus,
    )
    if gas_price is not None and not 0 <= gas_price < 1e9:
        raise FatalError(f"--gas-gwei {gas_price} is no price", next_step="give gwei for a unit of gas")
    chain = connect(command.workspace).chain
    found = costs(plan)
    view = cost_view(plan, found, fees_of(chain, found, gas_price), chain.chain_id)
    command.answer(view, lambda console: show(console, view))


def fees_of(chain: Chain, found: Sequence[CallCost], gas_price: float | None) -> Fees:
    """What the chain asks for at its newest block: base fee and tip, unless a price is given, and the fee of a rollup
    for each call."""
    answers = chain.rpc.raw(PRICE_REQUESTS)
    block: Any = answers[0]
    if not isinstance(block, dict):
        raise Nonsense("the latest block", block)
    price = asked_now(answers) if gas_price is None else round(gas_price * GWEI)
    oracle = l1_oracle(chain)
    below = None if oracle is None else l1_fees(chain, oracle, [cost.size for cost in found])
    return Fees(price, below, quantity(block.get("gasLimit"), "a block's gas limit"))


def asked_now(answers: list[Any]) -> int:
    """Wei for a unit of gas, from the answers to PRICE_REQUESTS: however much it is."""
    offer, base = market(answers, Limits.of(UNCAPPED, answers[-1])), answers[0].get("baseFeePerGas")
    return offer.fee if offer.tip is None else quantity(base, "the base fee") + offer.tip


def cost_view(plan: Plan, found: Sequence[CallCost], fees: Fees, chain_id: int) -> CostView:
    """All of it in gas and in wei."""
    below = [0] * len(found) if fees.below is None else fees.below
    each = [cost.gas * fees.price + cost.times * one for cost, one in zip(found, below, strict=True)]  # of one party
    calls = [
        CallView(cost.who, cost.call, cost.parties, cost.times, cost.one, cost.total, cost.parties * fee)
        for cost, fee in zip(found, each, strict=True)
    ]
    counts = {SPONSOR: 1, TRAINER: plan.trainers, VALIDATOR: plan.seats, ANYBODY: 1}
    parties = [
        PartyView(
            who, count,
            sum(cost.gas for cost in found if cost.who == who),
            sum(fee for cost, fee in zip(found, each, strict=True) if cost.who == who),
        )
        for who, count in counts.items()
    ]  # fmt: skip
    in_rounds = [call for cost, call in zip(found, calls, strict=True) if cost.of_a_round]
    round_gas = sum(call.total_gas for call in in_rounds) // plan.rounds
    return CostView(
        chain_id=chain_id,
        gas_price=fees.price,
        l1_fee=fees.below is not None,
        trainers=plan.trainers,
        validators=plan.seats,
        rounds=plan.rounds,
        updates=plan.updates,
        privacy=plan.privacy,
        consensus=plan.consensus,
        left_out=OF_A_DRAW if plan.is_drawn else "",
        calls=calls,
        parties=parties,
        round_gas=round_gas,
        round_fee=sum(call.fee for call in in_rounds) // plan.rounds,
        round_blocks=round(round_gas / fees.block_gas, 4),
        gas=sum(call.total_gas for call in calls),
        fee=sum(call.fee for call in calls),
    )


def show(console: Console, view: CostView) -> None:
    """A line a call, then a line a party."""
    added = ", and a rollup's fee for the chain below" if view.l1_fee else ""
    parties = f"{counted(view.trainers, 'trainer')}, {counted(view.validators, 'validator')}"
    console.print(
        f"{counted(view.rounds, 'round')} of {parties}, {counted(view.updates, 'update')} a round, no failed cycle; "
        f"privacy {view.privacy}, committee {view.consensus}; "
        f"chain {view.chain_id}, {view.gas_price / GWEI:.6g} gwei a unit{added}"
    )
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for place, heading in enumerate(("who", "call", "calls", "gas of one", "gas of all", "coins")):
        table.add_column(heading, justify="left" if place < 2 else "right", no_wrap=True)
    for call in view.calls:
        numbers = (f"{call.parties * call.times:,}", f"{call.gas:,}", f"{call.total_gas:,}", coins(call.fee))
        table.add_row(call.who, call.call, *numbers)
    console.print(table)
    for party in view.parties:
        who = (
            "whoever opens and finalises"
            if party.who == ANYBODY
            else f"{'the' if party.parties == 1 else 'each'} {party.who}"
        )
        console.print(f"{who} pays {coins(party.fee)} of the chain's coin, {party.gas:,} gas")
    console.print(
        f"a round: {coins(view.round_fee)}, {view.round_gas:,} gas, {view.round_blocks:.4g} of a block; "
        f"the job: {coins(view.fee)}, {view.gas:,} gas"
    )
    if view.left_out:
        console.print(f"not counted: {view.left_out}")


def coins(wei: int) -> str:
    """Of the chain's coin, six digits that count."""
    return f"{wei / COIN:.6g}"
