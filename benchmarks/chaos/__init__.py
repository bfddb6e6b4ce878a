"""Whatever dies, nothing is lost, done twice or stuck: real daemons on a real chain, and a schedule of faults.

Small jobs, one after another, over all privacy modes and kinds of committee that go together. A seed gives what happens
to each; checks that can fail are made when it is over. The first schedule that fails is shrunk, and can be replayed.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.chaos.campaign import Campaign, Played, broken, summary
from benchmarks.chaos.checks import WAYS
from benchmarks.chaos.lab import ground
from benchmarks.chaos.plan import (
    DAEMON_KILLED,
    FEW,
    MANY,
    NODES,
    REORGANISATION,
    STORE_KILLED,
    Plan,
    as_json,
    draw,
    load,
    save,
)
from benchmarks.report import Report, Section
from benchmarks.report import load as machine_load

MINUTES, QUICK_MINUTES = 10.0, 0.5
SHRINKING = 30  # jobs at most that are played to shrink a schedule
SHRINKING_SECONDS = 600.0  # that are given to it, where the minutes are over
SCHEDULE = Path("reports/chaos.schedule.json")


def run(quick: bool, minutes: float | None = None, seed: int = 1, replay: Path | None = None) -> Report:
    """Plays until the minutes are over, or it is interrupted or terminated; a job that has begun when they are over is
    played to its end. replay: a schedule's file, of which the one job is played."""
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever starts it in the background may have it ignore them
        signal.signal(number, signal.default_int_handler)
    end = time.monotonic() + 60 * (minutes if minutes is not None else QUICK_MINUTES if quick else MINUTES)
    drawn = (draw(seed, number, FEW if quick else MANY) for number in count())
    plans = drawn if replay is None else iter([load(replay)])
    scratch = tempfile.TemporaryDirectory(prefix="hansa-chaos-", ignore_cleanup_errors=True)
    with scratch as folder, ground(Path(folder)) as there:
        campaign, shrunk = Campaign(there), None
        failed = _play(campaign, plans, end)
        if failed is not None and replay is None:
            with suppress(KeyboardInterrupt):
                shrunk = campaign.shrunk(failed, SHRINKING, max(end, time.monotonic() + SHRINKING_SECONDS))
                save(shrunk, SCHEDULE)
        store = there.store.kind
    found = summary(campaign.played)
    facts = {"seed": seed, "store": store, **found, "jobs_played": [_told(one) for one in campaign.played]}
    if shrunk is not None:
        facts["shrunk"] = as_json(shrunk)
    report = Report("chaos", quick, _sections(found, shrunk), facts=facts)
    report.failed = failed is not None
    return report


def _play(campaign: Campaign, plans: Iterator[Plan], end: float) -> Played | None:
    """The first that failed, after which no other is played."""
    for plan in plans:
        try:
            one = campaign.play(plan)
        except KeyboardInterrupt:
            print("interrupted: what was played to its end counts", file=sys.stderr)
            break
        except Exception as error:  # what was played before is not lost by it
            traceback.print_exc()
            one = broken(plan, error)
        campaign.played.append(one)
        kills, reorganisations = one.injected[DAEMON_KILLED], one.injected[REORGANISATION]
        found = "; ".join(f"{problem.way}: {problem.said}" for problem in one.problems) or "all holds"
        said = f"job {len(campaign.played)}, {one.plan.name}: {kills} kills, {reorganisations} reorganisations: {found}"
        print(said, file=sys.stderr, flush=True)
        if one.problems:
            return one
        if time.monotonic() > end:
            break
    return None


def _told(one: Played) -> dict[str, Any]:
    return {
        "schedule": as_json(one.plan),
        "injected": dict(+one.injected),
        "blocks": one.blocks,
        "reverted": one.reverted,
        "seconds": round(one.seconds, 1),
    }


def _sections(found: dict[str, Any], shrunk: Plan | None) -> list[Section]:
    injected: dict[str, int] = found["injected"]
    totals = {
        "daemons killed": injected.get(DAEMON_KILLED, 0),
        "stores killed": injected.get(STORE_KILLED, 0),
        "reorganisations": injected.get(REORGANISATION, 0),
        "kinds of RPC fault": sum(kind in injected for kind in NODES),
    }
    what = Section("Jobs", ["", "number"], [["played", found["jobs"]], *([way, found[way]] for way in WAYS)])
    what.rows += [[name, number] for name, number in totals.items()]
    what.rows += [["calls", found["calls"]], ["of these reverted", found["reverted"]], ["blocks", found["blocks"]]]
    what.rows += [["blocks that the node lost, whose calls are unread", found["blocks_lost_by_the_node"]]]
    what.rows.append(["daemons that ended by themselves with an error", len(found["ended_by_themselves"])])
    what.notes = [f"{name}: {number}" for name, number in found["by_pair"].items()]
    for one in found["failures"]:
        what.notes += [f"{problem['way']}: {problem['said']}" for problem in one["problems"]]
    if shrunk is not None:
        what.notes.append(f"{len(shrunk.faults)} faults are enough: --replay {SCHEDULE}")
    kinds = sorted(injected, key=lambda kind: -injected[kind])
    faults = Section("Faults that met somebody", ["kind", "number"], [[kind, injected[kind]] for kind in kinds])
    columns = ["after", "times", "job: median", "most", "party: median", "most", "job, seconds: median", "most"]
    spreads = dict(found["recovery"])
    spreads |= {f"any, {n} confirmations": spread for n, spread in found["recovery_by_confirmations"].items()}
    rows = [[kind or "all", *spread.values()] for kind, spread in spreads.items()]
    blocks = Section(
        "Blocks from a fault's end to the next useful transaction", columns, rows, [machine_load()], digits=1
    )
    return [what, faults, blocks]
