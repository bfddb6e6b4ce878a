"""Federations that are run to their end, and what is read of them afterwards."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from hansa.devnet.anvil import rpc, rpc_batch
from hansa.devnet.federation import LocalFederation
from hansa.devnet.setup import Setup
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.types import Code, Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.snapshot import FullSnapshot, read_job

TOKEN = 10**18
SHORT = {"submit": 8, "score": 8}
"""Seconds, where somebody is dead. Everywhere else phases are long, and end when all have acted."""
STEPS = 10
ROUNDS = 4  # of the undisturbed run
TRAINERS = ["trainer-1", "trainer-2", "trainer-3", "trainer-4"]
VALIDATORS = ["validator-1", "validator-2", "validator-3"]


class Observed(LocalFederation):
    """A lab that knows what everybody had when the job was posted."""

    before: dict[str, int]


@contextmanager
def federation(directory: Path, times: dict[str, int] | None = None, **setup: Any) -> Iterator[Observed]:
    """A lab with a posted job; nobody runs yet."""
    times = {"slash": 1, **(times or {})}
    with Observed(Setup(**{"steps": STEPS, "times": times, **setup}), directory) as lab:
        lab.before = {name: balance(lab, name) for name in lab.names}
        yield lab


@dataclass(frozen=True)
class Undisturbed:
    """Models by CID and every trainer's pay, by round."""

    models: list[str]
    pay: dict[str, list[int]]


def run_undisturbed(directory: Path) -> Undisturbed:
    with federation(directory, rounds=ROUNDS) as lab:
        lab.start_all()
        view = finish(lab)
        return Undisturbed(models(view), {name: pay(lab, view, name) for name in TRAINERS})


def finish(lab: Observed, timeout: float = 120.0) -> FullSnapshot:
    """Waits until the job is over and everybody who lives has claimed; checks what holds for every job."""
    lab.wait_for_end(timeout)
    left = lab.wait_for_exit(max(60.0, timeout))
    assert not left, f"{left} have not ended"
    lab.settle()
    view = look(lab)
    check_books(lab, view)
    return view


def look(lab: LocalFederation) -> FullSnapshot:
    return read_job(lab.session.federation, lab.session.store, lab.posted.job)


def models(view: FullSnapshot) -> list[str]:
    """The CIDs of models 1, 2, …"""
    return [to_cid(outcome.model) for _, outcome in view.finalised]


def verdicts(lab: LocalFederation, view: FullSnapshot, name: str) -> list[Code | None]:
    """What the committee said of a trainer's update in each finalised round; None where it had none."""
    me = lab.address(name)
    found: list[Code | None] = []
    for (cycle, _), round_ in zip(view.finalised, view.rounds, strict=True):
        places = [place for place, update in enumerate(cycle.updates) if update.trainer == me]
        found.append(round_.judgements[places[0]].code if places else None)
    return found


def pay(lab: LocalFederation, view: FullSnapshot, name: str) -> list[int]:
    """What a trainer earned in each finalised round."""
    return [leaf.pay for _, leaf in view.leaves(lab.address(name))]


def attendance(lab: LocalFederation, view: FullSnapshot, name: str) -> tuple[int, int, int]:
    """Rounds that a validator matched, voted wrong in, missed."""
    did = view.attendance(lab.address(name))
    return did.matched, did.wrong, did.missed


def balance(lab: LocalFederation, name: str) -> int:
    return lab.session.federation.token_balance(lab.session.deployment.token, lab.address(name))


def check_books(lab: Observed, view: FullSnapshot) -> None:
    """Every token of the escrow is somewhere, everybody has what the sheets say, and nobody's bond is left behind."""
    federation, bond = lab.session.federation, lab.offer.bond
    books = federation.books(view.job)
    terms = view.context.terms
    assert books.escrowed == lab.offer.escrow
    assert books.escrowed == books.left + books.booked + books.burnt - books.forfeited + books.refunded, books
    assert books.left == 0, "the sponsor has not got its rest"
    assert books.bonded == 0, "a bond is still held"
    earned = {trainer: view.earned(trainer) for trainer in view.trainers}
    fees = {member: view.attendance(member).matched * terms.fee_per_seat for member in view.members()}
    assert books.paid == sum(earned.values()) + sum(fees.values())
    penalties = {trainer: view.strikes(trainer) * terms.strike_penalty for trainer in view.trainers}
    assert books.forfeited == sum(min(p, bond) for p in penalties.values())
    for trainer in view.trainers:
        assert federation.bond(view.job, trainer) == 0
    for member in view.members():
        assert federation.fees(view.job, member) == 0
    burnt = sum(getattr(cycle.outcome, "burnt", 0) for cycle in view.history.cycles)
    assert books.booked + burnt + books.refunded == books.escrowed
    assert books.booked == len(view.finalised) * terms.full_round
    assert books.burnt == books.burn_sent
    for name in lab.names[1:]:
        account = lab.address(name)
        due = earned.get(account, 0) - min(penalties.get(account, 0), bond) + fees.get(account, 0)
        assert balance(lab, name) - lab.before[name] == due, name


@dataclass(frozen=True)
class Sent:
    """One transaction of one account."""

    sender: str
    call: str
    cycle: int | None  # counter
    worked: bool


def sent(lab: LocalFederation) -> list[Sent]:
    """Every transaction to the federation contract, reverted ones too."""
    url, contract = lab.anvil.url, lab.session.deployment.federation.lower()
    functions = {"0x" + f.selector.hex(): f for f in artifact("Federation").functions.values()}
    last = lab.session.chain.head().number
    blocks = rpc_batch(url, [("eth_getBlockByNumber", [hex(n), True]) for n in range(last + 1)])
    receipts = rpc_batch(url, [("eth_getBlockReceipts", [hex(n)]) for n in range(last + 1)])
    found = []
    for block, got in zip(blocks, receipts, strict=True):
        for transaction, receipt in zip(block["transactions"], got, strict=True):
            function = functions.get(transaction["input"][:10])
            if (transaction["to"] or "").lower() != contract or function is None:
                continue
            cycle = cycle_counter(int(transaction["input"][74:138], 16)) if function.name in OF_A_CYCLE else None
            sender = to_checksum_address(transaction["from"])
            found.append(Sent(sender, function.name, cycle, int(receipt["status"], 16) == 1))
    return found


OF_A_CYCLE = frozenset({"submit", "attest", "release", "commitScores", "revealScores", "vote"})


def check_once(lab: LocalFederation) -> None:
    """Nobody sent a step of a cycle a second time, not even one that reverted."""
    times = Counter((s.sender, s.call, s.cycle) for s in sent(lab) if s.call in OF_A_CYCLE)
    assert times, "nothing was sent"
    assert {step: n for step, n in times.items() if n != 1} == {}


def events(lab: LocalFederation, name: str) -> list[dict[str, Any]]:
    """What a daemon logged."""
    path = lab.workers[name].log
    lines = path.read_text().splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines if line.startswith("{")]


def check_logs(lab: LocalFederation, *but: str) -> None:
    """No daemon but those named wrote anything but log lines: no traceback, no warning of a library."""
    for name, worker in lab.workers.items():
        if name not in but and worker.log.is_file():
            assert [line for line in worker.log.read_text().splitlines() if not line.startswith("{")] == [], name


def mine_only_on_demand(lab: LocalFederation) -> None:
    """From here on the chain has a block only where there is a transaction."""
    rpc(lab.anvil.url, "evm_setIntervalMining", 0)


def end_phase(lab: LocalFederation) -> None:
    """Takes the chain's clock past the end of the present phase, whoever is still waited for."""
    seconds = lab.state().deadline - lab.session.chain.head().timestamp + 1
    rpc_batch(lab.anvil.url, [("evm_increaseTime", [seconds]), ("evm_mine", [])])


def wait_until_in(lab: LocalFederation, phase: Phase, round_: int) -> None:
    """Waits for a phase of a round, or any later moment of the job."""

    def reached() -> bool:
        state = lab.state()
        return state.phase.is_over or state.round > round_ or (state.round == round_ and state.phase >= phase)

    lab.wait_until(reached, 60.0, f"{phase.name} of round {round_}", every=0.005)


def play_to_the_end(lab: LocalFederation, mortal: Sequence[str], patience: float = 120.0) -> None:
    """Starts the members, then the trainers, and whoever of `mortal` died by SIGKILL again, until all have ended well.
    patience: seconds for each half."""
    for name in lab.workers:
        if name.startswith("validator"):
            lab.start(name)
    keep_alive(lab, mortal, lambda: all(lab.keys_announced()), patience)
    for name in lab.workers:
        if name.startswith("trainer"):
            lab.start(name)
    keep_alive(lab, mortal, lambda: all(worker.exit_code == 0 for worker in lab.workers.values()), patience)


def keep_alive(lab: LocalFederation, names: Sequence[str], over: Callable[[], bool], patience: float = 120.0) -> None:
    """Starts whoever died by SIGKILL again, until `over`."""
    deadline = time.monotonic() + patience
    while not over():
        assert time.monotonic() < deadline, [name for name in names if lab.workers[name].alive]
        for name in names:
            if lab.workers[name].exit_code == -9:
                lab.start(name)
        time.sleep(0.02)
