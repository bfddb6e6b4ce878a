"""How long the built page takes in headless Chromium until a person can read what a job is at, and all of its ledger.

`hansa dashboard` serves the page, which reads a job that benchmarks/played.py has played on a chain of its own. Each
visit has a fresh browser profile: nothing is cached. Times are the page's own clock, from the start of the navigation
to the frame after the text is there.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.played import Played, Size, played, post_more
from benchmarks.report import Cell, Plot, Report, Section, load
from hansa.cli.dashboard import PAGE, serve
from hansa.protocol.errors import FatalError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession

DASHBOARD = Path(__file__).resolve().parents[1] / "dashboard"
SMALL, DRAWN = (2, 2), (200, 50)  # rounds, trainers
FULL, QUICK = Size(50, 5, 50), Size(10, 3, 10)  # trainers, seats, rounds
VISITS = 7
JOBS, FEW_JOBS = 1000, 100  # on the front page
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE = 60_000  # ms
TARGET = "≤ 1"

LINES = {
    "first": "first useful view: phase, terms, the metric of the latest rounds",
    "whole": "whole ledger: every round worked out again, equal to the vote",
    "next": "an update comes in: from its block to the page",
    "first_work": "processor time of the page until the first useful view",
    "whole_work": "the same, until the whole ledger",
    "blocked": "longest time without an answer to a key",
    "blocked_next": "the same, after that update",
}

WATCH = """(([rounds, trainers]) => {
  const rows = (name, part) => document.querySelectorAll(`[aria-label="${name}"] tbody ${part}`)
  const captions = () => [...document.querySelectorAll('caption')]
  const measured = () =>
    captions().find((each) => each.textContent === 'Metric by round')?.parentElement.tBodies[0].rows.length ?? 0
  const section = (title) => [...document.querySelectorAll('h2')].some((each) => each.textContent === title)
  const marks = {
    first: () => document.querySelector('h1 .tag') && section('The terms in words') && measured() > 0,
    whole: () => measured() >= rounds
      && [...rows('Trainers', 'td:nth-child(2)')].filter((cell) => cell.textContent !== '–').length === trainers,
  }
  const seen = {}
  const reach = {}
  window.reached = {}
  for (const name of Object.keys(marks)) reached[name] = new Promise((done) => { reach[name] = done })
  window.tasks = []
  const look = () => {
    for (const [name, is] of Object.entries(marks)) {
      if (name in seen || !is()) continue
      seen[name] = null
      requestAnimationFrame(() => setTimeout(() => {
        seen[name] = performance.now()
        reach[name](seen[name])
      }))
    }
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true })
  const note = (list) => tasks.push(...list.getEntries().map((task) => task.duration))
  new PerformanceObserver(note).observe({ type: 'longtask', buffered: true })
})"""
ROW = """new Promise((done) => {
  const look = () => {
    if (!document.querySelector('.jobs > li')) return
    watch.disconnect()
    requestAnimationFrame(() => setTimeout(() => done(performance.now())))
  }
  const watch = new MutationObserver(look)
  watch.observe(document, { childList: true, subtree: true })
  look()
})"""
TOO_LATE = f"new Promise((_, fail) => setTimeout(fail, {PATIENCE}, new Error('not there after {PATIENCE} ms')))"
NEXT = """([text]) => new Promise((done) => {
  const start = performance.now()
  tasks.length = 0
  const look = () => {
    if (!document.querySelector('main').textContent.includes(text)) return
    watch.disconnect()
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)))
  }
  const watch = new MutationObserver(look)
  watch.observe(document, { childList: true, subtree: true, characterData: true })
})"""


def run(quick: bool) -> Report:
    size, visits = (QUICK, 3) if quick else (FULL, VISITS)
    with (
        tempfile.TemporaryDirectory() as folder,
        played(Path(folder), size) as job,
        served(job) as address,
        chromium() as browser,
    ):
        found = [visit(browser, f"{address}#/job/{job.job}", job) for _ in range(visits)]
        drawn = charts(browser, Path(folder), visits)
        count = FEW_JOBS if quick else JOBS
        post_more(job, count)
        rows_at = [first_row(browser, address) for _ in range(visits)]
    medians = {name: statistics.median(each[name] for each in found) for name in LINES}
    rows: list[list[Cell]] = [
        [words, medians[name], max(each[name] for each in found), TARGET if name == "first" else ""]
        for name, words in LINES.items()
    ]
    title = f"The page of a job with {size.rounds} rounds × {size.trainers} trainers, {size.seats} validators"
    notes = [
        f"Seconds, of {visits} visits in headless Chromium; {load()}.",
        "Played by a script on anvil: files and sheets are made up, transactions and accumulators are the chain's.",
    ]
    section = Section(title, ["headless Chromium", "median", "slowest", "target"], rows, notes)
    charted: list[Cell] = [
        "curve, stacked parts and strips: processor time until they are drawn",
        1000 * statistics.median(drawn),
        1000 * max(drawn),
        "≤ 50",
    ]
    drawing = Section(
        f"Charts of {DRAWN[0]} rounds × {DRAWN[1]} trainers",
        ["headless Chromium", "median", "slowest", "target"],
        [charted],
        [f"Milliseconds, of {visits} pages, each of which drew a small job before; the numbers are made up."],
    )
    listed: list[Cell] = ["first row of the front page", statistics.median(rows_at), max(rows_at), TARGET]
    front = Section(
        f"The front page of a chain with {count:,} jobs",
        ["headless Chromium", "median", "slowest", "target"],
        [listed],
        [f"Seconds, of {visits} first visits; {load()}."],
    )
    plot = Plot("Opening a job's page", "seconds", list(LINES), {"median": list(medians.values())}, line=1.0)
    return Report("page", quick, [section, drawing, front], plots=[plot])


def visit(browser: Browser, address: str, job: Played) -> dict[str, float]:
    """Seconds by line. FatalError where the page does not get there."""
    from playwright.sync_api import Error

    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.add_init_script(f"{WATCH}({[job.size.rounds, job.size.trainers]})")
        page.goto(address)
        found: dict[str, float] = {}
        for name in ("first", "whole"):
            found[name] = page.evaluate(f"Promise.race([reached.{name}, {TOO_LATE}])")
            found[f"{name}_work"] = worked(session)
        found["blocked"] = page.evaluate("Math.max(0, ...tasks)")
        waiting = page.evaluate_handle(f"[({NEXT})(['{job.submitted + 1} of at least '])]")
        job.submit_one()
        found["next"] = waiting.evaluate(f"([done]) => Promise.race([done, {TOO_LATE}])")
        found["blocked_next"] = page.evaluate("Math.max(0, ...tasks)")
    except Error as error:
        raise FatalError(f"the page at {address} does not show the job", cause=error.message) from error
    finally:
        context.close()
    return {name: milliseconds / 1000 for name, milliseconds in found.items()}


def first_row(browser: Browser, address: str) -> float:
    """Seconds from the start of the navigation to the frame after a job stands in the list."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(f"window.row = {ROW}")
    page.goto(address)
    found = float(page.evaluate(f"Promise.race([row, {TOO_LATE}])")) / 1000
    context.close()
    return found


def charts(browser: Browser, folder: Path, times: int) -> list[float]:
    """Seconds of processor time that a page takes to draw them, after a small job's. FatalError: no build."""
    command = ["npx", "vite", "build", "--config", "bench/vite.config.ts", "--outDir", str(folder / "charts")]
    if subprocess.run(command, cwd=DASHBOARD, capture_output=True).returncode:
        raise FatalError("the charts can't be built", next_step="run `make page`")
    found = []
    for _ in range(times):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        for style in PAGE.glob("assets/*.css"):
            page.add_style_tag(path=style)
        page.add_script_tag(path=folder / "charts/charts.js")
        small, large = (page.evaluate_handle("size => charts.viewOf(...size)", list(size)) for size in (SMALL, DRAWN))
        page.evaluate("view => charts.draw(view)", small)
        before = worked(session)
        page.evaluate("view => charts.draw(view)", large)
        found.append((worked(session) - before) / 1000)
        context.close()
    return found


def worked(session: CDPSession) -> float:
    """Milliseconds of processor time that the page's thread has taken: hardly more on a busy machine."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1000 * float(next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime"))


@contextmanager
def served(job: Played) -> Iterator[str]:
    """Where `hansa dashboard` serves the page."""
    if not (PAGE / "index.html").is_file():
        raise FatalError("the page isn't built", next_step="run `make page`")
    with serve(job.deployment, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        raise FatalError("chromium is not installed", next_step="run `apt-get install chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()
