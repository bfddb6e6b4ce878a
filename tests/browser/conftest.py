"""The page in a real browser, against a live chain.

Every test fails on a console error, or a request to another host.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from stage_jobs import Stage, stage
from views import View, Views, served

from hansa.cli.dashboard import PAGE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    if not (PAGE / "index.html").is_file():
        pytest.skip("the page is not built: make page")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture(scope="session")
def address(scene: Stage) -> Iterator[str]:
    """Where `hansa dashboard` serves the page."""
    with served(scene.lab.session.deployment) as address:
        yield address


@pytest.fixture(scope="module")
def tab(browser: Browser, scene: Stage, address: str) -> Iterator[View]:
    """One tab for all tests of a module that only look: page, axe and what was read stay in it."""
    opened = Views(browser, address, scene.url)
    yield opened.new()
    opened.close()


@pytest.fixture
def tour(tab: View) -> Iterator[View]:
    """That tab, as a desktop's in light; what goes wrong in a test is that test's."""
    tab.turn(1280, "light")
    yield tab
    wrong = [*tab.errors, *tab.strangers]
    tab.errors.clear()
    tab.strangers.clear()
    assert wrong == [], "console errors, or requests to other hosts"


@pytest.fixture
def views(browser: Browser, scene: Stage, address: str) -> Iterator[Views]:
    opened = Views(browser, address, scene.url)
    yield opened
    opened.close()
