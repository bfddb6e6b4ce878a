"""Tabs of a browser, and what went wrong in them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import expect
from wallet_stub import Purse

from benchmarks.serving import serving
from hansa.cli.dashboard import serve
from hansa.runtime.chain.deployment import Deployment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "reports/screenshots"
AXE = ROOT / "dashboard/node_modules/axe-core/axe.min.js"
WAIT = 15_000  # ms
expect.set_options(timeout=WAIT)
WIDE, NARROW = 1280, 360  # px
SCREENS: list[tuple[int, Literal["light", "dark"]]] = [
    (WIDE, "light"), (WIDE, "dark"), (NARROW, "dark"), (NARROW, "light"),
]  # fmt: skip


NUMBERS = """() => {
  const found = []
  const walk = document.createTreeWalker(document.querySelector('#app'), NodeFilter.SHOW_TEXT)
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const around = node.parentElement
    if (around.closest('pre, .mono, [aria-expanded=true], svg, .visually-hidden')) continue
    if (/\\d\\.\\d{5,}/.test(node.data)) found.push(`long: ${node.data}`)
    for (const number of node.data.matchAll(/[+−<]*\\d[\\d,]*(\\.\\d+)?/g)) {
      const range = document.createRange()
      range.setStart(node, number.index)
      range.setEnd(node, number.index + number[0].length)
      const lines = new Set([...range.getClientRects()].map((line) => Math.round(line.top)))
      if (lines.size > 1) found.push(`wrapped: ${number[0]} in ${node.data}`)
    }
  }
  return found
}"""
TOO_WIDE = """() => [...document.querySelectorAll('body, .scroll')]
  .filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => `${box.getAttribute('aria-label') ?? 'body'}: ${box.scrollWidth} in ${box.clientWidth}`)"""
TAB_STOPS = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility()).length"""


def amount_in(place: Locator) -> int:
    """Smallest units of the first amount in a place, which is whole in its title. Waits for any amount."""
    return units(place.locator(".amount").first.get_attribute("title") or "")


def expect_amount(place: Locator, amount: int) -> None:
    """Waits until the first amount in a place is this one. amount: in smallest units."""
    whole, rest = divmod(abs(amount), 10**18)
    text = f"{'−' if amount < 0 else ''}{whole:,}.{rest:018}".rstrip("0").rstrip(".")
    expect(place.locator(".amount").first).to_have_attribute("title", f"{text} HANSA")


def units(text: str) -> int:
    """Smallest units of the first amount in a text."""
    found = re.search(r"([\d,]+)(?:\.(\d+))? HANSA", text)
    assert found is not None, text
    return int(found[1].replace(",", "") + (found[2] or "").ljust(18, "0"))


@contextmanager
def served(deployment: Deployment) -> Iterator[str]:
    """Where `hansa dashboard` serves the page of a deployment, while this is entered."""
    with serve(deployment, 0) as server, serving(server):
        yield f"http://127.0.0.1:{server.server_port}/"


@dataclass
class View:
    """One tab, and what it did."""

    page: Page
    address: str
    hosts: set[str]
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    may_fail: bool = False  # requests that fail, on purpose, are in the console too

    def open(self, route: str = "#/") -> Page:
        """Another route of the same tab is drawn when this returns: nothing of the one before is left."""
        self.page.goto(self.address + route)
        self.drawn()
        return self.page

    def drawn(self) -> None:
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def see(self, text: str) -> Locator:
        found = self.page.get_by_text(text).first
        found.wait_for(timeout=WAIT)
        return found

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click(timeout=WAIT)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits for something outside the page, while the page goes on."""
        end = time.monotonic() + WAIT / 1000
        while not holds():
            assert time.monotonic() < end, f"no {what} within {WAIT / 1000:.0f} s"
            self.page.wait_for_timeout(20)

    def turn(self, width: int, scheme: Literal["light", "dark"]) -> None:
        """The same page on another screen; waits until it is drawn."""
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.emulate_media(color_scheme=scheme)
        self.drawn()

    def reads_well(self, name: str) -> None:
        """In light and dark, on a desktop and a telephone: no serious finding of axe, no number that is long or wraps,
        nothing wider than the screen. Leaves a picture of each."""
        for width, scheme in SCREENS:
            self.turn(width, scheme)
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
            assert self.axe() == [], (width, scheme)
            assert self.page.evaluate(NUMBERS) == [], (width, scheme)
            if width == NARROW:
                assert self.page.evaluate(TOO_WIDE) == [], (width, scheme)
            self.shot(f"{name}-{width}-{scheme}")

    def axe(self) -> list[str]:
        """Serious and critical findings of axe."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        run = "axe.run(document, { resultTypes: ['violations'], preload: false }).then(found => found.violations)"
        worst = [item for item in self.page.evaluate(run) if item["impact"] in ("serious", "critical")]
        return [f"{item['id']}: {[node['html'][:120] for node in item['nodes'][:3]]}" for item in worst]

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


class Views:
    """Opens tabs; at the end says what went wrong in any."""

    def __init__(self, browser: Browser, address: str, rpc: str) -> None:
        self._browser = browser
        self._address = address
        self._hosts = {urlsplit(address).netloc, urlsplit(rpc).netloc}
        self._opened: list[tuple[BrowserContext, View]] = []

    def new(self, *purses: Purse, width: int = 1280, scheme: Any = "light", may_fail: bool = False) -> View:
        context = self._browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            reduced_motion="reduce",  # colours are measured when they have changed, not on the way
            permissions=["clipboard-read", "clipboard-write"],
        )
        page = context.new_page()
        page.set_default_timeout(WAIT)
        view = View(page, self._address, self._hosts, may_fail=may_fail)
        page.on("pageerror", lambda error: view.errors.append(str(error)))
        page.on("console", lambda said: view.errors.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: self._check(view, asked.url))
        for purse in purses:
            purse.give(page)
        self._opened.append((context, view))
        return view

    @staticmethod
    def _check(view: View, url: str) -> None:
        if url.startswith(("data:", "blob:")) or urlsplit(url).netloc in view.hosts:
            return
        view.strangers.append(url)

    def close(self) -> None:
        for context, _ in self._opened:
            context.unroute_all(behavior="ignoreErrors")  # answers under way end with their page
            for page in context.pages:
                page.unroute_all(behavior="ignoreErrors")
            context.close()
        assert [view.strangers for _, view in self._opened if view.strangers] == [], "requests to other hosts"
        assert [view.errors for _, view in self._opened if view.errors and not view.may_fail] == [], "console errors"
