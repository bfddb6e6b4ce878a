"""Rows and tables: what is not a finite number is named by file, line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hansa import FatalError, Rows, read_table
from hansa.tasks.rows import BadRows, number, read_lines

COLUMNS = ("degrees", "area", "kwh")
GOOD = "degrees,area,kwh\n1,2,3\n-4.5,.5,6e1\n"


def table(folder: Path, text: str) -> Path:
    path = folder / "north.csv"
    path.write_text(text)
    return path


def test_table__has_its_columns_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    wanted = np.array([[1, 2, 3], [-4.5, 0.5, 60]], np.float32)
    assert np.array_equal(read_table(table(tmp_path, GOOD), COLUMNS), wanted)
    assert np.array_equal(read_table(table(tmp_path, GOOD), ("kwh", "area")), wanted[:, [2, 1]])
    for text in ("\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace(",", ", "), GOOD + "\n\n", GOOD.rstrip()):
        assert np.array_equal(read_table(table(tmp_path, text), COLUMNS), wanted), repr(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "nan,100,3.0\n", "line 4, column degrees: 'nan' is not a finite number; leave the line out"),
        (GOOD + "1,inf,3\n", "line 4, column area: 'inf' is not a finite number"),
        (GOOD + "1,2,\n", "line 4, column kwh: '' is not a finite number"),
        (GOOD + "1,1e39,3\n", "line 4, column area: '1e39' is not a finite number"),
        (GOOD + "1,1_000,3\n", "line 4, column area: '1_000' is not a finite number"),
        (GOOD + "1,2 m²,3\n", "line 4, column area: '2 m²' is not a finite number"),
        (GOOD + "1,٣,3\n", "line 4, column area: '٣' is not a finite number"),
        (GOOD + '1,"1,5",3\n', "line 4, column area: '1,5' is not a finite number; .* write it like 1.5"),
        (GOOD + "1,5,2,3\n", "line 4: 4 columns where the header has 3; write numbers like 1.5"),
        (GOOD + "1,2\n", "line 4: 2 columns where the header has 3"),
        (
            GOOD.replace(",", ";"),
            "line 1: no column degrees, area, kwh: it has degrees;area;kwh; .* with commas between",
        ),
        ("1,2,3\n4,5,6\n", "line 1: no column degrees, area, kwh: it has 1, 2, 3; write the header degrees,area,kwh"),
        (GOOD.replace("area", "m2"), "line 1: no column area"),
        ("", "line 1: no column degrees, area, kwh: it has nothing"),
        ("degrees,area,kwh\n", "north.csv has no rows"),
    ],
)
def test_table__that_can_not_be_read__names_the_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FatalError, match=rf"north\.csv.*{said.removeprefix('north.csv')}"):
        read_table(table(tmp_path, text), COLUMNS)


def test_lines__count_as_an_editor_does(tmp_path: Path) -> None:
    lines = list(read_lines(table(tmp_path, 'degrees,area,kwh\n\n"1\n",2,3\n4,5,x\n'), COLUMNS))
    assert [line["line"].rpartition(" ")[2] for line in lines] == ["4", "5"]
    with pytest.raises(FatalError, match=r"line 5, column kwh"):
        number(lines[1], "kwh")


def test_rows__with_a_number_that_is_none__are_refused() -> None:
    inputs, labels = np.ones((3, 2), np.float32), np.ones(3, np.float32)
    inputs[1, 0] = np.nan
    with pytest.raises(BadRows, match="row 2, column 1: the input is nan; leave the row out"):
        Rows(inputs, labels)
    labels[2] = np.inf
    with pytest.raises(BadRows, match="row 3: the label is inf"):
        Rows(np.ones((3, 2), np.float32), labels)
    with pytest.raises(BadRows, match="2 inputs for 3 labels"):
        Rows(np.ones((2, 2), np.float32), labels)
    assert len(Rows(np.ones((3, 2), np.uint8), np.arange(3)).take(slice(2))) == 2
