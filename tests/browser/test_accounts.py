"""Accounts: their names, which stay in the browser, the field that finds them, what each earned and can claim."""

from __future__ import annotations

import csv
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from federations import look
from playwright.sync_api import expect
from stage_jobs import Stage
from views import NUMBERS, TOO_WIDE, View, Views, amount_in
from wallet_stub import Purse

from hansa.cli.dashboard import serve
from hansa.cli.wallet.history import movements
from hansa.devnet.anvil import rpc
from hansa.protocol.cid import to_cid
from hansa.runtime.snapshot import read_job

SCREENS: list[tuple[int, Literal["light", "dark"]]] = [(1280, "light"), (1280, "dark"), (360, "dark"), (360, "light")]
SECRET = "Krankenhaus Süd"


@pytest.fixture(scope="module")
def keyed(scene: Stage) -> Iterator[str]:
    """Where `hansa dashboard` serves the page for a directory that holds everybody's keystores."""
    with serve(scene.lab.session.deployment, 0, scene.lab.workspace.keys) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def name_it(view: View, name: str) -> None:
    view.page.locator("main").get_by_role("button", name="Name 0x").first.click()
    view.page.get_by_label("Name", exact=True).fill(name)
    view.page.get_by_label("Name", exact=True).press("Enter")


def test_name__stands_wherever_the_account_does__and_leaves_the_browser_never(views: Views, scene: Stage) -> None:
    view = views.new()
    sent: list[str] = []
    view.page.on("request", lambda asked: sent.append(f"{asked.url} {asked.post_data} {asked.headers}"))
    account = scene.lab.address("trainer-1")
    view.open(f"#/account/{account}")
    view.see("did:ethr:")
    name_it(view, SECRET)
    expect(view.page.locator("h1")).to_contain_text(SECRET)
    expect(view.page).to_have_title(f"Account {SECRET} · Hansa")
    for route, ready in (
        (f"#/job/{scene.daemons}", "Model chain"),
        (f"#/job/{scene.daemons}/ledger", "Round by round"),
    ):
        view.open(route)
        view.see(ready)
        link = view.page.locator(f"main a[href='#/account/{account}']").first
        assert link.inner_text() == SECRET and link.get_attribute("title") == account
    view.page.reload()
    view.see("Round by round")
    assert view.page.locator(f"main a[href='#/account/{account}']").first.inner_text() == SECRET
    view.page.get_by_label("Find a job").fill("krankenhaus sud")
    view.page.keyboard.press("Enter")
    view.page.wait_for_url(f"**/#/account/{account}")
    assert len(sent) > 5
    assert [text for text in sent if "Krankenhaus" in text or "S%C3%BCd" in text or "S\\u00fcd" in text] == []
    assert json.loads(view.page.evaluate("localStorage['hansa.names']")) == {account: SECRET}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trainer-l", "looks like “trainer-1”"),
        ("x" * 10_240, "at most 40 characters"),
        ("a\u202eb", "only characters that can be seen"),
        ("0x3C44…93BC", "is how a job, an account or a file is called"),
    ],
)
def test_name__that_misleads_is_refused(tour: View, scene: Stage, name: str, said: str) -> None:
    tour.open(f"#/account/{scene.lab.address('trainer-1')}")
    tour.see("did:ethr:")
    tour.page.evaluate("localStorage.clear()")
    tour.page.reload()
    tour.see("did:ethr:")
    name_it(tour, "trainer-1")
    tour.open(f"#/account/{scene.lab.address('trainer-2')}")
    tour.see("did:ethr:")
    name_it(tour, name)
    tour.see(said)
    assert tour.axe() == []
    assert list(json.loads(tour.page.evaluate("localStorage['hansa.names']")).values()) == ["trainer-1"]


def test_name__is_text(views: Views, scene: Stage) -> None:
    view = views.new()
    view.open(f"#/account/{scene.lab.address('trainer-1')}")
    view.see("did:ethr:")
    name = "<script>document.title=3</script>"
    name_it(view, name)
    expect(view.page.locator("h1")).to_contain_text(name)
    assert view.page.locator("main script").count() == 0


def test_book__exported_and_imported_is_the_same(views: Views, scene: Stage, tmp_path: Path) -> None:
    names = {scene.lab.address("trainer-1"): "Rostock", scene.lab.address("validator-1"): 'Gdańsk "<b>"'}
    view = views.new()
    view.open("#/accounts")
    for account, name in names.items():
        view.page.get_by_label("Address", exact=True).fill(account.lower())
        view.page.get_by_label("Name", exact=True).fill(name)
        view.page.get_by_label("Name", exact=True).press("Enter")
        view.page.get_by_role("link", name=name).wait_for()
    with view.page.expect_download() as got:
        view.click("Export")
    file = tmp_path / "names.json"
    file.write_bytes(got.value.path().read_bytes())
    assert json.loads(file.read_text()) == names
    other = views.new()
    other.open("#/accounts")
    other.see("No account has a name yet.")
    other.page.get_by_label("Import").set_input_files(file)
    other.see("The names of the file are in the book.")
    assert json.loads(other.page.evaluate("localStorage['hansa.names']")) == names
    for wrong in ("[]", '{"names": {}}', json.dumps({**names, scene.lab.address("sponsor"): "rostock"})):
        file.write_text(wrong)
        other.page.get_by_label("Import").set_input_files(file)
        other.see("Nothing was taken over.")
        assert json.loads(other.page.evaluate("localStorage['hansa.names']")) == names
    for width, scheme in SCREENS:
        other.turn(width, scheme)
        assert other.axe() == [] and other.page.evaluate(TOO_WIDE) == []
        assert other.page.evaluate("document.documentElement.scrollWidth") <= width
        other.shot(f"accounts-{width}-{scheme}")


def test_names_of_keystores__are_defaults(views: Views, scene: Stage, keyed: str) -> None:
    lab = scene.lab
    view = views.new()
    view.address = keyed
    view.hosts.add(keyed.removeprefix("http://").rstrip("/"))
    view.open(f"#/job/{scene.daemons}")
    view.see("Model chain")
    link = view.page.locator(f"main a[href='#/account/{lab.address('trainer-1')}']")
    assert link.first.inner_text() == "trainer-1"
    view.shot("named-1280-light")
    view.open(f"#/account/{lab.address('trainer-1')}")
    view.see("did:ethr:")
    name_it(view, "Rostock")
    view.page.locator("header").get_by_text("Rostock").wait_for()
    view.open("#/accounts")
    assert view.page.locator("tbody tr").count() == len(lab.names)
    view.page.get_by_role("link", name="sponsor").click()
    expect(view.page.locator("h1")).to_contain_text("sponsor")


@pytest.mark.parametrize("body", ["<html>", "[]", '{"0x12": "a"}', json.dumps({"accounts": [{"name": "a"}]})])
def test_names_of_another_schema__are_none(views: Views, scene: Stage, body: str) -> None:
    view = views.new()
    view.page.route("**/names.json", lambda route: route.fulfill(body=body))
    view.open("#/accounts")
    view.see("names.json: This is no book of names")
    view.see("No account has a name yet.")


def test_find__leads_everywhere(tour: View, scene: Stage) -> None:
    page = tour.open("#/")
    tour.see("Job 1")
    account, model = scene.lab.address("sponsor"), to_cid(scene.lab.posted.model)
    places = {
        f"{scene.by_hand}": f"#/job/{scene.by_hand}",
        account[2:]: f"#/account/{account}",
        "ab" * 32: "#/tx/0x" + "ab" * 32,
        model: f"#/verify/{model}",
    }
    for text, place in places.items():
        page.keyboard.press("/")
        expect(page.get_by_label("Find a job")).to_be_focused()
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{place}")
    page.get_by_label("Find a job").fill("Visby")
    page.keyboard.press("Enter")
    tour.see("Nothing here has this name")
    assert tour.axe() == []


def test_find__is_an_icon_on_a_telephone(views: Views) -> None:
    view = views.new(width=360)
    view.open("#/")
    view.see("Job 1")
    field = view.page.get_by_label("Find a job")
    box: Any = field.bounding_box()
    assert box["width"] <= 40
    view.page.locator(".find").click()
    expect(field).to_be_focused()
    wide: Any = field.bounding_box()
    assert wide["width"] > 250
    field.fill("Visby")
    field.press("Enter")
    view.see("Nothing here has this name")
    assert view.page.evaluate("document.documentElement.scrollWidth") <= 360 and view.page.evaluate(NUMBERS) == []
    view.shot("find-360-light")


def card(view: View, job: int) -> Any:
    return view.page.locator("section.card", has=view.page.get_by_role("heading", name=re.compile(rf"^Job {job}\b")))


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
    assert amount_in(tour.page.locator(".card", has_text="Earned in all")) == earned > 0
    rows = tour.page.locator("table", has=tour.page.get_by_text("Earned by time")).locator("tbody tr")
    rows.first.wait_for(state="attached")
    last = rows.last.locator("td").last.inner_text()
    assert tour.page.locator(".figure").first.inner_text() == last


def test_sponsor__sees_what_is_spent_and_what_it_got(tour: View, scene: Stage) -> None:
    lab = scene.lab
    tour.open(f"#/account/{lab.address('sponsor')}")
    tour.see("Taken back")
    dues = 0
    for job in (scene.daemons, scene.by_hand, scene.aborted, scene.late):
        books = lab.session.federation.books(job)
        part = card(tour, job)
        spent = books.escrowed - books.left - books.refunded
        assert amount_in(part.locator("dt", has_text="Spent").locator("..")) == spent
        dues += books.left if lab.session.federation.state(job, lab.session.chain.head()).phase.is_over else 0
    assert amount_in(tour.page.locator(".claims")) == dues > 0
    part, truth = card(tour, scene.daemons), look(lab)
    assert (
        part.get_by_role("link", name="Qm").get_attribute("href") == f"#/verify/{to_cid(truth.finalised[-1][1].model)}"
    )
    best = max(outcome.metric for _, outcome in truth.finalised)
    assert part.locator("dt", has_text="Best").locator("..").inner_text().endswith(f"{best / 1e9:.3f}")
    for width, scheme in SCREENS:
        tour.turn(width, scheme)
        assert tour.axe() == [] and tour.page.evaluate(TOO_WIDE) == [] and tour.page.evaluate(NUMBERS) == []
        assert tour.page.evaluate("document.documentElement.scrollWidth") <= width
        tour.shot(f"sponsor-{width}-{scheme}")


def test_payments__of_one_transaction_are_one_line__with_the_sum_of_all(tour: View, scene: Stage) -> None:
    account = scene.lab.address("trainer-1")
    tour.open(f"#/account/{account}")
    tour.see("In all, from the vault")
    table = tour.page.get_by_role("region", name="Movements between this account and the vault")
    group = table.locator("tr", has_text="pay of rounds 1–2")
    whole = amount_in(group)
    group.get_by_role("button", name="pay of rounds").click()
    singles = table.locator("tr.quiet")
    assert singles.count() == 2
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
    claims.get_by_text("transaction").wait_for()
    assert re.search(r"about (<0\.0001|0\.\d+) ETH in fees", claims.inner_text())
    assert claims.get_by_role("button", name="Claim ").count() == 0
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
    snapshot = rpc(scene.url, "evm_snapshot")
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
    assert claims.get_by_role("button", name="Claim ").count() == 0
    view.shot("changed-account-1280-light")
    rpc(scene.url, "evm_revert", snapshot)
