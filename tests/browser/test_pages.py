"""What the pages show: equal to what the command line works out from the same chain, and readable by everybody."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pytest
from federations import look
from playwright.sync_api import expect
from stage_jobs import Stage, routes
from views import View, Views, expect_amount, units

from hansa.cli.wallet.history import movements
from hansa.cli.wallet.reasons import groups_of, told
from hansa.cli.wallet.trainer_receipt import trainer_receipt
from hansa.devnet.bootstrap import TOKENS_EACH
from hansa.protocol.cid import to_cid
from hansa.protocol.types import Digest
from hansa.runtime.amounts import Token
from hansa.runtime.deploy import SUPPLY

READY = {
    "jobs": "Job 1",
    "job": "Who contributes",
    "round": "The numbers behind the shares",
    "rounds": "Every attempt",
    "rounds-differ": "Every attempt",
    "validators": "A validator earns",
    "money": "Where the escrow is",
    "terms": "Model chain",
    "how": "Who needs to be trusted",
    "account": "did:ethr:",
    "verify": "The bytes are those",
    "post": "Files and committee",
}


@pytest.mark.parametrize("name", READY)
def test_page__reads_well_on_any_screen(tour: View, scene: Stage, name: str) -> None:
    """No serious finding of axe, nothing wider than the screen, no number that is long or of two lines; on a telephone
    no table scrolls sideways. Pictures in light and dark, desktop and 360 px."""
    tour.open(routes(scene)[name])
    tour.see(READY[name])
    if name == "account":
        tour.see("Bond held")
    tour.reads_well(name)


def test_ledger__equals_the_chain(views: Views, scene: Stage) -> None:
    """A dead trainer, a struck one, a failed cycle: the page's file has what the Python ledger has, to the unit."""
    truth = look(scene.lab)
    view = views.new()
    view.open(f"#/job/{scene.daemons}/ledger")
    view.see("The ledger adds up to what was paid")
    assert len(truth.rounds) > 1
    expect(view.page.get_by_text("equal to the vote")).to_have_count(len(truth.rounds))
    expect(view.page.get_by_text("differs from the vote")).to_have_count(0)
    expect(view.page.get_by_role("columnheader", name="News so far")).to_have_count(len(truth.rounds))
    with view.page.expect_download() as got:
        view.click("Download CSV")
    rows = list(csv.DictReader(got.value.path().read_text().splitlines()))
    assert len(rows) == len(truth.rounds) * len(truth.trainers)
    for trainer in truth.trainers:
        mine = [row for row in rows if row["trainer"] == trainer]
        leaves = [leaf for _, leaf in truth.leaves(trainer)]
        assert [(int(r["pay"]), r["strike"] == "true", int(r["reputation"])) for r in mine] == [
            (leaf.pay, bool(leaf.strike), leaf.reputation) for leaf in leaves
        ]
    dead = [row["verdict"] for row in rows if row["trainer"] == scene.lab.address("trainer-4")]
    assert dead[0] == "ok" and set(dead[1:]) == {"absent"}
    struck = [row["strike"] for row in rows if row["trainer"] == scene.lab.address("trainer-5")]
    assert "true" in struck
    for number, (cycle, _) in enumerate(truth.finalised, 1):
        for place, update in enumerate(cycle.updates):
            row = next(r for r in rows if r["trainer"] == update.trainer and int(r["round"]) == number)
            assert row["cid"] == to_cid(update.digest)
            judged = truth.rounds[number - 1].judgements[place]
            if row["verdict"] == "ok":
                assert (int(row["gain_1e9"]), int(row["news_1e9"])) == (judged.gain, judged.news)
            share = truth.rounds[number - 1].shares.get(update.trainer)
            if share is not None:
                assert [int(row[name]) for name in ("gain_so_far", "news_so_far", "all_gain", "all_news", "p")] == [
                    share.gain, share.news, share.all_gain, share.all_news, share.p,
                ]  # fmt: skip
    claimed = sum(int(row["claimed"] or 0) for row in rows)
    fees = sum(truth.attendance(m).matched for m in truth.members()) * truth.context.terms.fee_per_seat
    books = scene.lab.session.federation.books(scene.daemons)
    open_fees = sum(scene.lab.session.federation.fees(scene.daemons, m) for m in truth.members())
    assert claimed <= books.paid <= claimed + fees - open_fees


@pytest.mark.parametrize("name", ["trainer-1", "trainer-5", "validator-1", "sponsor"])
def test_movements__are_those_of_wallet_history(tour: View, scene: Stage, name: str) -> None:
    """Row by row, to the unit; and in all, what the account's balance has changed by."""
    lab, account = scene.lab, scene.lab.address(name)
    rows = movements(lab.session, account, None)
    kinds = {row.kind for row in rows}
    wanted = {
        "trainer-1": {"Bonded", "BondReturned", "RewardClaimed"},
        "trainer-5": {"Bonded", "Struck", "BondReturned"},
        "validator-1": {"FeesClaimed"},
        "sponsor": {"Deposited", "RestReturned", "Burnt"},
    }
    assert kinds >= wanted[name]
    tour.open(f"#/account/{account}")
    tour.see("In all, from the vault to this account")
    table = tour.page.get_by_role("region", name="Movements between this account and the vault")
    for group in table.locator(".opener").all():
        group.click()
    shown = table.locator("tbody tr").evaluate_all(
        """rows => rows.filter(row => !row.querySelector('.opener')).map(({ cells: [what, moved, job, when] }) => [
          what.innerText, moved.textContent, moved.querySelector('.amount').title, job.innerText,
          when.querySelector('time').title,
        ])"""
    )
    token = lab.session.token()
    assert shown == [
        [
            row.what,
            as_shown(row.amount, row.moved, token),
            f"{'−' if row.moved < 0 else ''}{token.text(abs(row.amount), places=token.decimals)}",
            f"Job {row.job}",
            f"{datetime.fromtimestamp(row.time, UTC):%Y-%m-%d %H:%M:%S} UTC",
        ]
        for row in reversed(rows)
    ]
    moved = sum(row.moved for row in rows)
    given = SUPPLY - TOKENS_EACH * (len(lab.names) - 1) if name == "sponsor" else TOKENS_EACH
    assert lab.session.federation.token_balance(lab.session.deployment.token, account) == given + moved
    expect_amount(tour.page.get_by_text("In all, from the vault"), moved)


def as_shown(amount: int, moved: int, token: Token) -> str:
    """Cut to hundredths."""
    cents = abs(amount) * 100 // 10**token.decimals
    text = f"{cents // 100:,}.{cents % 100:02}" if cents else "<0.01"
    signed = f"({text})" if not moved else f"+{text}" if moved > 0 else f"−{text}"
    return f"{signed} {token.symbol}"


@pytest.mark.parametrize("name", ["trainer-1", "trainer-4", "trainer-5"])
def test_account__says_why_this_much(tour: View, scene: Stage, name: str) -> None:
    """In groups of rounds, whose amounts are together what was earned; as `hansa wallet why` says it."""
    lab, account = scene.lab, scene.lab.address(name)
    truth = look(lab)
    groups = groups_of(trainer_receipt(truth.history, truth.rounds, account, None).rounds)
    assert {"trainer-1": "paid", "trainer-4": "absent", "trainer-5": "strike"}[name] in {group.kind for group in groups}
    tour.open(f"#/account/{account}")
    part = tour.page.locator("section", has=tour.page.locator(f"h2 a[href='#/job/{scene.daemons}']"))
    part.get_by_text("Why this much?").wait_for()
    expect(part.locator(".why li")).to_have_count(len(groups))
    shown = part.locator(".why li").all()
    said = [told(group, lab.session.token(), lambda address: f"{address[:6]}…{address[-4:]}") for group in groups]
    for item, text in zip(shown, said, strict=True):
        for part_of_it in (f"{text.title} in {text.rounds}: ", text.each, text.reason, text.remedy):
            expect(item).to_contain_text(part_of_it)
    exact = [item.locator(".amount").get_attribute("title") or "" for item in shown]
    assert sum(map(units, exact)) == truth.earned(account)
    part.get_by_text("Every round, one by one").click()
    expect(part.locator("tbody a[href*='/round/']")).to_have_count(len(truth.rounds))
    tour.shot(f"why-{name}-1280-light")


def test_verify__says_when_bytes_are_wrong(views: Views, scene: Stage) -> None:
    cid = to_cid(scene.lab.posted.model)
    view = views.new()
    view.page.route("**/ipfs/**", lambda route: route.fulfill(body=b"something else"))
    view.open(f"#/verify/{cid}")
    view.see("The store gave other bytes than the CID names")
    view.shot("verify-wrong-bytes-1280-light")


def test_verify__every_kind_of_file(tour: View, scene: Stage) -> None:
    lab, truth = scene.lab, look(scene.lab)
    kinds: dict[str, Digest] = {
        "A model": truth.finalised[0][1].model,
        "A job spec": lab.posted.spec,
        "A sealed update": truth.finalised[0][0].updates[0].digest,
        "A file of another kind": lab.session.store.put(bytes(600_000)),
    }
    for said, digest in kinds.items():
        tour.open(f"#/verify/{to_cid(digest)}")
        tour.see(f"{said}:")
    expect(tour.page.get_by_text("600,000 bytes in")).to_be_visible()


def test_keyboard__reaches_content_and_tables(views: Views) -> None:
    view = views.new()
    page = view.open("#/")
    view.see("Job 1")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#content :focus")).to_have_count(1)
    title = page.locator(".jobs h3 a").first
    for _ in range(12):
        page.keyboard.press("Tab")
        if title.evaluate("link => link === document.activeElement"):
            break
    expect(title).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/#/job/*")


def test_copy__gives_the_whole_address(tour: View, scene: Stage) -> None:
    page = tour.open(f"#/job/{scene.daemons}/validators")
    tour.see("A validator earns")
    page.locator("table .copy").first.click()
    page.get_by_text("copied").first.wait_for(state="attached")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied in scene.lab.validators


def test_theme__follows_the_button_and_stays(views: Views) -> None:
    view = views.new(scheme="light")
    page = view.open("#/")
    view.see("Job 1")
    root = page.locator("html")
    view.click("Dark colours")
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    view.see("Job 1")
    expect(root).to_have_attribute("data-theme", "dark")


def test_unknown_places__say_so(tour: View) -> None:
    tour.open("#/nowhere")
    tour.see("There is no such page")
    tour.open("#/account/0x12")
    tour.see("This is not an address")
    tour.open("#/account/0x15d34aAf54267DB7D7c367839AAf71A00a2C6A65")
    tour.see("Its checksum is wrong")
    tour.open("#/verify/xyz")
    tour.see("This is not a CID of Hansa")
