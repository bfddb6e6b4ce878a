"""What `hansa doctor` looks at in the contracts that a job's sponsor chose: its committee, its admission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hansa.protocol.errors import ChainUnavailable, WrongChain
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.text import counted
from hansa.protocol.types import Address, JobId, Phase
from hansa.runtime.chain.abi import ContractError, artifact
from hansa.runtime.chain.bytecode import is_ours
from hansa.runtime.chain.dialects import COUPLED, HYBRID, STAKED, Randomness, committee_problem
from hansa.runtime.chain.federation import Federation
from hansa.runtime.chain.pool import Pool
from hansa.runtime.chain.refusals import explain

NOBODY = Address("0x" + "00" * 20)


def party_problems(federation: Federation, job: JobId, randomness: Randomness) -> Iterator[str]:
    """Whatever of a job's committee and admission would keep it from going on, as far as that can be asked now; and a
    committee that is drawn with what somebody can choose. randomness: what the chain has for that."""
    terms = federation.terms(job)
    kind = _drawn_kind(federation, terms.committee)
    if kind is not None and (problem := committee_problem(kind, randomness)) is not None:
        yield f"job {job}: {problem}"
    for what, address, look, meaning in (
        ("committee", terms.committee, _committee_problem, "no round can be opened"),
        ("admission", terms.admission, _admission_problem, "nobody can enrol"),
    ):
        problem = look(federation, job) if federation.chain.code(address) else "has no code"
        if problem:
            yield f"job {job}'s {what} {address} {problem}: {meaning}"


def _drawn_kind(federation: Federation, committee: Address) -> str | None:
    """How a committee of ours is drawn; None for one that is not, or that is another's."""
    if is_ours(federation.chain, "TrainerCommittee", committee):
        return COUPLED
    pool = Pool.of(federation.chain, committee)
    return None if pool is None else HYBRID if pool.appointed() else STAKED


def _committee_problem(federation: Federation, job: JobId) -> str | None:
    terms, state = federation.terms(job), federation.state(job)
    try:
        question = (job, cycle_counter(state.cycle) + 1, bytes(32), state.opened_at)
        named = [int(member, 16) for member in _ask(federation, "ICommittee", "select", terms.committee, question)]
    except ContractError as error:  # one that draws from the trainers may have to wait for them
        return None if state.phase == Phase.ENROL else f"refuses to name members ({explain(error)})"
    except (ChainUnavailable, WrongChain) as error:
        return f"gives no list of members ({error})"
    if len(named) != terms.seats:
        return f"names {counted(len(named), 'member')} for {counted(terms.seats, 'seat')}"
    if named != sorted(set(named)):
        return "names a member twice, or out of order"
    return None


def _admission_problem(federation: Federation, job: JobId) -> str | None:
    try:
        _ask(federation, "IAdmission", "admits", federation.terms(job).admission, (job, NOBODY, b""))
    except ContractError:  # not admitting nobody in particular is an answer
        return None
    except (ChainUnavailable, WrongChain) as error:
        return f"does not say yes or no ({error})"
    return None


def _ask(federation: Federation, interface: str, function: str, at: Address, question: tuple[Any, ...]) -> Any:
    reading = (at, artifact(interface).functions[function], question)
    return federation.chain.read([reading], sender=federation.address)[0][0]
