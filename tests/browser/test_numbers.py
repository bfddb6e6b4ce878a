"""Amounts and charts of a long job: short on the page, whole on demand, few stops for the Tab key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from stage_jobs import Stage
from views import NUMBERS, TAB_STOPS, TOO_WIDE, View, Views

from benchmarks.page import served
from benchmarks.played import Size, played
from hansa.runtime.session import Session
from hansa.runtime.snapshot import FullSnapshot, read_job

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOST_STOPS = 120


@pytest.fixture(scope="module")
def season(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[View, FullSnapshot]]:
    """The overview of a job of 40 rounds, and what Python reads of it."""
    with played(tmp_path_factory.mktemp("season"), Size(4, 3, 40)) as job, served(job) as address:
        session = Session(job.deployment)
        opened = Views(browser, address, job.anvil.url)
        view = opened.new()
        view.open(f"#/job/{job.job}")
        view.see("Latest rounds")
        yield view, read_job(session.federation, session.store, job.job)
        opened.close()


def test_overview_of_40_rounds__has_few_tab_stops(season: tuple[View, FullSnapshot]) -> None:
    view, _ = season
    assert 20 < view.page.evaluate(TAB_STOPS) <= MOST_STOPS


def test_overview_of_40_rounds__fits_a_telephone(season: tuple[View, FullSnapshot]) -> None:
    view, _ = season
    view.turn(360, "light")
    assert view.page.evaluate(NUMBERS) == [] and view.page.evaluate(TOO_WIDE) == []
    view.shot("season-360-light")
    view.turn(1280, "light")
    view.shot("season-1280-light")


def test_arrow_keys__read_out_every_round(season: tuple[View, FullSnapshot]) -> None:
    """The drawing, its table and the chain say the same."""
    view, truth = season
    chart = view.page.get_by_role("slider", name="Each trainer’s part of a round’s pay")
    chart.focus()
    chart.press("Home")
    rows = view.page.locator("table", has=view.page.get_by_text("Each trainer’s part of a round’s pay")).locator("tr")
    shown = rows.evaluate_all("rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))")
    assert len(shown) == 1 + len(truth.rounds)
    for number, cells in enumerate(shown[1:], 1):
        assert cells[0] == str(number)
        leaves = {leaf.trainer: leaf.pay for leaf in truth.rounds[number - 1].leaves}
        total = sum(leaves.values())
        pays = [leaves.get(trainer, 0) for trainer in truth.trainers]
        for pay, part in zip(pays, cells[1:], strict=True):
            assert float(part.removesuffix(" %")) == pytest.approx(100 * pay / (total or 1), abs=0.0501)
        said = chart.get_attribute("aria-valuetext") or ""
        assert said.startswith(f"Round {number}: ")
        paid = [part for pay, part in zip(pays, cells[1:], strict=True) if pay]
        assert sorted(re.findall(r"[\d.]+ %", said)) == sorted(paid)  # "0 %" is in "20 %"
        expect(view.page.locator(".readout", has_text=said)).to_be_visible()
        chart.press("ArrowRight")
    chart.press("Tab")
    expect(view.page.locator(".chart .cross")).to_have_count(0)


def test_amount__pressed__shows_all_digits_and_copies_them(tour: View, scene: Stage) -> None:
    page = tour.open(f"#/account/{scene.lab.address('trainer-1')}")
    tour.see("Bond held")
    amount = page.locator("button.amount").first
    whole = (amount.get_attribute("title") or "").split()[0]
    assert len(whole.split(".")[1]) > 2
    expect(amount).not_to_contain_text(whole)
    amount.press("Enter")
    expect(amount).to_contain_text(whole)
    amount.get_by_text("copied").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == whole.replace(",", "")
    amount.press("Enter")
    expect(amount).not_to_contain_text(whole)


def test_favicon__is_a_file_of_the_page(tour: View) -> None:
    page = tour.open("#/")
    address = page.locator('link[rel="icon"]').evaluate("(link) => link.href")
    assert address.startswith(tour.address)
    answer = page.request.get(address)
    assert answer.ok and answer.headers["content-type"].startswith("image/svg+xml")
    expect(page).to_have_title("Hansa: jobs on " + page.locator("footer span").first.inner_text().split(" · ")[0])
