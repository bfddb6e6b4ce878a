"""Who can see one update of a job: the privacy modes, and what spec and terms must say for each to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Final, Protocol

from hansa.protocol.spec import JobSpec
from hansa.protocol.tables import TABLES, read_row

COMMITTEE: Final = "committee"
THRESHOLD: Final = "threshold"
MASKED: Final = "masked"

MOST_SETS: Final = 36  # of seats that hold a mask together
MOST_MASKED: Final = 256  # trainers: their summed integers stay within 16 bits
LEAST_GROUP: Final = 3
NOT_APPOINTED: Final = (
    "its committee must be an appointed one: each draw is one more chance to get the seats that open an update"
)


@dataclass(frozen=True)
class Mode:
    """A privacy mode. sees: who can see one update, a sentence with {seats}, {shares} and {group}. times: usual seconds
    of the phases that it has and 'committee' has not."""

    name: str
    sees: str
    times: Mapping[str, int]


MODES: Final = {mode.name: mode for mode in (read_row(Mode, row) for row in TABLES["privacy"])}


class PrivacyTerms(Protocol):
    """What of a job's terms its privacy rests on: the contract's, field by field."""

    @property
    def seats(self) -> int: ...
    @property
    def quorum(self) -> int: ...
    @property
    def threshold(self) -> int: ...
    @property
    def attest_time(self) -> int: ...
    @property
    def release_time(self) -> int: ...
    @property
    def max_trainers(self) -> int: ...
    @property
    def min_updates(self) -> int: ...


def who_sees(spec: JobSpec, seats: int) -> str:
    """Who can see one update, in one sentence."""
    return MODES[spec.privacy].sees.format(seats=seats, shares=spec.shares, group=spec.group)


def problems(spec: JobSpec, terms: PrivacyTerms, *, appointed: bool, coupled: bool = False) -> list[str]:
    """Everything in spec and terms that the job's privacy mode doesn't allow; empty where it holds.

    appointed: whether the committee is one that is never drawn anew. coupled: whether members may be trainers too.
    """
    match spec.privacy:
        case "committee":
            rules = _of_committee(spec, terms)
        case "threshold":
            rules = _of_threshold(spec, terms)
        case _:
            rules = {**_of_masked(spec, terms, coupled), NOT_APPOINTED: appointed}
    return [said for said, holds in rules.items() if not holds]


def warning(spec: JobSpec, terms: PrivacyTerms) -> str | None:
    """What a sponsor is told of terms that are allowed, yet weak."""
    if spec.privacy != MASKED or 2 * terms.quorum >= terms.seats + spec.shares:
        return None
    return (
        f"with quorum {terms.quorum} of {terms.seats} and {spec.shares} shares, one bad member and a reorganisation, "
        "or a lying node at another, can open an update"
    )


def _of_committee(spec: JobSpec, terms: PrivacyTerms) -> dict[str, bool]:
    """Sentences, and whether they hold."""
    return {
        "it has a phase ATTEST or RELEASE that its spec does not use: its committee could see updates "
        "and end the round without paying": not (terms.attest_time or terms.release_time),
        f"group must be 0, not {spec.group}": spec.group == 0,
        f"shares must be 0, not {spec.shares}": spec.shares == 0,
    }


def _of_threshold(spec: JobSpec, terms: PrivacyTerms) -> dict[str, bool]:
    quorum = terms.quorum
    return {
        "there must be no phase ATTEST": terms.attest_time == 0,
        "there must be a phase RELEASE": terms.release_time > 0,
        f"the term threshold must be the quorum, {quorum}, not {terms.threshold}": terms.threshold == quorum,
        f"shares must be the quorum, {quorum}, not {spec.shares}": spec.shares == quorum,
        f"group must be 0, not {spec.group}": spec.group == 0,
    }


def _of_masked(spec: JobSpec, terms: PrivacyTerms, coupled: bool) -> dict[str, bool]:
    seats, quorum, shares = terms.seats, terms.quorum, spec.shares
    most_shares, most_group = (seats + 1) // 2, terms.min_updates - (seats if coupled else 0)
    is_within = 2 <= shares <= most_shares
    less = f", and {seats} fewer as members may train" if coupled else ""
    return {
        "there must be phases ATTEST and RELEASE": terms.attest_time > 0 and terms.release_time > 0,
        f"the term threshold must be the quorum, {quorum}, not {terms.threshold}": terms.threshold == quorum,
        f"bits must be 8, not {spec.bits}": spec.bits == 8,
        f"weights must be equal, not {spec.weights}": spec.weights == "equal",
        f"rule must be mean, not {spec.rule}": spec.rule == "mean",
        "publish_keys must be false: there are no content keys": not spec.publish_keys,
        f"at most {MOST_MASKED} trainers may enrol, not {terms.max_trainers}": terms.max_trainers <= MOST_MASKED,
        f"shares must be 2 to {most_shares} for {seats} seats, not {shares}": is_within,
        f"{seats} seats and {shares} shares make more than {MOST_SETS} sets of seats": (
            not is_within or comb(seats, seats - shares + 1) <= MOST_SETS
        ),
        f"group must be {LEAST_GROUP} to {most_group}, the least updates of a round{less}, not {spec.group}": (
            LEAST_GROUP <= spec.group <= most_group
        ),
    }
