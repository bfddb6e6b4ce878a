"""The page of an audit: a file that stands alone, says what the settlement says, and takes no text for markup."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any, cast

import pytest
from job_script import ALICE, BOB, DAVE, ERIN, FEDERATION, FRANK, JOB, TOKEN

from hansa.audit.paid import Bond, Burn, Escrow, Paid, RoundPaid, RoundPay, Settlement, Task, TrainerPay, ValidatorPay
from hansa.audit.report import Finding, Report
from hansa.cli.report_html import check_target, write_page
from hansa.cli.report_page import report_page
from hansa.protocol.errors import FatalError
from hansa.protocol.types import Round, Timestamp, Wei
from hansa.runtime.amounts import Token

HASH = bytes(range(32))
WHERE = cast(Any, SimpleNamespace(chain_id=1, federation=FEDERATION, job=JOB, proof=b"",
             at=SimpleNamespace(number=1234567, timestamp=1_800_000_000, hash=HASH)))  # fmt: skip
HANSA = Token(TOKEN, "HANSA", 2)
ONE = 100  # HANSA
HOSTILE = "</bdi></title><script>alert(1)</script>\u202e\u200b\x1b[31m<img src=x onerror=x> \" ' & [bold]"


def amounts(*parts: float) -> tuple[Wei, ...]:
    return tuple(Wei(round(part * ONE)) for part in parts)


def trainer(who: Any, verdict: str, earned: float, claimed: float, penalty: float) -> TrainerPay:
    lines = [RoundPay(Round(1), verdict, *amounts(earned, claimed), penalty > 0, *amounts(penalty))]
    bond = Bond(*amounts(1000, penalty, 1000 - penalty, 0))
    return TrainerPay(who, *amounts(earned, claimed, earned - claimed), bond, lines)


PAID = Paid(
    job=JOB,
    chain_id=1,
    federation=FEDERATION,
    sponsor=FRANK,
    token=TOKEN,
    spec="QmSpec",
    task=Task("heart", None, "ab" * 32),
    outcome="COMPLETED",
    ended_at=Timestamp(1_700_000_100),
    claim_until=Timestamp(1_900_000_000),
    claims_over=False,
    unknown_rounds=[],
    escrow=Escrow(*amounts(2000, 700, 10, 300, 50, 0, 940, 0, 0.02)),
    bonds=Bond(*amounts(2000, 5, 1995, 0)),
    trainers=[trainer(ALICE, "ok", 999.98, 700, 0), trainer(BOB, "malformed", 0, 0, 5)],
    validators=[
        ValidatorPay(DAVE, [Round(1)], *amounts(10, 10, 0)),
        ValidatorPay(ERIN, [], *amounts(0, 0, 0)),
    ],
    rounds=[RoundPaid(Round(1), 2, Timestamp(1_700_000_000), "QmModel", "0x00", [DAVE], [ERIN], *amounts(999.98, 10))],
    burnt=[
        Burn("the cycle failed in SCORE", *amounts(50), Round(1), 1, Timestamp(1_699_999_000)),
        Burn(f"a strike took it off the bond of {BOB}", *amounts(5), Round(1)),
    ],
)


class Text(HTMLParser):
    """What a reader sees, and which elements there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def audited(paid: Paid | None = PAID) -> Report:
    report = Report()
    report.ok("events", 61)
    report.settlement = None if paid is None else Settlement(cast(Any, None), None, paid)
    return report


def page(paid: Paid | None = PAID, report: Report | None = None, **names: Any) -> str:
    return report_page(WHERE, report or audited(paid), None if paid is None else HANSA, {ALICE: "alice", **names})


def test_page__says_in_a_sentence_who_was_paid() -> None:
    text = Text(page()).text
    assert (
        "For 1 round of “heart”, the sponsor put 2,000 HANSA in escrow. 2 trainers earned 999.98 HANSA, and were "
        "paid 700 HANSA; 2 validators earned and were paid 10 HANSA. 940 HANSA went back to the sponsor. 55 HANSA "
        "were burnt."
    ) in text
    assert "Everything that was checked holds" in text and "61 events" in text


def test_page__has_the_whole_hash_and_what_to_do_with_it() -> None:
    text = Text(page()).text
    assert "Block 1,234,567 of chain 1, as of 2027-01-15 08:00:00 UTC, must have this hash" in text
    assert "0x" + HASH.hex() in text and "Compare it, digit for digit" in text


def test_page__of_what_nothing_binds__has_no_hash_to_compare() -> None:
    where = cast(Any, SimpleNamespace(**{**vars(WHERE), "proof": None}))
    text = Text(report_page(where, audited(), HANSA, {})).text
    assert "whoever wrote it could have invented it whole" in text
    assert "Compare this first" not in text and "0x" + HASH.hex() not in text


def test_page__says_by_whom_and_when_and_what_was_burnt() -> None:
    text = Text(page()).text
    assert "Round 1, which ended 2023-11-14 22:13:20 UTC" in text
    assert f"Decided by 1 of 2 validators: {DAVE}" in text
    assert "malformed: The file is not an update of this attempt. The penalty was 5 HANSA." in text
    assert "the cycle failed in SCORE" in text and "2023-11-14 21:56:40 UTC" in text
    assert "When anything was claimed" in text, "as what nobody can check"
    assert f"alice {ALICE}" in text


def test_page__where_claims_are_over__says_what_is_lost() -> None:
    text = Text(page(replace(PAID, claims_over=True))).text
    assert "not claimed, lost" in text and "which is over" in text and "not claimed yet" not in text


def test_page__where_pay_is_not_known__says_so() -> None:
    unknown = [replace(item, earned=None, unclaimed=None) for item in PAID.trainers]
    text = Text(page(replace(PAID, unknown_rounds=[Round(1)], trainers=unknown, task=None))).text
    assert "a task that is not known" in text and "2 trainers were paid 700 HANSA" in text and "not known" in text


@pytest.mark.parametrize("settled", [PAID, None])
def test_page__of_an_audit_that_found_something__says_it_first(settled: Paid | None) -> None:
    report = audited(settled)
    report.wrong.append(Finding("rewards root", "one", HOSTILE))
    text = Text(page(settled, report)).text
    assert text.index("Something is wrong") < text.index("Compare this first")
    assert "rewards root: expected one, found </bdi>" in text
    assert ("Where the escrow went" in text) == (settled is not None)


def test_page__with_gaps__is_not_called_whole() -> None:
    report = audited()
    report.gap("file of model 1", HOSTILE)
    text = Text(page(report=report)).text
    assert "Nothing is wrong, but something" in text and "What was not checked" in text and "file of model 1" in text


def test_page__takes_no_text_for_markup_and_shows_what_can_not_be_seen() -> None:
    plain, report = Text(page()), audited(replace(PAID, task=Task(HOSTILE, "cd" * 32, "ab" * 32)))
    report.gap(HOSTILE, HOSTILE, expected=True)
    made = report_page(WHERE, report, replace(HANSA, symbol=HOSTILE), {ALICE: HOSTILE, DAVE: HOSTILE})
    found = Text(made)
    assert found.elements <= plain.elements | {"ul", "li"} and found.attributes == plain.attributes
    assert "script" not in found.elements and "img" not in found.elements
    assert [char for char in made if not (char.isprintable() or char == "\n")] == []
    assert "\\u{202e}\\u{200b}\\u{1b}" in found.text and "\\u{5b}bold]" in found.text
    assert "default-src 'none'" in made


def test_page__of_a_job_with_thousands_of_lines__leaves_rounds_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.cli.report_page.MOST_ROWS", 1)
    assert "hansa audit --json has them all" in Text(page()).text


def test_target__may_be_a_report_or_nothing(tmp_path: Any) -> None:
    target = tmp_path / "report.html"
    write_page(target, page())
    write_page(target, page())
    target.write_text("<!doctype html>\n<p>mine")
    with pytest.raises(FatalError, match="no report of an audit"):
        check_target(target)
    with pytest.raises(FatalError, match="there is no folder"):
        check_target(tmp_path / "none" / "report.html")
    with pytest.raises(FatalError, match="can't be written"):
        check_target(tmp_path)
