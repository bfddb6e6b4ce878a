"""Chain and store that fail: the page says what, why, and what to do next."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect
from stage_jobs import Stage
from views import View, Views


def answer(view: View, scene: Stage, change: Callable[[str, Any], Any]) -> None:
    """Passes each answer of the RPC node through `change(method, result)`."""

    def handle(route: Any) -> None:
        asked = route.request.post_data_json
        fetched = route.fetch()
        found = fetched.json()
        calls = asked if isinstance(asked, list) else [asked]
        answers = found if isinstance(found, list) else [found]
        methods = {call["id"]: call["method"] for call in calls}
        for one in answers:
            if "result" in one:
                one["result"] = change(methods[one["id"]], one["result"])
        route.fulfill(response=fetched, body=json.dumps(found))

    view.page.route(f"{scene.url}/**", handle)


def test_rpc_down__from_the_start(views: Views, scene: Stage) -> None:
    view = views.new(may_fail=True)
    view.page.route(f"{scene.url}/**", lambda route: route.abort())
    view.open("#/")
    view.see("The RPC node does not answer")
    assert view.axe() == []
    view.shot("rpc-down-1280-light")


def test_rpc_down__what_was_read_stays__and_comes_back(views: Views, scene: Stage) -> None:
    view = views.new(may_fail=True)
    view.open("#/")
    view.see("Job 1")
    view.page.route(f"{scene.url}/**", lambda route: route.abort())
    view.see("The RPC node does not answer")
    expect(view.page.locator(".jobs > li", has_text="Job 1 ·")).to_be_visible()
    view.page.unroute(f"{scene.url}/**")
    view.page.get_by_text("The RPC node does not answer").wait_for(state="detached")


def test_rpc_that_answers_nonsense(views: Views, scene: Stage) -> None:
    view = views.new(may_fail=True)
    view.page.route(f"{scene.url}/**", lambda route: route.fulfill(body="<html>Welcome to the hotel's network</html>"))
    view.open("#/")
    view.see("The RPC node answers nonsense")


def test_rpc_that_hides_events(views: Views, scene: Stage) -> None:
    """A node that leaves out half of the logs is caught: the accumulators on chain don't fit."""
    view = views.new(may_fail=True)
    answer(view, scene, lambda method, result: result[::2] if method == "eth_getLogs" else result)
    view.open(f"#/job/{scene.daemons}")
    view.see("The RPC node answers nonsense")


def test_wrong_chain_behind_the_rpc(views: Views, scene: Stage) -> None:
    view = views.new(may_fail=True)
    answer(view, scene, lambda method, result: "0x5" if method == "eth_chainId" else result)
    view.open("#/")
    view.see("The RPC node is of another chain")


def test_chain_that_was_reset_under_the_page(views: Views, scene: Stage) -> None:
    view = views.new(may_fail=True)
    view.open("#/")
    view.see("Job 1")

    def younger(method: str, result: Any) -> Any:
        if method in ("eth_getBlockByNumber", "eth_getBlockByHash") and result:
            return {**result, "number": "0x1", "hash": "0x" + "ab" * 32}
        if method == "eth_blockNumber":
            return "0x1"
        return "0x" if method in ("eth_call", "eth_getCode") else result

    answer(view, scene, younger)
    view.see("The chain was reset")
    view.shot("reset-1280-light")


def test_chain_that_stands_still(views: Views, scene: Stage) -> None:
    old = hex(int(time.time()) - 90)
    view = views.new()
    answer(view, scene, lambda m, r: {**r, "timestamp": old} if m == "eth_getBlockByNumber" and r else r)
    view.open("#/")
    view.see("Last block 1 min")
    view.shot("stale-1280-light")


def test_store_down__the_chain_is_still_shown(views: Views, scene: Stage) -> None:
    view = views.new(may_fail=True)
    view.page.route("**/ipfs/**", lambda route: route.abort())
    view.open(f"#/job/{scene.daemons}/rounds")
    view.see("The ledger can't be worked out without the job's spec")
    view.see("Every attempt")
    view.page.locator(".timeline li").first.wait_for()
    view.shot("store-down-1280-light")
    view.open("#/verify/" + view.page.locator('a[href^="#/verify/"]').first.get_attribute("title"))
    view.see("The store does not answer")


def test_missing_file(views: Views) -> None:
    view = views.new(may_fail=True)
    view.open("#/verify/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKB2p9")
    view.see("The store does not have this file")
