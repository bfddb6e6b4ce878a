"""An account's page: what it earned, spent, was paid and can claim, with a wallet or without."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
from federations import look
from playwright.sync_api import expect
from stage_jobs import Stage, undone
from views import View, Views, amount_in, expect_amount
from wallet_stub import Purse

from hansa.cli.wallet.history import movements
from hansa.protocol.cid import to_cid
from hansa.runtime.snapshot import read_job


def card(view: View, job: int) -> Any:
    return view.page.locator("section.card", has=view.page.locator(f"h2 a[href='#/job/{job}']"))


@pytest.mark.parametrize("name", ["trainer-1", "validator-1"])
def test_earned__ends_at_the_sum_over_all_jobs(tour: View, scene: Stage, name: str) -> None:
    lab, account = scene.lab, scene.lab.address(name)
    truths = [
        read_job(lab.session.federation, lab.session.store, job) for job in (scene.daemons, scene.by_hand, scene.late)
    ]
    fees = [each.attendance(account).matched * each.context.terms.fee_per_seat for each in truths]
    earned = sum(each.earned(account) for each in truths) + sum(fees)
    tour.open(f"#/account/{account}")
    tour.see("Earned in all")
    assert earned > 0
    expect_amount(tour.page.locator(".card", has_text="Earned in all"), earned)
    rows = tour.page.locator("table", has=tour.page.get_by_text("Earned by time")).locator("tbody tr")
    rows.first.wait_for(state="attached")
    last = rows.last.locator("td").last.text_content() or ""
    expect(tour.page.locator(".figure").first).to_have_text(last)


def test_sponsor__sees_what_is_spent_and_what_it_got(tour: View, scene: Stage) -> None:
    lab = scene.lab
    tour.open(f"#/account/{lab.address('sponsor')}")
    tour.see("Taken back")
    dues = 0
    for job in (scene.daemons, scene.by_hand, scene.aborted, scene.late):
        books = lab.session.federation.books(job)
        part = card(tour, job)
        spent = books.escrowed - books.left - books.refunded
        expect_amount(part.locator("dt", has_text="Spent").locator(".."), spent)
        dues += books.left if lab.session.federation.state(job, lab.session.chain.head()).phase.is_over else 0
    assert dues > 0
    expect_amount(tour.page.locator(".claims"), dues)
    part, truth = card(tour, scene.daemons), look(lab)
    model = to_cid(truth.finalised[-1][1].model)
    expect(part.get_by_role("link", name="Qm")).to_have_attribute("href", f"#/verify/{model}")
    best = max(outcome.metric for _, outcome in truth.finalised)
    expect(part.locator("dt", has_text="Best").locator("..")).to_have_text(re.compile(rf"{best / 1e9:.3f}$"))
    tour.reads_well("sponsor")


def test_payments__of_one_transaction_are_one_line__with_the_sum_of_all(tour: View, scene: Stage) -> None:
    account = scene.lab.address("trainer-1")
    tour.open(f"#/account/{account}")
    tour.see("In all, from the vault")
    table = tour.page.get_by_role("region", name="Movements between this account and the vault")
    group = table.locator("tr", has_text="pay of rounds 1–2")
    whole = amount_in(group)
    group.get_by_role("button", name="pay of rounds").click()
    singles = table.locator("tr.quiet")
    expect(singles).to_have_count(2)
    assert sum(amount_in(single) for single in singles.all()) == whole
    with tour.page.expect_download() as got:
        tour.click("CSV for the books")
    rows = list(csv.DictReader(got.value.path().read_text().splitlines()))
    assert len(rows) == len(movements(scene.lab.session, account, None))
    assert sum(int(row["moved"]) for row in rows) == sum(
        row.moved for row in movements(scene.lab.session, account, None)
    )


def test_without_a_wallet__the_command_stands_there(tour: View, scene: Stage) -> None:
    account = scene.lab.address("trainer-2")
    page = tour.open(f"#/account/{account}")
    tour.see("To claim now")
    claims = page.locator(".claims")
    claims.get_by_text("ETH in fees").wait_for()
    expect(claims).to_contain_text(re.compile(r"about (<0\.0001|0\.\d+) ETH in fees"))
    expect(claims.get_by_role("button", name="Claim ")).to_have_count(0)
    claims.get_by_role("button", name="Copy command").click()
    claims.get_by_text("copied").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == f"hansa wallet claim --account {account}"


def test_account_without_a_job(tour: View) -> None:
    tour.open(f"#/account/0x{'12' * 20}")
    tour.see("takes part in no job yet")
    tour.see("No tokens have moved")


def test_wallet__that_changes_its_account_in_mid_claim__sends_nothing_more(views: Views, scene: Stage) -> None:
    """After the first of several transactions; the page says so, and what was paid."""
    account, other = scene.lab.address("trainer-2"), scene.lab.address("trainer-1")
    with undone(scene):
        mine = Purse(scene.url, [account])
        view = views.new(mine)
        view.open(f"#/account/{account}")
        view.click("Connect")
        claims = view.page.locator(".claims")
        claims.get_by_role("button", name="Claim ").wait_for()
        count = claims.locator(".note").count() - 1
        assert count > 1, "several transactions"
        view.page.evaluate(
            """other => new MutationObserver(() => {
              if (document.querySelector('.paid')) purses['Test Wallet'].emit('accountsChanged', [other])
            }).observe(document, { subtree: true, childList: true })""",
            other,
        )
        claims.get_by_role("button", name="Claim ").click()
        claims.get_by_text("The wallet has changed its account").wait_for()
        assert mine.asked.count("eth_sendTransaction") == 1
        claims.get_by_text("Paid", exact=True).wait_for()
        expect(claims.get_by_role("button", name="Claim ")).to_have_count(0)
        view.shot("changed-account-1280-light")
