"""Who decides, who may train, and who an account is: said for every kind of contract, by a script that comes last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from decider_jobs import KEY, LEAST, LONG_KEY, OTHER_KEY, STAKES, TOKEN, Deciders, deciders
from playwright.sync_api import expect
from views import View, Views, served

from hansa.protocol.did import did_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = "**/late-*.js"


@pytest.fixture(scope="module")
def jobs(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deciders]:
    with deciders(tmp_path_factory.mktemp("deciders")) as played:
        yield played


@pytest.fixture(scope="module")
def address(jobs: Deciders) -> Iterator[str]:
    with served(jobs.lab.session.deployment) as address:
        yield address


@pytest.fixture
def views(browser: Browser, jobs: Deciders, address: str) -> Iterator[Views]:
    opened = Views(browser, address, jobs.url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tab(browser: Browser, jobs: Deciders, address: str) -> Iterator[View]:
    opened = Views(browser, address, jobs.url)
    yield opened.new()
    opened.close()


def short(account: str) -> str:
    return f"{account[:6]}…{account[-4:]}"


def card(view: View, title: str) -> Any:
    return view.page.locator("section", has=view.page.get_by_role("heading", name=title))


@pytest.mark.parametrize(
    ("kind", "decides", "admits"),
    [
        (
            "staked",
            r"3 validators, drawn by stake from a pool, anew in every attempt\.",
            r"Anybody who pays the bond may train\.",
        ),
        (
            "hybrid",
            r"3 validators: 1 named beforehand, the same in every attempt, and 2 drawn by stake from a pool",
            r"Only who has a reputation of 0\.300 or more by the last settled round of job 1 may train\. .* joins\.",
        ),
        (
            "coupled",
            r"3 validators, drawn from the job’s own trainers, each as likely as any other, anew in every attempt\.",
            r"Only who has a valid credential of schema “participant” from .* or .* may train\. .* of its updates\.",
        ),
        ("unknown", r"A contract this page doesn’t know fills the committee: 0x", r"this page doesn’t know says who"),
    ],
)
def test_overview__says_who_decides_and_who_may_train(
    tour: View, jobs: Deciders, kind: str, decides: str, admits: str
) -> None:
    tour.open(f"#/job/{getattr(jobs, kind)}")
    said = card(tour, "Who decides, and who may train").locator("li")
    expect(said).to_have_text([re.compile(decides), re.compile(admits)])
    if kind in ("coupled", "unknown"):
        tour.reads_well(f"decides-{kind}")


def test_pool__stakes_parts_of_the_draw_and_what_each_has_done(tour: View, jobs: Deciders) -> None:
    tour.open(f"#/job/{jobs.staked}/validators")
    part = card(tour, "Who decides")
    expect(part).to_contain_text("2 of 3 must agree.")
    expect(part.locator(".facts")).to_contain_text(f"{LEAST} HANSA")
    rows = part.locator("tbody tr")
    expect(rows).to_have_count(len(STAKES))
    left, total = {**STAKES, "validator-2": 250}, sum(STAKES.values()) - 50
    for row, (name, tokens) in zip(rows.all(), left.items(), strict=True):
        stake = jobs.pool.stake_of(jobs.lab.address(name))
        assert stake.staked == tokens * TOKEN
        expect(row).to_contain_text(short(jobs.lab.address(name)))
        expect(row).to_contain_text(f"{tokens}.00")
        expect(row).to_contain_text(f"{100 * tokens / total:.1f} %")
        expect(row).to_contain_text("1 of 1")  # three stakers, three seats
        expect(row).to_contain_text("never")
    expect(rows.nth(1)).to_contain_text(re.compile(r"50\.00free from \d+ \w+ 20"))
    tour.reads_well("pool")


def test_hybrid__names_those_who_sit_in_every_attempt(tour: View, jobs: Deciders) -> None:
    tour.open(f"#/job/{jobs.hybrid}/validators")
    rows = card(tour, "Who decides").locator("tbody tr")
    expect(rows).to_have_text(
        [
            re.compile(rf"{short(jobs.lab.address('validator-1'))}.*named"),
            re.compile(rf"{short(jobs.lab.address('validator-2'))}.*20\.00.*100\.0 %"),
        ]
    )


def test_appointed__and_what_each_has_done(tour: View, jobs: Deciders) -> None:
    tour.open(f"#/job/{jobs.appointed}")
    said = card(tour, "Who decides, and who may train").locator("li")
    expect(said.first).to_have_text(re.compile(r"^3 validators, named by the sponsor: the same in every attempt\."))
    tour.open(f"#/job/{jobs.appointed}/validators")
    rows = card(tour, "Who decides").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="1 of 1")).to_have_count(3)


def test_account__its_identity_its_stake_and_who_vouches_for_it(tour: View, jobs: Deciders) -> None:
    lab, account = jobs.lab, jobs.lab.address("trainer-1")
    tour.open(f"#/account/{account}")
    part = card(tour, "Identity")
    expect(part).to_contain_text(did_of(lab.session.chain.chain_id, account))
    expect(part).to_contain_text("the account itself")
    expect(part).to_contain_text(re.compile(rf"{short(lab.address('trainer-2'))}.*until \d+ \w+ 20"))
    expect(part.get_by_title("0x" + KEY.hex(), exact=True)).to_be_visible()
    expect(part.get_by_title("0x" + OTHER_KEY.hex(), exact=True)).to_be_visible()
    expect(part).to_contain_text("The two differ")
    expect(part.locator(".command")).to_contain_text(f"hansa id key --account {account}")
    rows = card(tour, "Credentials").locator("tbody tr")
    expect(rows).to_have_text(
        [
            re.compile(r"valid$"),
            re.compile(r"replaced its issuer has issued a newer one, which counts in its place$"),
            re.compile(r"expired\s*$"),
            re.compile(rf"“participant”{short(lab.address('validator-3'))}.*revoked\s*$"),
            re.compile(rf"“participant”{short(lab.address('sponsor'))}.*valid$"),
        ]
    )
    tour.reads_well("identity")
    tour.turn(1280, "light")
    tour.open(f"#/account/{lab.address('validator-2')}")
    said = card(tour, "Staked").locator("p")
    expect(said).to_have_text(
        [
            re.compile(
                r"^250 HANSA staked, weight 250 among 3 stakers \(26\.3 % of the draw\).*; 50 HANSA leaving, free"
            ),
            re.compile(r"^20 HANSA staked, weight 20 among 1 staker \(100\.0 % of the draw\)"),
        ]
    )
    expect(card(tour, "Identity")).to_contain_text("none")


def test_key_of_ten_thousand_bytes__is_short_and_text(tour: View, jobs: Deciders) -> None:
    tour.open(f"#/account/{jobs.lab.address('trainer-2')}")
    part = card(tour, "Identity")
    expect(part).to_contain_text(f"0x{LONG_KEY.hex()[:4]}…{LONG_KEY.hex()[-4:]}")
    expect(part.locator("b")).to_have_count(0)
    tour.turn(360, "light")
    assert tour.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_script_that_does_not_come__is_asked_for_again__and_nothing_else_breaks(views: Views, jobs: Deciders) -> None:
    view = views.new(may_fail=True)
    view.page.route(SCRIPT, lambda route: route.abort())
    view.open(f"#/job/{jobs.appointed}")
    view.see("A part of this page could not be loaded")
    view.see("The terms in words")
    expect(view.page.get_by_text("named by the sponsor")).to_have_count(0)
    assert view.axe() == []
    view.shot("late-1280-light")
    view.page.unroute(SCRIPT)
    view.click("Try again")
    view.see("named by the sponsor")
    expect(view.page.get_by_text("could not be loaded")).to_have_count(0)


def test_first_sight__waits_for_none_of_it(views: Views, jobs: Deciders) -> None:
    """The script comes when all the rest is drawn, and asks little; the front page does without."""
    view = views.new()
    asked: list[str] = []

    def note(route: Any) -> None:
        body = route.request.post_data_json
        asked.extend(call["method"] for call in (body if isinstance(body, list) else [body]))
        route.fallback()

    view.page.route(f"{jobs.url}/**", note)
    view.page.route(SCRIPT, lambda route: asked.append("script") or route.fallback())  # type: ignore[func-returns-value]
    view.open("#/")
    view.see("Job 1")
    assert "script" not in asked and asked.count("eth_call") <= 45
    view.open(f"#/job/{jobs.appointed}")
    view.see("named by the sponsor")
    later = asked[asked.index("script") :]
    assert asked.index("eth_getCode") > asked.index("eth_getLogs") and later.count("eth_getCode") == 2
