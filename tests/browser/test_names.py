"""Names of accounts, which stay in the browser, and the field that finds them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from stage_jobs import Stage
from views import NUMBERS, View, Views

from hansa.cli.dashboard import serve
from hansa.protocol.cid import to_cid

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
        (f"#/job/{scene.daemons}", "The terms in words"),
        (f"#/job/{scene.daemons}/ledger", "Round by round"),
    ):
        view.open(route)
        view.see(ready)
        link = view.page.locator(f"main a[href='#/account/{account}']").first
        expect(link).to_have_text(SECRET)
        expect(link).to_have_attribute("title", account)
    view.page.reload()
    view.see("Round by round")
    expect(view.page.locator(f"main a[href='#/account/{account}']").first).to_have_text(SECRET)
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
    expect(view.page.locator("main script")).to_have_count(0)


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
    other.reads_well("accounts")


def test_names_of_keystores__are_defaults(views: Views, scene: Stage, keyed: str) -> None:
    lab = scene.lab
    view = views.new()
    view.address = keyed
    view.hosts.add(keyed.removeprefix("http://").rstrip("/"))
    view.open(f"#/job/{scene.daemons}")
    view.see("The terms in words")
    link = view.page.locator(f"main a[href='#/account/{lab.address('trainer-1')}']")
    expect(link.first).to_have_text("trainer-1")
    view.shot("named-1280-light")
    view.open(f"#/account/{lab.address('trainer-1')}")
    view.see("did:ethr:")
    name_it(view, "Rostock")
    view.page.locator("header").get_by_text("Rostock").wait_for()
    view.open("#/accounts")
    expect(view.page.locator("tbody tr")).to_have_count(len(lab.names))
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
        expect(page.locator("#content")).to_be_focused()  # the field is left once the place is shown
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
