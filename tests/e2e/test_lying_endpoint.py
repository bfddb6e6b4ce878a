"""Every daemon's first endpoint lies and its second is honest: the job ends as if there were no liar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from federations import (
    TRAINERS,
    VALIDATORS,
    Undisturbed,
    attendance,
    check_once,
    events,
    federation,
    finish,
    models,
    pay,
)
from proxies import Answer, Proxy, failing, giving, proxy

ROUNDS = 2
TIP = 10**17  # wei a unit of gas
DENIALS = 30  # times that the contracts are denied: who denies them to the end stalls whoever asks it as a witness


def lies(node: Proxy) -> Answer:
    """What costs, stalls or ends a daemon that believes it: tips, counts, receipts, no funds, no contract."""
    asked = denied = 0

    def answer(request: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal asked, denied
        asked += 1
        match request["method"]:
            case "eth_maxPriorityFeePerGas" | "eth_gasPrice":
                return giving(hex(TIP))
            case "eth_getTransactionCount":
                return giving(hex(int(node.forward(request)["result"], 16) + 1000))
            case "eth_getTransactionReceipt":
                found = node.forward(request)["result"]
                return giving(found and {**found, "status": "0x0", "logs": []})
            case "eth_estimateGas" if asked % 2:
                return failing(-32000, "insufficient funds for gas * price + value")
            case "eth_getCode" | "eth_call" if asked % 3 == 0 and denied < DENIALS:
                denied += 1
                return giving("0x")
            case "eth_getLogs" if asked % 2:
                return giving(node.forward(request)["result"][:-1])
        return None

    return answer


@pytest.mark.slow
def test_first_endpoint_of_all_lies__the_job_ends_as_if_it_did_not(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with federation(tmp_path, rounds=ROUNDS) as lab, proxy(lab.anvil.url) as node:
        node.answer = lies(node)
        for worker in lab.workers.values():
            role = worker.arguments[0]
            deployment = role.fields["deployment"].updated(rpc=[node.url, lab.anvil.url])
            worker.arguments = (replace(role, fields={**role.fields, "deployment": deployment}),)
        lab.start_all()
        view = finish(lab, 200.0)
        check_once(lab)
        assert models(view) == undisturbed.models[:ROUNDS]
        for name in TRAINERS:
            assert pay(lab, view, name) == undisturbed.pay[name][:ROUNDS]
            assert view.strikes(lab.address(name)) == 0
        assert {name: attendance(lab, view, name) for name in VALIDATORS} == dict.fromkeys(VALIDATORS, (ROUNDS, 0, 0))
        assert {"eth_getTransactionReceipt", "eth_getLogs", "eth_estimateGas"} <= set(node.methods())
        assert any(event["event"] == "endpoints don't agree" for name in TRAINERS for event in events(lab, name))
