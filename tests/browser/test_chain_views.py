"""Transactions and blocks: in sentences that fit the chain, in few reads, and a link wherever one is named."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from stage_jobs import HOSTILE_TEXT, Stage, routes
from views import View, Views, expect_amount

from hansa.cli.wallet.history import movements
from hansa.devnet.anvil import rpc

if TYPE_CHECKING:
    from playwright.sync_api import Page

ACTS = ["joined", "posted", "sent an update", "acted as a validator", "closed round", "claimed", "took back", "ended"]
NOWHERE = "0x" + "5a" * 32
BARE = """() => {
  const found = []
  const walk = document.createTreeWalker(document.querySelector('#app'), NodeFilter.SHOW_TEXT)
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!node.parentElement.closest('pre') && /[0-9a-f]{64}/i.test(node.data)) found.push(node.data)
  }
  return found
}"""


@dataclass(frozen=True)
class Moved:
    block: int
    amount: int
    transaction: str


def moved(scene: Stage, name: str, kind: str) -> list[Moved]:
    """Movements of a party in the job that daemons ran."""
    lab, account = scene.lab, scene.lab.address(name)
    rows = [row for row in movements(lab.session, account, None) if row.kind == kind and row.job == scene.daemons]
    found = []
    for row in rows:
        place = {"address": lab.session.deployment.vault, "fromBlock": hex(row.block), "toBlock": hex(row.block)}
        logs = rpc(scene.url, "eth_getLogs", {**place, "topics": [None, None, "0x" + account[2:].lower().zfill(64)]})
        found.append(Moved(row.block, abs(row.amount), logs[0]["transactionHash"]))
    return found


def counted(view: View, scene: Stage) -> list[str]:
    """Methods that the page asks of the chain from now on, each call once."""
    asked: list[str] = []

    def handle(route: Any) -> None:
        calls = route.request.post_data_json
        for call in calls if isinstance(calls, list) else [calls]:
            asked.append(f"{call['method']} {json.dumps(call['params'])}")
        route.fallback()

    view.page.route(f"{scene.url}/**", handle)
    return asked


def test_claim__is_said_first__with_amount_block_fee_and_call(tour: View, scene: Stage) -> None:
    rows = moved(scene, "trainer-1", "RewardClaimed")
    [tx] = {row.transaction for row in rows}
    tour.open(f"#/account/{scene.lab.address('trainer-1')}")
    tour.page.locator(f'a[href="#/tx/{tx}"]').first.click()
    lead = tour.page.locator("p.lead", has_text="claimed").first
    lead.wait_for()
    expect_amount(lead, sum(row.amount for row in rows))
    expect(lead).to_have_text(re.compile(rf"claimed [\d.]+ HANSA from .*job {scene.daemons}, rounds? 1"))
    receipt = rpc(scene.url, "eth_getTransactionReceipt", tx)
    block = int(receipt["blockNumber"], 16)
    facts = tour.page.locator(".facts")
    expect(facts.locator(f'a[href="#/block/{block}"]')).to_have_count(1)
    fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    shown = facts.locator(".amount").get_attribute("title") or ""
    assert shown.removesuffix(" ETH") == f"{fee / 10**18:.18f}".rstrip("0")[: len(shown) - 4]
    expect(facts).to_contain_text(f"{int(receipt['gasUsed'], 16):,} gas")
    expect(tour.page.get_by_text(re.compile(r"(Vault|Federation)\.\w+\("))).to_have_count(1)
    tour.page.get_by_text("All fields").click()
    expect(tour.page.locator("pre")).to_contain_text(tx)
    tour.reads_well("transaction")


def test_block__says_what_its_transactions_did(tour: View, scene: Stage) -> None:
    row = moved(scene, "trainer-1", "Bonded")[0]
    tour.open(f"#/block/{row.block}")
    lead = tour.see(f"joined job {scene.daemons} with a bond of")
    expect_amount(lead, row.amount)
    expect(tour.page.locator(f'a[href="#/tx/{row.transaction}"]')).to_have_count(1)
    tour.reads_well("block")
    tour.turn(1280, "light")
    tour.page.get_by_role("link", name=f"block {row.block - 1}", exact=True).click()
    expect(tour.page.get_by_role("heading", level=1)).to_have_text(f"Block {row.block - 1}")


def test_every_kind_of_event__has_a_sentence_without_a_gap(tour: View, scene: Stage) -> None:
    """The first block of each event that the jobs' contracts have sent."""
    known = scene.lab.session.deployment
    logs = rpc(scene.url, "eth_getLogs", {"address": [known.federation, known.vault], "fromBlock": "0x0"})
    firsts = {log["topics"][0]: int(log["blockNumber"], 16) for log in reversed(logs)}
    assert len(firsts) > 15
    said: set[str] = set()
    for number in sorted(set(firsts.values())):
        tour.open(f"#/block/{number}")
        expect(tour.page.get_by_role("heading", level=1)).to_have_text(f"Block {number}")
        tour.page.locator(".facts").wait_for()
        text = " ".join(tour.page.locator("main").inner_text().split())
        assert not re.search(r"undefined|null|NaN|[{}]|\btokens\b", text), text
        said |= set(re.findall("|".join(ACTS), text))
    assert said == set(ACTS)


def test_reads__three_for_a_transaction__two_for_a_block(views: Views, scene: Stage) -> None:
    row = moved(scene, "trainer-1", "Bonded")[0]
    view = views.new()
    view.open(f"#/tx/{row.transaction}")
    expect_amount(view.see("with a bond of"), row.amount)  # the token's name is known from here on
    asked = counted(view, scene)
    view.open(f"#/block/{row.block}")
    view.see("with a bond of")
    block = [call for call in asked if hex(row.block) in call]
    assert [call.split()[0] for call in block] == ["eth_getBlockByNumber", "eth_getLogs"]
    asked.clear()
    view.open(f"#/tx/{row.transaction}")
    view.see("Depth")
    transaction = [call for call in asked if row.transaction in call or hex(row.block) in call]
    assert [call.split()[0] for call in transaction] == [
        "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getBlockByNumber",
    ]  # fmt: skip
    view.page.wait_for_timeout(5000)  # two looks at the chain's head later
    assert len([call for call in asked if row.transaction in call]) == 2


def test_what_is_not_ours__or_not_there(views: Views, scene: Stage) -> None:
    view = views.new()
    sender, receiver = scene.lab.address("sponsor"), scene.lab.address("trainer-2")
    tx = rpc(scene.url, "eth_sendTransaction", {"from": sender, "to": receiver, "value": "0x1"})
    view.until(lambda: rpc(scene.url, "eth_getTransactionReceipt", tx) is not None, "receipt")
    view.open(f"#/tx/{tx}")
    view.see("not of this federation")
    expect(view.page.locator(".facts").get_by_text(f"{receiver[:6]}…{receiver[-4:]}")).to_have_count(1)
    view.shot("transaction-foreign-1280-light")
    view.open(f"#/tx/{NOWHERE}")
    view.see("This chain has no such transaction")
    view.open("#/block/99999999")
    view.see("This chain has no block 99999999")
    for nonsense in ("#/tx/0x12", f"#/tx/{NOWHERE}00", "#/block/-1", "#/block/x", "#/tx/<img src=x>"):
        view.open(nonsense)
        view.see("There is no such page")


def with_explorer(view: View, explorer: object) -> None:
    """deployment.json with an explorer in it."""

    def handle(route: Any) -> None:
        fetched = route.fetch()
        route.fulfill(response=fetched, body=json.dumps({**fetched.json(), "explorer": explorer}))

    view.page.route("**/deployment.json", handle)


def test_explorer__is_linked_where_the_deployment_names_one(views: Views, scene: Stage) -> None:
    row = moved(scene, "trainer-1", "Bonded")[0]
    plain, view = views.new(), views.new()
    plain.open(f"#/tx/{row.transaction}")
    plain.see("Depth")
    expect(plain.page.get_by_text("explorer")).to_have_count(0)
    with_explorer(view, "https://explorer.test/net/")
    view.open(f"#/tx/{row.transaction}")
    link = view.page.get_by_role("link", name="Open in the explorer")
    expect(link).to_have_attribute("href", f"https://explorer.test/net/tx/{row.transaction}")
    expect(link).to_have_attribute("rel", "noreferrer")


NO_SITES = [
    "http://explorer.test", "javascript:alert(1)//https://", "https://me:word@explorer.test", "https://explorer.test/?q=",
    "https://", 7,
]  # fmt: skip


@pytest.mark.parametrize("explorer", NO_SITES)
def test_explorer__that_is_no_site_by_https__is_refused(views: Views, explorer: object) -> None:
    view = views.new()
    with_explorer(view, explorer)
    view.open("#/")
    view.see("explorer is missing, or makes no sense")
    expect(view.page.get_by_role("link")).to_have_count(0)


def settled(page: Page) -> None:
    page.locator("h1").first.wait_for()
    page.wait_for_timeout(400)


def test_no_hash_stands_bare(tour: View, scene: Stage) -> None:
    tx = moved(scene, "trainer-1", "Bonded")[0].transaction
    more = {
        "tx": f"#/tx/{tx}",
        "block": f"#/block/{int(rpc(scene.url, 'eth_getTransactionByHash', tx)['blockNumber'], 16)}",
        "join": f"#/job/{scene.hostile}/join",
        "nothing": f"#/tx/{NOWHERE}",
    }
    for name, route in {**routes(scene), **more}.items():
        page = tour.open(route)
        settled(page)
        assert page.evaluate(BARE) == [], route
        if name in ("round", "ledger", "account", "block"):
            page.locator('main a[href^="#/tx/"]').first.wait_for(state="attached")


def test_title_of_a_stranger__is_text_in_a_sentence(tour: View, scene: Stage) -> None:
    tour.open(f"#/job/{scene.hostile}")
    tour.see("The terms in words")
    place = {"address": scene.lab.session.deployment.federation, "fromBlock": "0x0"}
    logs = rpc(scene.url, "eth_getLogs", place)
    posted = next(log for log in logs if int(log["topics"][1], 16) == scene.hostile)
    tour.open(f"#/tx/{posted['transactionHash']}")
    expect_amount(tour.see("in escrow"), scene.lab.session.federation.books(scene.hostile).escrowed)
    assert "\u202e" in HOSTILE_TEXT
    expect(tour.page.locator("main")).not_to_contain_text("\u202e")
    expect(tour.page.locator("main img, main script")).to_have_count(0)


def test_node_that_answers_for_some_jobs_alone(views: Views, scene: Stage) -> None:
    """What it does not answer for hides no other job's page."""
    view = views.new(may_fail=True)

    def handle(route: Any) -> None:
        asked = route.request.post_data_json
        calls = asked if isinstance(asked, list) else [asked]
        fetched = route.fetch()
        found = fetched.json()
        answers = {one["id"]: one for one in (found if isinstance(found, list) else [found])}
        for call in calls:
            data = call["params"][0].get("data", "") if call["method"] == "eth_call" else ""
            if data[10:74] == f"{scene.by_hand:064x}":
                answers[call["id"]] = {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": "no"}}
        done = list(answers.values())
        route.fulfill(response=fetched, body=json.dumps(done if isinstance(found, list) else done[0]))

    view.page.route(f"{scene.url}/**", handle)
    view.open(f"#/job/{scene.by_hand}/join")
    view.see("The RPC node answers nonsense")
    view.open(f"#/job/{scene.hostile}/join")
    view.see("Join this job")
    row = moved(scene, "trainer-1", "Bonded")[0]
    view.open(f"#/tx/{row.transaction}")
    view.see("with a bond of")
