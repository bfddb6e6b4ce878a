"""What `python -m benchmarks page` measures is there: the job that it plays, and each moment in the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.page import LINES, charts, first_row, served, visit
from benchmarks.played import Size, played, post_more
from hansa.protocol.types import Phase
from hansa.runtime.session import Session
from hansa.runtime.snapshot import read_job

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_page_of_a_played_job__each_moment_is_seen(browser: Browser, tmp_path: Path) -> None:
    size = Size(trainers=5, seats=3, rounds=3)
    with played(tmp_path, size) as job, served(job) as address:
        session = Session(job.deployment)
        view = read_job(session.federation, session.store, job.job)
        assert (len(view.rounds), view.misvoted(), view.state.phase) == (3, [], Phase.SUBMIT)
        assert sum(view.earned(trainer) for trainer in view.trainers) > 0 and view.state.submitted == job.submitted == 2
        found = visit(browser, f"{address}#/job/{job.job}", job)
        assert found.keys() == LINES.keys()
        assert 0 < found["first"] <= found["whole"] and found["next"] > 0
        assert 0 < found["first_work"] <= found["whole_work"]
        assert session.federation.state(job.job).submitted == job.submitted == 3
        post_more(job, 60)
        assert session.federation.job_count() == 60
        assert first_row(browser, address) > 0


def test_charts_of_a_large_job__are_drawn(browser: Browser, tmp_path: Path) -> None:
    [took] = charts(browser, tmp_path, 1)
    assert 0 < took < 1  # second; the report has the target
