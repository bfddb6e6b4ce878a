"""The page of an audit, for people who have never seen a chain: who was paid what, by whom, for what and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hansa.audit.bound import UNBOUND
from hansa.audit.facts import Facts
from hansa.audit.paid import Bond, Paid, RoundPaid, RoundPay
from hansa.audit.report import Report
from hansa.cli.paid_table import escrow_parts, utc
from hansa.cli.report_html import (
    NOTHING,
    Html,
    bullets,
    code,
    document,
    facts,
    joined,
    number,
    section,
    table,
    tag,
    text,
)
from hansa.protocol.tables import VERDICTS
from hansa.protocol.text import counted
from hansa.protocol.types import Address
from hansa.runtime.amounts import Token

MOST_ROWS = 20_000  # of rounds' tables; --json has them all
BEYOND = (
    "Which block is on the chain: see above.",
    "When anything was claimed: only the ends of rounds, of failed cycles and of the job have times that are proven.",
    "Gains and news, which pay follows from: validators measured them on rows that nobody else has. What follows from "
    "them is checked.",
    "An update that a validator called unreachable: nobody can look later.",
    "What a token is worth, and what else its contract does.",
    "Names of people: where there are some, whoever made this page calls the addresses so.",
)
WORDS = (
    ("sponsor", "posted the job, and paid the escrow for it."),
    ("trainer", "trained the model on data of its own, and put up a bond. Its pay follows from what its updates did."),
    ("validator", "measured the updates, voted each round's result, and is paid a fee where its vote matched."),
    ("round", "one step of the model, with one reward that its trainers share."),
    ("strike", "the penalty for an update that is none; it is taken off the trainer's bond."),
    ("burnt", "destroyed: out of everybody's reach for ever."),
    ("claimed", "taken out by its owner. What nobody claims in time is burnt."),
)


@dataclass(frozen=True)
class _Writer:
    """How people and amounts are written on this page."""

    token: Token
    names: Mapping[Address, str]

    def amount(self, units: int | None, exact: bool = False) -> Html:
        """Without its unit."""
        if units is None:
            return text("not known")
        places = self.token.decimals if exact else 6
        return number(self.token.text(units, places, unit=False))

    def money(self, units: int) -> str:
        return self.token.text(units)

    def who(self, account: Address) -> Html:
        if account not in self.names:
            return code(account)
        return Html(f"{text(self.names[account], 40)} {code(account)}")


def report_page(where: Facts, report: Report, token: Token | None, names: Mapping[Address, str]) -> str:
    """The whole file. token: None where it is not known who was paid."""
    title = f"Job {where.job}: who was paid what"
    parts = [tag("h1", text(title)), _verdict(report)]
    if report.settlement is not None and token is not None:
        paid, write = report.settlement.paid, _Writer(token, names)
        parts += [tag("p", _headline(paid, write), kind="lead"), _compare(where), *_sections(paid, write)]
    else:
        parts.append(_compare(where))
    parts += [_checks(report), section("Words", facts((word, text(meaning)) for word, meaning in WORDS))]
    return document(title, *parts)


# --- first of all


def _verdict(report: Report) -> Html:
    if report.wrong:
        found = bullets(text(finding) for finding in report.wrong[:10])
        warning = tag("p", text("Something is wrong. Don't rely on what stands below before you know what."))
        return tag("div", warning, found, kind="banner bad")
    if report.exit_code:
        said = "Nothing is wrong, but something that should be there to check is not: see “What was not checked”."
        return tag("div", tag("p", text(said)), kind="banner warn")
    said = "Everything that was checked holds, every amount to the last unit."
    return tag("div", tag("p", text(said)), kind="banner good")


def _headline(paid: Paid, write: _Writer) -> Html:
    escrow, money, task = paid.escrow, write.money, text("a task that is not known")
    if paid.task is not None:
        task = joined((text("“"), text(paid.task.name), text("”")), "")
    earned = None if paid.unknown_rounds else sum(item.earned or 0 for item in paid.trainers)
    fees = sum(item.earned for item in paid.validators)
    sentences = [
        f", the sponsor put {money(escrow.escrowed)} in escrow.",
        f"{counted(len(paid.trainers), 'trainer')} {_earned(earned, escrow.pay, write)};",
        f"{counted(len(paid.validators), 'validator')} {_earned(fees, escrow.fees, write)}.",
    ]
    if escrow.refunded:
        sentences.append(f"{money(escrow.refunded)} went back to the sponsor.")
    if burnt := sum(burn.amount for burn in paid.burnt):
        sentences.append(f"{money(burnt)} were burnt.")
    rounds = text(f"For {counted(len(paid.rounds), 'round')} of ")
    return joined((rounds, task, text(" ".join(sentences), 2000)), "")


def _earned(earned: int | None, claimed: int, write: _Writer) -> str:
    if earned == claimed:
        return f"earned and were paid {write.money(earned)}"
    before = "" if earned is None else f"earned {write.money(earned)}, and "
    return f"{before}were paid {write.money(claimed)}"


def _compare(where: Facts) -> Html:
    at = where.at
    if where.proof is None:
        said = f"No proof of the chain's state is in this audit's facts: {UNBOUND}."
        return section("Nothing to compare", tag("div", tag("p", text(said)), kind="banner bad"))
    block = f"Block {at.number:,} of chain {where.chain_id}, as of {utc(at.timestamp)}, must have this hash:"
    after = (
        "Compare it, digit for digit, with what a node or an explorer of that chain says, one that you chose yourself. "
        "This page is as true as this hash, and as whoever gave it to you; the audit can be run again from the archive "
        "by anybody: hansa audit --archive FILE."
    )
    parts = tag("p", text(block)), tag("p", code(f"0x{at.hash.hex()}")), tag("p", text(after))
    return section("Compare this first", tag("div", *parts, kind="banner note"))


# --- who was paid


def _sections(paid: Paid, write: _Writer) -> Iterator[Html]:
    yield section("The job", facts(_facts(paid, write)))
    unit = f"Amounts are in {write.token.symbol}, cut to six decimals; where the escrow went is exact."
    if not write.token.decimals:
        unit = f"Amounts are in {write.token.symbol}, the token's smallest; how many make a token is not known here."
    yield tag("p", text(unit), kind="muted")
    yield _trainers(paid, write)
    yield _validators(paid, write)
    yield _escrow(paid, write)
    yield _rounds(paid, write)


def _facts(paid: Paid, write: _Writer) -> Iterator[tuple[str, Html]]:
    yield "paid by", write.who(paid.sponsor)
    if paid.task is not None:
        yield "task", text(paid.task.name)
        if paid.task.code is not None:
            yield "its code, SHA-256", code(paid.task.code)
        yield "its settings, SHA-256", code(paid.task.settings)
    yield "spec", code(paid.spec)
    ended = "the job runs" if paid.outcome is None else paid.outcome.lower()
    yield "end", text(ended if paid.ended_at is None else f"{ended}, {utc(paid.ended_at)}")
    if paid.claim_until is not None:
        until = f"{utc(paid.claim_until)}{', which is over' if paid.claims_over else ''}"
        yield "claims until", text(until)
    yield "contract", code(paid.federation)
    yield "token", code(paid.token)


def _unclaimed(paid: Paid) -> str:
    return "not claimed, lost" if paid.claims_over else "not claimed yet"


def _trainers(paid: Paid, write: _Writer) -> Html:
    if not paid.trainers:
        return section("Trainers", tag("p", text("None enrolled.")))
    pay = [
        (write.who(item.trainer), *map(write.amount, (item.earned, item.claimed, item.unclaimed)))
        for item in paid.trainers
    ]
    bonds = [(write.who(item.trainer), *_bond(item.bond, write)) for item in paid.trainers]
    return section(
        "Trainers",
        table(("trainer", "earned", "claimed", _unclaimed(paid)), pay),
        tag("h3", text("Their bonds")),
        table(
            ("trainer", "paid in", "lost to strikes", "returned", "held"),
            bonds,
            (text("all"), *_bond(paid.bonds, write)),
        ),
    )


def _bond(bond: Bond, write: _Writer) -> Iterator[Html]:
    yield from map(write.amount, (bond.paid, bond.forfeited, bond.returned, bond.held))


def _validators(paid: Paid, write: _Writer) -> Html:
    if not paid.validators:
        return section("Validators", tag("p", text("None had a seat.")))
    rows = [
        (
            write.who(item.validator),
            text(len(item.rounds)),
            *map(write.amount, (item.earned, item.claimed, item.unclaimed)),
        )
        for item in paid.validators
    ]
    return section("Validators", table(("validator", "rounds matched", "earned", "claimed", _unclaimed(paid)), rows))


def _escrow(paid: Paid, write: _Writer) -> Html:
    rows = [(text(what), write.amount(amount, exact=True)) for what, amount in escrow_parts(paid.escrow)]
    parts = [
        table(
            ("what became of it", "amount"), rows, (text("the escrow"), write.amount(paid.escrow.escrowed, exact=True))
        )
    ]
    if paid.escrow.unearned:
        amount = write.token.text(paid.escrow.unearned, write.token.decimals)
        said = f"{amount} of what was not claimed nobody earned: what rounding left, and seats that did not match."
        parts.append(tag("p", text(said), kind="muted"))
    if paid.burnt:
        burns = [
            (
                text(burn.why),
                NOTHING if burn.round is None else text(f"round {burn.round}"),
                NOTHING if burn.ended is None else text(utc(burn.ended)),
                write.amount(burn.amount, exact=True),
            )
            for burn in paid.burnt
        ]
        parts += [tag("h3", text("What was burnt, and why")), table(("why", "in", "when", "amount"), burns, words=3)]
    return section("Where the escrow went", *parts)


# --- round by round


def _rounds(paid: Paid, write: _Writer) -> Html:
    if not paid.rounds:
        return section("Round by round", tag("p", text("No round has ended with a result.")))
    if len(paid.trainers) * len(paid.rounds) > MOST_ROWS:
        return section("Round by round", tag("p", text("Too many for a page: hansa audit --json has them all.")))
    return section("Round by round", *(_round(paid, item, number, write) for number, item in enumerate(paid.rounds)))


def _round(paid: Paid, item: RoundPaid, number: int, write: _Writer) -> Html:
    decided = f"Decided by {len(item.matched)} of {counted(len(item.matched) + len(item.others), 'validator')}: "
    people = tag("p", text(decided), joined(map(write.who, item.matched)))
    rows = []
    for trainer in paid.trainers:
        line = trainer.rounds[number]
        claimed = text("no") if line.claimed is None else write.amount(line.claimed)
        rows.append((write.who(trainer.trainer), _update(line, write), write.amount(line.earned), claimed))
    headings, total = ("trainer", "its update", "earned", "claimed"), write.amount(item.pay)
    made = table(headings, rows, (text("all"), NOTHING, total, NOTHING), words=2)
    return section(f"Round {item.round}, which ended {utc(item.ended)}", people, made, level=3)


def _update(line: RoundPay, write: _Writer) -> Html:
    """What was said of a trainer's update, and what that cost."""
    if line.verdict is None:
        return text("not known")
    sentences = {row.name.lower(): row.sentence for row in VERDICTS}
    said = {"ok": "measured", "absent": "none was sent"}.get(
        line.verdict
    ) or f"{line.verdict}: {sentences[line.verdict]}"
    return text(f"{said} The penalty was {write.money(line.penalty)}." if line.penalty else said)


# --- what was checked


def _checks(report: Report) -> Html:
    said = (
        "All of this was worked out again, from what everybody did on the chain, and is as it must be: the contract's "
        "rules, each token, each verdict, each payment. In numbers: "
    )
    done = tag("p", text(said), joined(text(f"{times:,} {name}") for name, times in report.checked.items()))
    parts = [section("What was checked", done)]
    if report.gaps:
        gaps = bullets(text(f"{gap.what}: {gap.why}", 1000) for gap in report.gaps)
        parts.append(section("What was not checked", gaps))
    parts.append(section("What nobody can check", bullets(map(text, BEYOND))))
    return Html("".join(parts))
