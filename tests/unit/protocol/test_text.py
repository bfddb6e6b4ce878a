"""Text that comes from strangers: whatever it is, it is seen as text and nothing more."""

from __future__ import annotations

import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from nodes import block_of, chain_of
from rich.console import Console

from hansa.cli.command import report_failures
from hansa.protocol.errors import FatalError
from hansa.protocol.text import UNSEEN, carries_secret, counted, escape_untrusted, numbered, redact
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact
from hansa.runtime.session import read_token

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "text.json").read_text())
NASTY = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b\r\n\x08\u202e[]/\\:a"))).map(
    lambda text: text.replace("a", "[/a")
)
HOSTILE = "\x1b]0;PWNED\x07\x1b[31mEVIL\x9b31m \u202egnp.exe [link=http://evil]x[/link] [/nope]"


@given(NASTY)
def test_visible__holds_no_character_that_is_not_seen(text: str) -> None:
    assert [char for char in escape_untrusted(text) if unicodedata.category(char) in UNSEEN] == []


@given(NASTY, st.integers(1, 40))
def test_visible__is_bounded(text: str, most: int) -> None:
    assert len(escape_untrusted(text, most)) <= 10 * most + 30
    if len(text) <= most:
        assert escape_untrusted(escape_untrusted(text, most)) == escape_untrusted(text, most), (
            "what it gave it leaves as it is"
        )


@given(NASTY, NASTY)
def test_visible__is_no_markup__whatever_stands_around_it(one: str, other: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=10**6, emoji=False, highlight=False, soft_wrap=True)
    shown = f"{escape_untrusted(one)} a {escape_untrusted(other)}] b/{escape_untrusted(one)}"
    console.print(f"[bold]{shown}[/] {shown}")
    assert out.getvalue() == f"{shown} {shown}\n"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred", "\\u{1b}[31mred"),
        ("\x9bé\u202e", "\\u{9b}é\\u{202e}"),
        ("[red]a[/]", "\\u{5b}red]a\\u{5b}/]"),
        ("C:\\", "C:\\u{5c}"),
        ("[1, 2] [Errno 2]", "[1, 2] [Errno 2]"),
    ],
)
def test_visible__of_known_text(text: str, seen: str) -> None:
    assert escape_untrusted(text) == seen


@pytest.mark.parametrize(("text", "seen"), CASES)
def test_visible__as_the_page_shows_it(text: str, seen: str) -> None:
    assert escape_untrusted(text) == seen
    assert seen.replace("❤", "").isprintable()


def test_visible__too_long__says_how_long() -> None:
    assert escape_untrusted("abcdef", 3) == "abc… (6 characters)"


@pytest.mark.parametrize("error", [FatalError(HOSTILE, cause=HOSTILE, next_step=HOSTILE), ValueError(HOSTILE)])
def test_failure__with_foreign_text__is_told_without_controls(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(typer.Exit), report_failures(False):
        fail()
    told = capsys.readouterr().err
    assert "\\u{1b}]0;PWNED\\u{7}" in told
    assert told.rstrip("\n").isprintable()


def test_failure__of_a_file__with_controls_in_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied", HOSTILE)

    with pytest.raises(typer.Exit), report_failures(False):
        fail()
    assert capsys.readouterr().err.rstrip("\n").isprintable()


def test_token__with_a_hostile_symbol__has_a_short_visible_one() -> None:
    functions = artifact("RewardToken").functions
    text = HOSTILE.encode()
    said = b"".join(n.to_bytes(32, "big") for n in (32, len(text))) + text + bytes(-len(text) % 32)

    def answer(method: str, parameters: Any) -> Any:
        if method == "eth_getBlockByNumber":
            return block_of(parameters[0], 9)
        if method != "eth_call":
            return "0x1"
        wants_symbol = functions["symbol"].selector.hex() in str(parameters)
        return "0x" + (said.hex() if wants_symbol else f"{18:064x}")

    token = read_token(chain_of(answer), Address("0x" + "11" * 20))
    assert token.symbol.isprintable()
    assert token.symbol.startswith("\\u{1b}]0;PWNED\\u{7}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no RPC at http://user:PW@host/v3/KEY; start it", "no RPC at http://host/…; start it"),
        ("'https://user:PW@host:8545?key=KEY' is none", "'https://host:8545/…' is none"),
        ("wss://PW@[::1]:80/KEY", "wss://[::1]:80/…"),
        ("http://user:p'W)@host/KEY", "http://host/…"),
        ("http://user:PW", "http://…"),
        ("Max retries exceeded with url: /v3/KEY?PW (Caused by X)", "Max retries exceeded with url: /… (Caused by X)"),
        ("{'rpc': ['http://a:PW@b/KEY']}", "{'rpc': ['http://b/…']}"),
        ("http://127.0.0.1:8545: does not answer", "http://127.0.0.1:8545: does not answer"),
        ("look at http://127.0.0.1:9/metrics.", "look at http://127.0.0.1:9/metrics."),
        ("no URL: a/b, C://", "no URL: a/b, C://"),
    ],
)
def test_redact__leaves_scheme_host_and_port(text: str, told: str) -> None:
    assert redact(text) == told
    assert str(FatalError(text, cause=ValueError(text), next_step=text)).count("PW") == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://user:pw@host",
        "http://TOKEN@host",
        "http://TOKEN:@host",
        "http://user:${PW}x@host",
        "https://host/v3/0123456789abcdef0123456789abcdef",
        "wss://host/ws/AbCdEfGhIjKlMnOpQrSt_uv",
        "https://host/550e8400-e29b-41d4-a716-446655440000/",
        "https://host?apikey=short",
        "https://host/?x=1&my_token=short",
        "https://host/%30123456789abcdef0123456789abcdef",
        "https://host/rpc#AbCdEfGhIjKlMnOpQrSt_uv9",
    ],
)
def test_secret__in_an_address_is_seen(url: str) -> None:
    assert carries_secret(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8545",
        "https://a-long-host-name-with-0123abcd99.example/rpc",
        "https://host/ethereum-sepolia-public-endpoint",
        "https://host/ext/bc/C/rpc",
        "https://host/v3/${KEY}",
        "http://${USER}:${PW}@host",
        "http://user:${PW}@host?apikey=${KEY}",
        "/ip4/127.0.0.1/tcp/5001",
        "/dns4/a-long-host-name-with-0123abcd99.example/tcp/5001/https",
    ],
)
def test_secret__where_there_is_none(url: str) -> None:
    assert not carries_secret(url)


def test_counted__agrees_with_its_number() -> None:
    assert [counted(number, "update") for number in (0, 1, 2)] == ["0 updates", "1 update", "2 updates"]
    assert counted(1, "party", "parties") == "1 party" and counted(3, "party", "parties") == "3 parties"
    assert numbered("round", [3]) == "round 3" and numbered("round", [3, 4]) == "rounds 3, 4"
