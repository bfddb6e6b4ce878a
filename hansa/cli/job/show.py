"""A job on the screen and as JSON."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.table import Table

from hansa.cli.tables import fitting, shortened
from hansa.protocol.cid import to_cid
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.phases import PHASES
from hansa.protocol.text import escape_untrusted
from hansa.protocol.types import UNIT
from hansa.runtime.amounts import fixed
from hansa.runtime.history.reader import Failed
from hansa.sponsor.terms import NO_TARGET, in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, JustifyMethod

    from hansa.runtime.amounts import Token
    from hansa.runtime.chain.federation import Federation, JobState
    from hansa.runtime.session import Session
    from hansa.runtime.snapshot import JobSnapshot

NO_METRIC = -(2**63)
LONGEST_TASK = 80  # characters of a name that a line shows
PARTS = {
    "ENROL": "{enrolled} enrolled",
    "SUBMIT": "{submitted} updates in, {pending} awaited",
}


def metric_of(units: int) -> float | None:
    """A metric as a number; None before there is one."""
    return None if units == NO_METRIC else units / UNIT


def metric_text(metric: float | None) -> str:
    """A metric for people."""
    return "–" if metric is None else fixed(round(metric * UNIT), 9, 4)


def state_data(state: JobState) -> dict[str, Any]:
    """What a job is at, as JSON."""
    return {
        "phase": state.phase.name,
        "round": state.round,
        "cycle": cycle_counter(state.cycle),
        "deadline": state.deadline,
        "enrolled": state.enrolled,
        "submitted": state.submitted,
        "pending": state.pending,
        "committed": state.committed.bit_count(),
        "revealed": state.revealed.bit_count(),
        "voted": state.voted.bit_count(),
        "failures": state.failures,
        "best_metric": metric_of(state.best_metric),
    }


def state_line(state: JobState, now: int) -> str:
    """The same as a sentence; `now` is the newest block's time."""
    data = state_data(state)
    if state.phase.is_over:
        return f"{data['phase']} after {state.round - 1} rounds"
    left = f", {in_words(state.deadline - now)} left" if state.deadline > now else ""
    step = PHASES[state.phase]
    done = f": {PARTS[step.name].format(**data)}" if step.name in PARTS else ""
    if step.acted:
        done = f": {step.seats_acted(state).bit_count()} members have {step.acted}"
    failed = f" ({state.failures} failed in a row)" if state.failures else ""
    return f"round {state.round}, cycle {data['cycle']}: {data['phase']}{left}{done}{failed}"


def job_data(view: JobSnapshot, federation: Federation, problem: str | None = None) -> dict[str, Any]:
    """Everything about a job, as JSON; amounts are strings. problem: why its spec can't be read, and so what follows
    from that is None."""
    from hansa.runtime.snapshot import FullSnapshot

    terms, spec = view.terms, view.context.spec.model_dump() if isinstance(view, FullSnapshot) else {"problem": problem}
    books = federation.books(view.job)
    return {
        "job": view.job,
        "sponsor": view.state.sponsor,
        "state": state_data(view.state),
        "spec": {"cid": to_cid(terms.spec), **spec},
        "terms": {
            "token": terms.token,
            "committee": terms.committee,
            "admission": terms.admission,
            "reward_per_round": str(terms.reward_per_round),
            "fee_per_seat": str(terms.fee_per_seat),
            "min_bond": str(terms.min_bond),
            "strike_penalty": str(terms.strike_penalty),
            "target": None if terms.target_metric == NO_TARGET else terms.target_metric / UNIT,
            "max_rounds": terms.max_rounds,
            "max_trainers": terms.max_trainers,
            "min_updates": terms.min_updates,
            "seats": terms.seats,
            "quorum": terms.quorum,
            "claim_time": terms.claim_time,
        },
        "cycles": [_cycle(view, place) for place in range(len(view.history.cycles))],
        "trainers": [_trainer(view, item.trainer, item.bond) for item in view.history.enrolled],
        "validators": [_validator(view, member) for member in view.members()],
        "claim_until": books.claim_until or None,
        "books": {
            name: str(getattr(books, name))
            for name in ("escrowed", "left", "booked", "paid", "burnt", "refunded", "bonded")
        },
    }


def _cycle(view: JobSnapshot, place: int) -> dict[str, Any]:
    from hansa.runtime.snapshot import SettledSnapshot

    cycle = view.history.cycles[place]
    data: dict[str, Any] = {
        "cycle": cycle_counter(cycle.cycle),
        "round": cycle.round,
        "updates": [{"trainer": update.trainer, "cid": to_cid(update.digest)} for update in cycle.updates],
        "outcome": "under way",
    }
    if isinstance(cycle.outcome, Failed):
        data |= {"outcome": f"failed in {cycle.outcome.phase.name}", "burnt": str(cycle.outcome.burnt)}
    elif cycle.outcome is not None:
        included = len(view.rounds[cycle.round - 1].included) if isinstance(view, SettledSnapshot) else None
        data |= {
            "outcome": "finalised",
            "model": to_cid(cycle.outcome.model),
            "metric": metric_of(cycle.outcome.metric),
            "included": included,
            "matched": [seat for seat in range(len(cycle.committee)) if cycle.outcome.matched >> seat & 1],
        }
    return data


def _trainer(view: JobSnapshot, trainer: Any, bond: int) -> dict[str, Any]:
    from hansa.runtime.snapshot import SettledSnapshot

    data: dict[str, Any] = {"address": trainer, "bond": str(bond)}
    if not isinstance(view, SettledSnapshot):
        return data | {"earned": None, "strikes": None, "reputation": None}
    return data | {
        "earned": str(view.earned(trainer)),
        "strikes": view.strikes(trainer),
        "reputation": view.reputation(trainer),
    }


def _validator(view: JobSnapshot, member: Any) -> dict[str, Any]:
    did = view.attendance(member)
    return {"address": member, "matched": did.matched, "wrong": did.wrong, "missed": did.missed}


def show_jobs(console: Console, rows: Sequence[dict[str, Any]], wire: Session) -> None:
    """The list of jobs."""
    if not rows:
        console.print("no job is posted; `hansa job post` posts one")
        return
    table = _table("job", "phase", "rounds", "trainers", "seats", "metric", "reward a round")
    for row in rows:
        metric = metric_text(row["metric"])
        reward = wire.token(row["token"]).text(int(row["reward_per_round"]))
        numbers = (f"{row['round']}/{row['rounds']}", str(row["trainers"]), str(row["seats"]))
        table.add_row(str(row["job"]), row["phase"], *numbers, metric, reward)
    console.print(table)


def show_job(console: Console, data: dict[str, Any], token: Token) -> None:
    """One job: what it is, its rounds, its people, its money."""
    terms, state, spec = data["terms"], data["state"], data["spec"]
    at = f"after {state['round'] - 1}" if not state["deadline"] else f"round {state['round']}"
    known = "problem" not in spec
    task = escape_untrusted(spec["task"], LONGEST_TASK) if known else "task unknown"
    rule = (
        f"  rule     {spec['rule']}, {spec['bits']} bits" if known else f"           can't be read: {spec['problem']}"
    )
    console.print(f"[bold]job {data['job']}[/]  {task}  {state['phase']}, {at} of {terms['max_rounds']} rounds")
    console.print(f"  sponsor  {data['sponsor']}\n  spec     {spec['cid']}\n{rule}")
    reward, fee, bond = (token.text(int(terms[name])) for name in ("reward_per_round", "fee_per_seat", "min_bond"))
    quorum = f"quorum {terms['quorum']} of {terms['seats']}"
    console.print(f"  pays     {reward} a round, {fee} a seat; bond {bond}; {quorum}")
    console.print(f"  claims   {_claims(terms['claim_time'], data['claim_until'])}\n")
    for part, make in (("cycles", _cycles), ("trainers", _trainers), ("validators", _validators)):
        if data[part]:
            console.print(fitting(console, partial(make, data, token), False, True)[0])
            console.print()
    console.print("  ".join(f"{name} {token.text(int(amount), unit=False)}" for name, amount in data["books"].items()))


def _cycles(data: dict[str, Any], token: Token, short: bool) -> Table:
    table = _table("cycle", "round", "updates", "included", "metric", "model or failure")
    for cycle in data["cycles"]:
        metric = "" if cycle.get("metric") is None else metric_text(cycle["metric"])
        numbers = (str(cycle["cycle"]), str(cycle["round"]), str(len(cycle["updates"])))
        model = shortened(cycle.get("model", cycle["outcome"]), short)
        table.add_row(*numbers, _known(cycle.get("included", "")), metric, model)
    return table


def _trainers(data: dict[str, Any], token: Token, short: bool) -> Table:
    table = _table("trainer", "bond", "earned", "strikes", "reputation")
    for item in data["trainers"]:
        earned = item["earned"] and token.text(int(item["earned"]))
        reputation = item["reputation"] if item["reputation"] is None else fixed(item["reputation"], 6, 3)
        numbers = map(_known, (earned, item["strikes"], reputation))
        table.add_row(shortened(item["address"], short), token.text(int(item["bond"])), *numbers)
    return table


def _validators(data: dict[str, Any], token: Token, short: bool) -> Table:
    table = _table("validator", "matched", "wrong", "missed")
    for item in data["validators"]:
        numbers = [str(item[name]) for name in ("matched", "wrong", "missed")]
        table.add_row(shortened(item["address"], short), *numbers)
    return table


def _known(value: object) -> str:
    return "–" if value is None else str(value)


def _claims(seconds: int, until: int | None) -> str:
    """How long pay and fees can be claimed."""
    after = f"{in_words(seconds)} after the job's end; what is claimed later is lost"
    if until is None:
        return f"until {after}"
    return f"until {datetime.fromtimestamp(until).isoformat(' ', 'seconds')}, {after}"


def _table(*headings: str) -> Table:
    """On a narrow screen the wide columns go on in the next line; none is left out."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    wide = {"model or failure", "trainer", "validator", "reward a round"}
    left = wide - {"reward a round"} | {"phase"}
    for heading in headings:
        justify: JustifyMethod = "left" if heading in left else "right"
        table.add_column(heading, justify=justify, no_wrap=heading not in wide, overflow="fold")
    return table
