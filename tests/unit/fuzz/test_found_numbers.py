"""Faults that fuzzing found, one test each: numbers of more digits than any, or that are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from hansa.cli.serving import chosen_jobs
from hansa.cli.unit_option import read_unit
from hansa.protocol.errors import FatalError
from hansa.runtime.amounts import Token
from hansa.runtime.chain.dialects import parse_confirmations
from hansa.runtime.http import checked_url
from hansa.runtime.metrics_server import parse_address
from hansa.runtime.store.kubo import NodeFacts
from hansa.runtime.store.pinning import PinningLimited, PinningService
from hansa.runtime.transactions.mempool import Underpriced
from hansa.sponsor.terms import seconds
from hansa.tasks.modules.device import find_device
from hansa.tasks.settings import Settings, parse_settings

LONG = "1" * 5000  # more digits than int() takes


def test_port_and_decimals__of_more_digits_than_any__are_refused_by_name() -> None:
    for port in (LONG, "0" * 5000, "123456", "65536", "²", "+1", " 1"):
        with pytest.raises(FatalError, match="--metrics .* is not an address"):
            parse_address(f"127.0.0.1:{port}")
    for decimals in (LONG, "0" * 5000, "123", "²", "-1", " 1"):
        with pytest.raises(FatalError, match="--unit .* is no unit"):
            read_unit(f"A:{decimals}")


@pytest.mark.parametrize(
    "read",
    [
        seconds,
        Token("0x").units,
        parse_confirmations,
        lambda text: chosen_jobs(None, text),
        lambda text: checked_url(f"http://a:{text}/", ("http",), "an address"),
        lambda text: Settings("heart", parse_settings([f"a={text}"])).integer("a", 1, low=1, high=9),
        lambda text: find_device(f"cuda:{text}"),
    ],
)
def test_number_of_an_option__of_more_digits_than_any__is_refused(read: Callable[[str], object]) -> None:
    with pytest.raises(FatalError):
        read(LONG)


# --- numbers that nodes and services say


@pytest.mark.parametrize("reason, tip", [("min tip 9e999", None), ("min tip 1.5e9", 1_500_000_000), ("too low", None)])
def test_tip_that_a_node_asks_for__without_end__is_none(reason: str, tip: int | None) -> None:
    assert Underpriced(reason).tip == tip


@pytest.mark.parametrize(
    "asked, wait", [("²", 60.0), (LONG, 60.0), ("86400", 600.0), ("7", 7.0), ("", 60.0), ("soon", 60.0)]
)
def test_wait_that_a_pinning_service_asks_for__is_a_number_or_the_usual(asked: str, wait: float) -> None:
    answer = requests.Response()
    answer.status_code, answer.headers["Retry-After"] = 429, asked
    refusal = PinningService("https://pins.example/", "token")._refusal(answer)
    assert isinstance(refusal, PinningLimited) and refusal.after == wait


def test_version_of_a_kubo_node__of_more_digits_than_any__is_too_old() -> None:
    assert NodeFacts(f"{LONG}.²", 0, 0).numbers == () < NodeFacts("0.35.0-rc1", 0, 0).numbers == (0, 35, 0)
