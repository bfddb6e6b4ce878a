"""A job's history as a table, a line a round: the CSV and the Parquet of it.

No cell of the CSV is a formula where a spreadsheet opens it: what others chose, names and a token's symbol, begins with
none of = + - @ and holds no separator, so that it can't begin another cell either; such characters are written out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

from hansa.cli.job.export_view import HistoryView, RoundRow
from hansa.cli.tables import LONGEST_NAME
from hansa.protocol.errors import FatalError
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.text import escape_untrusted
from hansa.runtime.amounts import Token

Cell = int | str | Decimal | datetime | None

FIXED = ("job", "round", "ended", "cycle", "metric", "updates", "included", "model", "gas", "token", "pay")
"""The first columns, always these; then comes `pay NAME` for each trainer, or its address, as they enrolled."""

NUMBERS = frozenset({"job", "round", "cycle", "updates", "included", "gas"})  # whole ones
METRIC = Token("", "", 9)
MOST_DIGITS = 38  # of an amount, as Parquet's readers have them
_LIVE = re.compile(r"^[=+\-@＝＋－＠]|[,;\t\"]")  # what would begin a formula, or a cell


def inert(text: str, most: int = LONGEST_NAME) -> str:
    """A text of anybody's as a cell that stays a text."""
    return _LIVE.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", escape_untrusted(text.strip(), most))


def columns(view: HistoryView) -> list[str]:
    """The header. An account is named by its address where it has no name, or another has the same."""
    names = [trainer.address if trainer.name is None else inert(trainer.name) for trainer in view.trainers]
    unique = [
        name if names.count(name) == 1 else trainer.address for name, trainer in zip(names, view.trainers, strict=True)
    ]
    return [*FIXED, *(f"pay {name}" for name in unique)]


def rows(view: HistoryView) -> Iterator[list[Cell]]:
    """The lines, as `columns` has them. Amounts and metrics are exact; None is what isn't known."""
    unit = inert(view.token.symbol)
    for row in view.rounds:
        pays = [row.pay, *(trainer.pay for trainer in row.trainers)]
        yield [*_facts(view.job, row), unit, *(None if pay is None else Decimal(view.token.exact(pay)) for pay in pays)]


def _facts(job: int, row: RoundRow) -> list[Cell]:
    ended = datetime.fromtimestamp(row.ended, UTC)
    metric = None if row.metric == NO_METRIC else Decimal(METRIC.exact(row.metric))
    return [job, row.round, ended, row.cycle, metric, row.updates, row.included, row.model, row.gas]


def to_csv(view: HistoryView) -> str:
    """Times are those of UTC, numbers have a decimal point and every digit; an empty cell is not known."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns(view))
    writer.writerows([_written(cell) for cell in row] for row in rows(view))
    return out.getvalue()


def _written(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "" if cell is None else f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def require_parquet() -> None:
    """FatalError where nothing can write Parquet."""
    if find_spec("pyarrow") is None:
        raise FatalError(
            "Parquet can't be written",
            cause="the package pyarrow is not installed",
            next_step="install it with `pip install 'pyarrow>=20,<27'`, or write CSV or JSON",
        )


def to_parquet(view: HistoryView) -> bytes:
    """The same columns with types: times in UTC, the metric a float, amounts decimals. FatalError for amounts that no
    decimal of Parquet holds."""
    import pyarrow  # optional, and a second of loading
    import pyarrow.parquet

    kinds: dict[str, Any] = {
        **dict.fromkeys(NUMBERS, pyarrow.int64()),
        "ended": pyarrow.timestamp("s", "UTC"),
        "metric": pyarrow.float64(),
        "model": pyarrow.string(),
        "token": pyarrow.string(),
    }
    decimals = view.token.decimals
    largest = max((row.pay or 0 for row in view.rounds), default=0)
    if decimals > MOST_DIGITS or largest >= 10**MOST_DIGITS:
        raise FatalError(
            f"amounts of job {view.job} don't fit into Parquet",
            cause=f"its token has {decimals} decimals, and a number has {MOST_DIGITS} digits there",
            next_step="write CSV or JSON",
        )
    amount = pyarrow.decimal128(MOST_DIGITS, decimals)
    table = {}
    for name, cells in zip(columns(view), zip(*rows(view), strict=True), strict=True):
        values = [None if cell is None else float(cell) for cell in cells] if name == "metric" else list(cells)
        table[name] = pyarrow.array(values, kinds.get(name, amount))
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(table), out)
    return out.getvalue()
