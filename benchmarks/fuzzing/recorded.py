"""What was recorded of jobs, for inputs to begin with: events, answers, an archive."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from hansa.audit.archive import Archive
from hansa.audit.facts import Facts
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import BadEncoding
from hansa.runtime.chain.blocks import Log, read_log

ROOT: Final = Path(__file__).parents[2]


ARCHIVE: Final = ROOT / "tests" / "vectors" / "job-1.hansa"


RECORDED: Final = ROOT / "dashboard" / "test" / "jobs"


ALICE: Final = Account.from_key("0x" + "a1" * 32)


FEDERATION: Final = Address("0x" + "22" * 20)


def as_json(data: bytes) -> Any:
    """What a node's answer is before anybody looks at it; what is no JSON is the endpoint's to refuse."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


@cache
def recorded(name: str = "demo") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return found


@cache
def node_logs() -> list[dict[str, Any]]:
    names = ("blockNumber", "logIndex", "address", "topics", "data")
    events = [
        dict(zip(names, event[:5], strict=True)) for job in ("demo", "shares") for event in recorded(job)["events"]
    ]
    return [
        {
            **one,
            "blockNumber": hex(one["blockNumber"]),
            "logIndex": hex(one["logIndex"]),
            "transactionHash": "0x" + "ef" * 32,
        }
        for one in events
    ]


@cache
def kinds() -> list[dict[str, Any]]:
    """One event of each kind."""
    return list({log["topics"][0]: log for log in node_logs()}.values())


@cache
def of_shares() -> list[dict[str, Any]]:
    return node_logs()[len(recorded("demo")["events"]) :]


@cache
def facts() -> Facts:
    with Archive.open(ARCHIVE) as archive:
        return archive.facts


def log_of(data: bytes) -> Log:
    said = as_json(data)
    if not isinstance(said, dict):
        raise BadEncoding("no event")
    return read_log({"blockNumber": "0x1", "logIndex": "0x0", "address": FEDERATION, **said})
