"""Phases as long as the chain needs, beside what the task's rehearsal asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hansa.runtime.chain.timing import Pace, fitted
from hansa.sponsor.terms import TIMES, JobOffer


def on_chain(offer: JobOffer, given: Mapping[str, int], pace: Pace) -> tuple[JobOffer, str]:
    """The offer with no phase shorter than the chain needs, and a line that says which were made longer, or "".

    given: seconds by phase that the sponsor asked for. FatalError for one that is too short.
    """
    before = {**TIMES, **offer.times}
    times = fitted(before, given, pace)
    longer = " ".join(f"--time {name}={seconds}" for name, seconds in times.items() if seconds > before[name])
    return replace(offer, times=times), f"for {pace}, phases are longer: {longer}" if longer else ""
