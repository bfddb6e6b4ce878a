"""The front page: every job with one thing to do, sums that are the vault's, and the way in for whoever comes first."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import expect
from stage_jobs import Stage
from views import TAB_STOPS, View, Views, expect_amount

from hansa.protocol.types import JobId


def test_totals__are_sums_of_the_books(views: Views, scene: Stage) -> None:
    federation = scene.lab.session.federation
    view = views.new()
    view.open("#/")
    totals = view.page.locator(".totals div")
    totals.first.wait_for()
    count = federation.job_count()
    books = [federation.books(JobId(job)) for job in range(1, count + 1)]
    rounds = sum(federation.state(JobId(job)).round - 1 for job in range(1, count + 1))
    expect_amount(totals.nth(0), sum(each.booked for each in books))
    expect_amount(totals.nth(1), sum(each.left for each in books))
    expect(totals.nth(2).locator("dd")).to_have_text(str(rounds))


def test_front__says_what_this_is_once(views: Views) -> None:
    """Claim and doors at the first visit; then a line that opens them again."""
    view = views.new()
    page = view.open("#/")
    view.see("Be paid for what you add.")
    expect(page.locator(".doors a")).to_have_count(3)
    page.reload()
    view.see("What is this?")
    expect(page.locator(".doors")).to_have_count(0)
    view.click("What is this?")
    page.get_by_role("link", name="I have data").click()
    expect(page.get_by_role("button", name="Open", exact=False).first).to_have_attribute("aria-pressed", "true")
    view.shot("front-open-1280-light")


def test_rows__one_action_each__and_filters_with_counts(views: Views, scene: Stage) -> None:
    federation = scene.lab.session.federation
    view = views.new()
    page = view.open("#/")
    view.see("Get the model")
    count = federation.job_count()
    rows = page.locator(".jobs > li")
    expect(rows).to_have_count(count)
    for row in rows.all():
        expect(row.locator(".end a")).to_have_count(1)
    by_job = {job: rows.filter(has_text=f"Job {job} ·") for job in range(1, count + 1)}
    expect(by_job[scene.daemons].locator(".end")).to_have_text(re.compile("^Get the model"))
    expect(by_job[scene.hostile].locator(".end a")).to_have_attribute("href", f"#/job/{scene.hostile}/join")
    expect(by_job[scene.aborted].locator(".end")).to_have_text(re.compile("^See why"))
    expect(by_job[scene.daemons].locator("svg.spark")).to_have_count(1)
    phases = [federation.state(JobId(job)).phase for job in range(1, count + 1)]
    over = sum(phase.is_over for phase in phases)
    page.get_by_role("button", name=f"Over {over}").click()
    expect(rows).to_have_count(over)
    assert view.page.evaluate(TAB_STOPS) <= 120


def test_over_jobs__are_not_asked_for_again(views: Views, scene: Stage) -> None:
    """Of each next block the page asks how many jobs there are, and for state and books of those that go on."""
    federation = scene.lab.session.federation
    running = sum(not federation.state(JobId(job)).phase.is_over for job in range(1, federation.job_count() + 1))
    view = views.new()
    asked: list[list[Any]] = []

    def note(route: Any) -> None:
        body = json.loads(route.request.post_data or "[]")
        asked.append(body if isinstance(body, list) else [body])
        route.continue_()

    view.page.route(f"{scene.url}/**", note)
    view.open("#/")
    view.see("Get the model")
    blocks = lambda: sum(one["method"] == "eth_chainId" for batch in asked for one in batch)  # noqa: E731
    view.until(lambda: blocks() > 2, "next look")
    start, first = blocks(), len(asked)
    view.until(lambda: blocks() >= start + 5, "five more looks")
    calls = sum(one["method"] == "eth_call" for batch in asked[first:] for one in batch)
    assert 0 < calls <= (blocks() - start + 1) * (1 + 2 * running)


def test_node_down__rows_stay_with_their_block(views: Views, scene: Stage) -> None:
    view: View = views.new(may_fail=True)
    view.open("#/")
    view.see("Get the model")
    view.page.route(f"{scene.url}/**", lambda route: route.abort())
    view.see("The RPC node does not answer")
    view.see("As of block")
    view.page.locator(".jobs.old > li").first.wait_for()


def test_store_down__rows_say_that_a_task_is_not_readable(views: Views, scene: Stage) -> None:
    view = views.new(may_fail=True)
    view.page.route("**/ipfs/**", lambda route: route.abort())
    view.open("#/")
    view.see("not readable")
    view.page.unroute("**/ipfs/**")
    view.click("Try again")
    view.page.get_by_text("not readable").wait_for(state="detached")
