"""The wallet: connect, claim, post and stop, and everything that a wallet may answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from playwright.sync_api import expect
from stage_jobs import Hands, Stage, undone
from views import View, Views, amount_in, expect_amount
from wallet_stub import Purse

from hansa.protocol.cid import to_cid
from hansa.protocol.types import Phase
from hansa.runtime.chain.abi import artifact
from hansa.runtime.chain.calls import Call


@pytest.fixture(autouse=True)
def taken_back(scene: Stage) -> Iterator[None]:
    """What a test sends."""
    with undone(scene):
        yield


def purse(scene: Stage, name: str = "trainer-1", **traits: object) -> Purse:
    return Purse(scene.url, [scene.lab.address(name)], **traits)  # type: ignore[arg-type]


def connected(views: Views, mine: Purse, route: str = "#/") -> View:
    view = views.new(mine)
    view.open(route)
    view.click("Connect")
    return view


def test_claim__two_clicks_one_confirmation_exact_amount(views: Views, scene: Stage) -> None:
    mine = purse(scene)
    view = views.new(mine)
    federation, token = scene.lab.session.federation, scene.lab.session.deployment.token
    me = scene.lab.address("trainer-1")
    view.open("#/")
    view.see("Job 1")
    view.click("Connect")
    shown = sum(leaf.pay for leaf in scene.payouts.leaves if leaf.trainer == me)
    assert shown > 0
    expect_amount(view.see("Claimable:").locator(".."), shown)
    before = federation.token_balance(token, me)
    view.click("Claim")
    view.page.get_by_text("Paid", exact=True).first.wait_for()
    expect_amount(view.page.locator(".paid"), shown)
    assert federation.token_balance(token, me) - before == shown
    assert mine.asked.count("eth_sendTransaction") == 1
    view.click("Show the token in the wallet")
    view.until(lambda: "wallet_watchAsset" in mine.asked, "a question to the wallet")
    assert view.axe() == []


def test_claim_bar__in_pictures(views: Views, scene: Stage) -> None:
    for width, scheme in ((1280, "light"), (360, "dark")):
        view = views.new(purse(scene), width=width, scheme=scheme)
        view.open("#/")
        view.click("Connect")
        view.see("Claimable:")
        assert view.page.evaluate("document.documentElement.scrollWidth") <= width
        view.shot(f"claim-{width}-{scheme}")


def test_user_declines__nothing_is_sent(views: Views, scene: Stage) -> None:
    mine = purse(scene, declines={"eth_requestAccounts"})
    view = connected(views, mine)
    view.see("You declined to connect")
    mine.declines = {"eth_sendTransaction"}
    view.click("Connect")
    view.click("Claim")
    view.see("You declined to claim")
    expect(view.page.get_by_role("button", name="Claim", exact=True)).to_be_enabled()


def test_wrong_chain__is_switched(views: Views, scene: Stage) -> None:
    mine = purse(scene, chain=1)
    view = connected(views, mine)
    view.see("Your wallet is on another network")
    view.shot("wrong-chain-1280-light")
    view.click("Switch network")
    view.page.get_by_text("Your wallet is on another network").wait_for(state="detached")
    assert "wallet_addEthereumChain" not in mine.asked


def test_unknown_chain__is_added(views: Views, scene: Stage) -> None:
    mine = purse(scene, chain=1, known={1})
    view = connected(views, mine)
    view.click("Switch network")
    view.page.get_by_text("Your wallet is on another network").wait_for(state="detached")
    assert mine.asked.count("wallet_addEthereumChain") == 1


def test_switch_declined__says_so(views: Views, scene: Stage) -> None:
    view = connected(views, purse(scene, chain=1, declines={"wallet_switchEthereumChain"}))
    view.click("Switch network")
    view.see("You declined to change the network")


def test_wallet_without_accounts(views: Views, scene: Stage) -> None:
    view = connected(views, Purse(scene.url, []))
    view.see("The wallet has no account")


def test_no_wallet__everything_is_readable(views: Views, scene: Stage) -> None:
    view = views.new()
    view.open("#/")
    view.click("Connect")
    view.see("No wallet was found in this browser")
    view.see("Job 1")


def test_two_wallets__are_chosen_from(views: Views, scene: Stage) -> None:
    first, second = purse(scene, chain=1), purse(scene, "trainer-2")
    first.name, second.name = "Wallet One", "Wallet Two"
    view = views.new(first, second)
    view.open("#/")
    view.click("Connect")
    view.see("Choose a wallet")
    assert view.axe() == []
    view.shot("two-wallets-1280-light")
    view.page.get_by_role("button", name=re.compile("Wallet Two")).click()
    view.see("Claimable:")
    assert first.asked == []
    expect(view.page.locator(".wallet")).to_contain_text(scene.lab.address("trainer-2")[-4:])


def test_claim_that_would_revert__is_not_sent(views: Views, scene: Stage) -> None:
    """The node answers the simulation as the vault does when a claim comes too late."""
    mine = purse(scene)
    view = connected(views, mine)
    view.see("Claimable:")
    late = keccak(text="Vault_TooLate(uint256,uint256)")[:4] + encode(["uint256", "uint256"], [scene.by_hand, 1])
    error = {"code": 3, "message": "execution reverted", "data": "0x" + late.hex()}

    def refuse(route: Any) -> None:
        asked = route.request.post_data_json
        calls = asked if isinstance(asked, list) else [asked]
        tried = {call["id"] for call in calls if call["method"] == "eth_call" and call["params"][1] == "pending"}
        if not tried:
            return route.fallback()
        answers = [{"jsonrpc": "2.0", "id": call["id"], "error": error} for call in calls]
        route.fulfill(json=answers if isinstance(asked, list) else answers[0])

    view.page.route(f"{scene.url}/**", refuse)
    view.click("Claim")
    view.see(f"The contracts would refuse: job {scene.by_hand} allowed it until 1 Jan 1970")
    assert "eth_sendTransaction" not in mine.asked


def test_account_and_chain_change__disconnect(views: Views, scene: Stage) -> None:
    mine = purse(scene)
    view = connected(views, mine)
    view.see("Claimable:")
    other = scene.lab.address("sponsor")
    view.page.evaluate("other => purses['Test Wallet'].emit('accountsChanged', [other])", other)
    view.see("Nothing to claim")
    view.page.evaluate("purses['Test Wallet'].emit('chainChanged', '0x1')")
    view.see("Your wallet is on another network")
    view.page.evaluate("purses['Test Wallet'].emit('accountsChanged', [])")
    view.page.get_by_role("button", name="Connect", exact=True).wait_for()


def test_disconnect(views: Views, scene: Stage) -> None:
    view = connected(views, purse(scene))
    view.see("Claimable:")
    view.click("Disconnect the wallet")
    view.page.get_by_text("Claimable:").wait_for(state="detached")
    view.page.get_by_role("button", name="Connect", exact=True).wait_for()


def test_post_a_job__then_stop_it(views: Views, scene: Stage) -> None:
    lab = scene.lab
    mine = purse(scene, "sponsor")
    view = connected(views, mine, "#/post")
    jobs = lab.session.federation.job_count()
    page = view.page
    page.get_by_label("CID of the spec").fill(to_cid(lab.posted.spec))
    page.get_by_label("CID of model 0").fill(to_cid(lab.posted.model))
    page.get_by_label("Committee contract").fill(lab.posted.committee)
    page.get_by_label("Validators that must agree").fill("1")
    view.see("Quorum: a whole number from 2 to 3")
    page.get_by_label("Validators that must agree").fill("2")
    page.get_by_label("Rounds", exact=True).fill("2")
    expect(page.locator(".total")).to_contain_text("230 HANSA")
    view.click("Approve and post")
    view.see(f"Job {jobs + 1} is posted")
    assert mine.asked.count("eth_sendTransaction") == 2
    assert lab.session.federation.books(jobs + 1).escrowed == 230 * 10**18
    page.get_by_role("link", name="Open it").click()
    view.click("Stop the job")
    view.click("Yes, stop it")
    view.see("Cancelled")
    assert lab.session.federation.state(jobs + 1).phase == Phase.CANCELLED


def test_time_to_claim_is_over__what_is_lost_and_what_is_not(views: Views, scene: Stage) -> None:
    """The second trainer's pay and the fees can only be burnt; its bond comes back all the same."""
    lab, job, federation = scene.lab, scene.late, scene.lab.session.federation
    me = lab.address("trainer-2")
    ends = federation.books(job).claim_until
    lab.wait_until(lambda: lab.session.chain.head().timestamp >= ends, 30.0, "the end of the time to claim")
    lost = next(leaf.pay for leaf in scene.late_payouts.leaves if leaf.trainer == me)
    books = federation.books(job)
    dust = lab.offer.reward - sum(leaf.pay for leaf in scene.late_payouts.leaves)
    assert books.booked - books.paid == lost + 3 * lab.offer.fee + dust > 0
    mine = purse(scene, "trainer-2")
    view = connected(views, mine, f"#/job/{job}")
    view.see("The time to claim ended at")
    expect_amount(view.see("that nobody claimed can only be burnt now"), books.booked - books.paid)
    view.shot("too-late-1280-light")
    view.see("Claimable:")
    expect(view.page.locator(".claimbar")).not_to_contain_text(f"job {job},")
    view.open(f"#/account/{me}")
    part = view.page.locator("section", has=view.page.locator(f"h2 a[href='#/job/{job}']"))
    card = view.page.locator(".claims")
    expect_amount(part.get_by_text("the end of the time to claim"), lost)
    part.get_by_text("Every round, one by one: 1 round").click()
    expect(part.get_by_text("too late", exact=True)).to_have_count(1)
    expect_amount(card.get_by_text(f"the bond of Job {job}"), lab.offer.bond)
    expect(card.get_by_text(re.compile(rf"pay of round [\d–, ]+ of Job {job}\b"))).to_have_count(0)
    due = amount_in(card)
    before = federation.token_balance(lab.session.deployment.token, me)
    card.get_by_role("button", name="Claim").click()
    card.get_by_text("Nothing now").wait_for()
    card.get_by_text("Paid", exact=True).wait_for()
    expect_amount(card.locator(".paid"), due)
    assert federation.token_balance(lab.session.deployment.token, me) - before == due
    view.page.locator("tr", has_text="bond back").filter(has_text=f"Job {job}").wait_for()
    expect(card.get_by_role("button", name="Claim")).to_have_count(0)
    Hands(lab).send(me, Call(federation.vault, artifact("Vault").functions["expire"].encode(job), "expire"))
    view.open(f"#/job/{job}")
    view.see("What nobody claimed is burnt.")
    assert federation.books(job).burnt == books.burnt + books.booked - books.paid
    view.open(f"#/job/{job}/ledger")
    view.see("The ledger adds up to what was paid")
    view.open(f"#/account/{lab.validators[0]}")
    part.get_by_text("the end of the time to claim").wait_for()
