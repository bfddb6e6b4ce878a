"""`hansa job export`: every number of a job in a file, nothing that a spreadsheet would run, nothing overwritten."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from hansa.cli.document import to_json
from hansa.cli.job import export_table
from hansa.cli.job.export import from_archive, require_round
from hansa.cli.job.export_table import FIXED, columns, inert, require_parquet, rows, to_csv, to_parquet
from hansa.cli.job.export_view import HistoryView, Source, view_history
from hansa.cli.main import app
from hansa.cli.unit_option import Unit
from hansa.protocol.errors import FatalError
from hansa.protocol.sheet import NO_METRIC
from hansa.protocol.types import Phase
from hansa.runtime.amounts import Token

JOB = Path(__file__).parents[2] / "vectors" / "job-1.hansa"
HOSTILE = '=HYPERLINK("http://x.example","pay");=1+1,@SUM(A1)\t-2'
SEPARATORS = re.compile(r"[,;\t\n]")


@pytest.fixture(scope="module")
def source() -> Source:
    return from_archive(JOB, None, Unit("HANSA", 18))


@pytest.fixture(scope="module")
def view(source: Source) -> HistoryView:
    return view_history(source, {source.history.trainers[0]: "alice"})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command on the archive, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANSA_DIR", str(tmp_path / "none"))
    return lambda *words: CliRunner().invoke(app, ["job", "export", *words])


def test_csv__has_the_documented_header__and_a_line_a_round(view: HistoryView) -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv(view))))
    others = [trainer.address for trainer in view.trainers[1:]]
    assert list(lines[0]) == [*FIXED, "pay alice", *(f"pay {address}" for address in others)]
    assert [line["round"] for line in lines] == ["1", "2", "3"]
    first = lines[0]
    assert (first["job"], first["updates"], first["included"], first["token"]) == ("1", "4", "4", "HANSA")
    assert first["metric"] == "0.571510421" and first["gas"] == "", "an archive knows no gas"
    assert first["model"].startswith("Qm") and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["ended"])


def test_csv__amounts_are_exact(view: HistoryView) -> None:
    for line, row in zip(csv.DictReader(io.StringIO(to_csv(view))), view.rounds, strict=True):
        pays = [value for name, value in line.items() if name.startswith("pay ")]
        assert [view.token.units(pay) for pay in pays] == [trainer.pay for trainer in row.trainers]
        assert view.token.units(line["pay"]) == row.pay == sum(trainer.pay or 0 for trainer in row.trainers)


def test_amounts__exact_of_any_decimals() -> None:
    assert Token("", "", 6).exact(1_500_000) == "1.5"
    assert Token("", "", 0).exact(1_234_567) == "1234567"
    assert Token("", "", 18).exact(1) == "0.000000000000000001"
    assert Token("", "", 9).exact(-150_000_000) == "-0.15"


def test_csv__what_is_not_known_is_empty(view: HistoryView) -> None:
    last = view.rounds[-1]
    unpaid = replace(last, metric=NO_METRIC, pay=None, trainers=[replace(each, pay=None) for each in last.trainers])
    line = list(csv.DictReader(io.StringIO(to_csv(replace(view, rounds=[unpaid])))))[0]
    assert {name for name, value in line.items() if not value} == {"metric", "gas", *columns(view)[len(FIXED) - 1 :]}


@pytest.mark.parametrize("text", [HOSTILE, "+1", "-1", "@x", " =1", "＝1", '"=1', "a\n=1", "a\r=1", "a;=1", "a,=1"])
def test_csv__text_of_strangers_begins_no_formula__whatever_separates_cells(view: HistoryView, text: str) -> None:
    trainers = [replace(view.trainers[0], name=text), *view.trainers[1:]]
    written = to_csv(replace(view, trainers=trainers, token=replace(view.token, symbol=text)))
    plain = [cell for row in csv.reader(io.StringIO(written)) for cell in row]
    for cell in [*plain, *SEPARATORS.split(written)]:
        assert not cell.strip(" '\"").startswith(("=", "+", "-", "@", "＝")), cell
    assert inert(text).isprintable()


def test_csv__accounts_of_one_name_go_by_address(view: HistoryView) -> None:
    named = [replace(trainer, name="a" * 60 + str(number)) for number, trainer in enumerate(view.trainers)]
    header = columns(replace(view, trainers=named))
    assert header[len(FIXED) :] == [f"pay {trainer.address}" for trainer in view.trainers]


def test_json__has_all_of_it__amounts_as_integer_strings(view: HistoryView) -> None:
    data = to_json(view)
    assert (data["job"], data["task"], data["outcome"], data["failed"]) == (1, "heart", "COMPLETED", [])
    assert data["trainers"][0]["name"] == "alice" and "name" not in data["trainers"][1]
    assert data["trainers"][0]["pay"] == str(sum(row.trainers[0].pay or 0 for row in view.rounds))
    assert data["token"] == {"address": view.token.address, "symbol": "HANSA", "decimals": 18}
    own = data["rounds"][0]["trainers"][0]
    assert (own["verdict"], own["included"], own["strike"]) == ("ok", True, 0)
    assert "29105777473382411257" in [row["pay"] for row in data["rounds"][0]["trainers"]], "in whatever order"
    assert own["gain"] > 0 and own["news"] > 0 and data["rounds"][0]["gas"] is None
    assert data["archive"]["bound"] and json.loads(json.dumps(data)) == data


def test_verdicts__of_who_sent_nothing_or_was_refused(source: Source) -> None:
    history = source.history
    alone = replace(history.cycles[0], updates=history.cycles[0].updates[:1])
    view = view_history(replace(source, history=replace(history, cycles=(alone, *history.cycles[1:]))), {})
    first = view.rounds[0]
    told = {row.trainer: (row.verdict, row.included, row.gain is None) for row in first.trainers}
    assert told.pop(alone.updates[0].trainer) == ("ok", True, False) and set(told.values()) == {("absent", False, True)}


def test_round_of_other_rewards_than_its_sheets_give__has_no_pay(source: Source) -> None:
    cycle, outcome = source.history.finalised[0]
    other = replace(cycle, outcome=replace(outcome, rewards=bytes(32)))
    view = view_history(
        replace(source, history=replace(source.history, cycles=(other, *source.history.cycles[1:]))), {}
    )
    assert view.rounds[0].pay is None and {row.pay for row in view.rounds[0].trainers} == {None}
    assert view.trainers[0].pay == sum(row.trainers[0].pay or 0 for row in view.rounds[1:])


def test_parquet__has_the_same_columns_with_types(view: HistoryView) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow, of the extra `parquet`, is not installed")
    table = parquet.read_table(io.BytesIO(to_parquet(view)))
    assert table.column_names == columns(view) and table.num_rows == 3
    for line, expected in zip(table.to_pylist(), rows(view), strict=True):
        told = dict(zip(columns(view), expected, strict=True))
        assert line.pop("metric") == float(told.pop("metric"))  # type: ignore[arg-type]
        assert line == told and isinstance(line["pay"], Decimal) and isinstance(line["ended"], datetime)
        assert line["ended"].tzinfo is not None and line["ended"].astimezone(UTC) == told["ended"]
    wide = replace(view, token=replace(view.token, decimals=39))
    with pytest.raises(FatalError, match="don't fit into Parquet"):
        to_parquet(wide)


def test_parquet__without_pyarrow__says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_table, "find_spec", lambda name: None)
    with pytest.raises(FatalError, match="pip install 'pyarrow"):
        require_parquet()


def test_command__writes_files_whole__and_not_over_others(run: Any, tmp_path: Path) -> None:
    done = run("--archive", str(JOB), "--out", "job.csv", "--plot", "job.svg", "--unit", "HANSA:18")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "job 1: 3 rounds in job.csv and job.svg\n", "")
    assert {path.name for path in tmp_path.iterdir()} == {"job.csv", "job.svg"}
    before = (tmp_path / "job.csv").read_text()
    refused = run("--archive", str(JOB), "--out", "job.csv")
    assert refused.exit_code == 1 and "job.csv is there already; " in refused.stderr
    assert (tmp_path / "job.csv").read_text() == before
    forced = run("1", "--archive", str(JOB), "--out", "job.csv", "--format", "json", "--force", "--json")
    assert json.loads(forced.stdout) == {"job": 1, "rounds": 3, "out": "job.csv"}
    assert json.loads((tmp_path / "job.csv").read_text())["token"]["decimals"] == 0, "an archive knows no unit"


def test_command__without_out__is_csv_or_json_on_standard_output(run: Any) -> None:
    assert run("--archive", str(JOB)).stdout.startswith(",".join(FIXED) + ",pay 0x")
    assert json.loads(run("--archive", str(JOB), "--json").stdout)["job"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "no job is named; name one"),
        ("1", "holds no deployment.json"),
        ("1 --out job.xls", "what to write into job.xls is not known: its name ends with .xls; name a file"),
        ("1 --out job", "its name has no suffix; "),
        ("1 --out none/job.csv", "none/job.csv can't be written: there is no folder none; make it"),
        ("1 --out folder.csv", "folder.csv can't be written: it is no plain file; "),
        ("1 --plot job.png", "no picture can be written into job.png: it would be SVG; "),
        ("1 --format parquet", "Parquet can't stand on standard output: "),
        ("1 --json --format csv", "--json and --format csv don't go together; "),
        ("1 --out a.svg --format csv --plot ./a.svg", "a.svg is named twice; "),
        ("--archive a.hansa --out a.hansa --format csv --force", "a.hansa is named twice; "),
        ("--archive none.hansa", "none.hansa can't be read: No such file or directory"),
        (f"2 --archive {JOB}", "is of job 1, not of job 2; leave the job out, or name another file"),
        ("--archive a.hansa", "a.hansa is not as it must be, so nothing is told from it: "),
        (f"--archive {JOB} --unit HANSA", "is no unit; write it like HANSA:18"),
    ],
)
def test_command__that_can_not_be__is_one_sentence(run: Any, tmp_path: Path, words: str, said: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "a.hansa").write_bytes(JOB.read_bytes()[:-1])
    done = run(*words.split())
    assert (done.exit_code, done.stdout) == (1, "") and said in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and {path.name for path in tmp_path.iterdir()} == {"folder.csv", "a.hansa"}


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (None, "none of its rounds is finalised; `hansa job watch 3`"),
        (Phase.CANCELLED, "ended as CANCELLED without a finalised round; "),
    ],
)
def test_job__without_a_finalised_round__has_no_history(ended: Phase | None, said: str) -> None:
    history: Any = SimpleNamespace(job=3, finalised=[], ended=ended)
    with pytest.raises(FatalError) as refused:
        require_round(history)
    assert str(refused.value).startswith("job 3 has no history to export: ") and said in str(refused.value)
